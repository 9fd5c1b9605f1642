//===- SteepFunctions.h - functions that codes are too coarse for -----------===//
//
// The sine of a position times a high frequency, as networks encode positions, times and noise levels: one step of codes of [0, 800] is 3 radians, and
// what the sine gives of a code is nothing like what it gives of the values that the code stands for.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_PRECISION_STEEPFUNCTIONS_H
#define HALFTONE_LIB_PRECISION_STEEPFUNCTIONS_H

#include "mlir/IR/Operation.h"
#include <optional>

namespace mlir::halftone {

/// Below this, in dB, a function stays float: a sine does where a step of codes is more than 0.6 radians.
inline constexpr double kLeastOfRoundedOperand = 15;

/// The variance of what an elementwise operation of one tensor gives over its operand's calibrated range, by the square of what rounding the operand to
/// 256 codes of that range changes, in dB. Nothing if it has no range, or is not finite in it.
std::optional<double> measureRoundedOperand(Operation *op);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_PRECISION_STEEPFUNCTIONS_H
