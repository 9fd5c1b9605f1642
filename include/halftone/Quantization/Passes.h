//===- Passes.h - the quantization stage ------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_PASSES_H
#define HALFTONE_QUANTIZATION_PASSES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::halftone {

/// Automatic: Largest for 255 levels, else MeanSquaredError.
enum class WeightScales { Automatic, Largest, MeanSquaredError };

/// The same as the values of an option.
inline llvm::cl::ValuesClass weightScalesValues() {
  return llvm::cl::values(
      clEnumValN(WeightScales::Automatic, "auto", "max for int8, mse for all others (default)"),
      clEnumValN(WeightScales::Largest, "max", "largest magnitude / largest level"),
      clEnumValN(WeightScales::MeanSquaredError, "mse", "least squared error"));
}

/// GPTQ and AdaRound need Hessians; what has none is rounded as Diffused.
enum class WeightRounding { Nearest, Diffused, GPTQ, AdaRound };

/// Whether the rounding is chosen by halftone-reconstruct-weights.
inline bool needsHessians(WeightRounding rounding) { return rounding >= WeightRounding::GPTQ; }

/// On contractions, from halftone-reconstruct-weights: the codes of the weights, of their shape, and the scale of each
/// output channel.
inline constexpr llvm::StringLiteral kWeightCodesAttr = "halftone.weight_codes";
inline constexpr llvm::StringLiteral kWeightScalesAttr = "halftone.weight_scales";

/// What halftone-equalize-layers adds to the module's source hash: statistics of the other model do not fit.
inline constexpr llvm::StringLiteral kEqualizedSuffix = "+equalized";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Quantization/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_PASSES_H
