//===- Passes.h - the precision stage ---------------------------------------===//
#ifndef HALFTONE_PRECISION_PASSES_H
#define HALFTONE_PRECISION_PASSES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Precision/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_PRECISION_PASSES_H
