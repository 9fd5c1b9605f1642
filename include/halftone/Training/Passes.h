//===- Passes.h - differentiation and training ------------------------------===//
#ifndef HALFTONE_TRAINING_PASSES_H
#define HALFTONE_TRAINING_PASSES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {

/// Marks an argument of @main that is trained: `halftone-differentiate` returns its gradient.
inline constexpr llvm::StringLiteral kTrainableAttr = "halftone.trainable";

/// The value of an argument that was a constant: `halftone-demote-arguments` makes it one again.
inline constexpr llvm::StringLiteral kValueAttr = "halftone.value";

/// Of a trained argument: its gradient is multiplied by this number first.
inline constexpr llvm::StringLiteral kGradientFactorAttr = "halftone.gradient_factor";

/// A trained argument that stays above 0.
inline constexpr llvm::StringLiteral kPositiveAttr = "halftone.positive";

/// On halftone.quantize: the name of the argument that is its scale while it is trained.
inline constexpr llvm::StringLiteral kScaleAttr = "halftone.scale";

/// On halftone.quantize of weights: the codes that they may have (array<i8: ...>). While these are trained, the name of the
/// argument that has them as real numbers, and what a code of 1 is there.
inline constexpr llvm::StringLiteral kLevelsAttr = "halftone.levels";
inline constexpr llvm::StringLiteral kLevelArgumentAttr = "halftone.level_argument";
inline constexpr llvm::StringLiteral kLevelUnitAttr = "halftone.level_unit";

/// On halftone.quantize of weights by group: the multiplier of each element (i8, the weights' shape), and the largest level, which they multiply.
inline constexpr llvm::StringLiteral kMultipliersAttr = "halftone.multipliers";
inline constexpr llvm::StringLiteral kLargestLevelAttr = "halftone.largest_level";

/// On a contraction: its weights as they were before they became codes.
inline constexpr llvm::StringLiteral kFloatWeightsAttr = "halftone.float_weights";

/// An operation whose result counts as a constant when gradients are computed.
inline constexpr llvm::StringLiteral kStopGradientAttr = "halftone.stop_gradient";

/// The names of results by which a student and its teacher are compared, with the tensor's name behind it.
inline constexpr llvm::StringLiteral kBlockPrefix = "halftone.block.";

/// Arguments that the optimizer adds: the learning rate, and Adam's 1 - beta^step.
inline constexpr llvm::StringLiteral kRateName = "halftone.rate";
inline constexpr llvm::StringLiteral kFirstCorrectionName = "halftone.first_correction";
inline constexpr llvm::StringLiteral kSecondCorrectionName = "halftone.second_correction";

/// Arguments that a schedule of quantization adds: above 0 where casts round, and the largest code of weights so far.
inline constexpr llvm::StringLiteral kCastsName = "halftone.casts";
inline constexpr llvm::StringLiteral kLimitName = "halftone.limit";

/// The argument of labels or targets that the driver asks for: no name of a model's.
inline constexpr llvm::StringLiteral kTargetName = "halftone.target";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Training/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_TRAINING_PASSES_H
