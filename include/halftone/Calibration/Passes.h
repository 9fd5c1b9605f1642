//===- Passes.h - the calibration stage -------------------------------------===//
#ifndef HALFTONE_CALIBRATION_PASSES_H
#define HALFTONE_CALIBRATION_PASSES_H

#include "halftone/Calibration/Estimators.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {

/// The keys of the observed values, on an instrumented @main: an array of strings in the order of the rows.
inline constexpr llvm::StringLiteral kObservedAttr = "halftone.observed";

/// Names of the two arguments that an instrumented @main has at its end.
inline constexpr llvm::StringLiteral kCountsName = "halftone.counts";
inline constexpr llvm::StringLiteral kExtremaName = "halftone.extrema";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Calibration/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_CALIBRATION_PASSES_H
