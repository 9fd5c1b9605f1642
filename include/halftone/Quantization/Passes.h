//===- Passes.h - the quantization stage ------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_PASSES_H
#define HALFTONE_QUANTIZATION_PASSES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {

enum class WeightScales { Largest, MeanSquaredError };

enum class WeightRounding { Nearest, Diffused };

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Quantization/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_PASSES_H
