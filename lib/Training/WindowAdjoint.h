//===- WindowAdjoint.h - from the results of a sliding window to its input --===//
//
// Along one axis, output o of a window with stride s and dilation d reads input o s + k d through tap k. Backwards, input
// h gets from output (h - k d) / s through each tap k for which that is whole. Inputs with the same remainder a of h / s
// (a phase, h = s i + a) use the same taps k0, k0 + p, ..., and their outputs are i - q0 - t d' for t = 0, 1, ...: a
// window of stride 1 and dilation d' over the outputs, so no multiplication by inserted zeros. Where the input is a padded
// tensor, only the inputs behind the padding are computed: h counts from `first`.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_TRAINING_WINDOWADJOINT_H
#define HALFTONE_LIB_TRAINING_WINDOWADJOINT_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

namespace mlir::halftone {

/// The window along one axis.
struct WindowAxis {
  int64_t kernel, stride, dilation;
  int64_t inputs, outputs; ///< extents
  int64_t first = 0;       ///< the input that is number 0 here
};

/// One phase of an axis. Its window over the outputs, padded by `low` and `high` (negative: cut), has `taps` positions;
/// position t belongs to tap `firstTap + tapStep * (taps - 1 - t)` of the kernel.
struct WindowPhase {
  int64_t offset;               ///< a
  int64_t firstTap, tapStep, taps; ///< k0, p
  int64_t spacing;              ///< d'
  int64_t inputs;               ///< inputs of the phase
  int64_t low, high;

  int64_t tapAt(int64_t t) const { return firstTap + tapStep * (taps - 1 - t); }
};

/// The phase of remainder `offset`; `taps` is 0 if no output reads its inputs.
WindowPhase phaseOf(const WindowAxis &axis, int64_t offset);

/// The adjoint of a window's input of shape `type`, whose dimensions 1 and 2 are `rows` and `columns`: `emitPhase` makes the
/// part of two phases that have taps, of shape [N, rows.inputs, columns.inputs, ...]; the rest is zero.
Value buildFromPhases(OpBuilder &b, Location loc, RankedTensorType type, const WindowAxis &rows,
                      const WindowAxis &columns, function_ref<Value(const WindowPhase &, const WindowPhase &)> emitPhase);

/// If `x` is `tensor.pad` of dimensions 1 and 2 by a constant, makes the axes those of its source, which is returned: the
/// adjoint of the padding is not needed. Else returns `x`.
Value skipPadding(Value x, WindowAxis &rows, WindowAxis &columns);

/// `x`, whose dimensions 1 and 2 are outputs, padded by `value` as the phases want it.
Value padForPhases(OpBuilder &b, Location loc, Value x, const WindowPhase &rows, const WindowPhase &columns,
                   double value);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_WINDOWADJOINT_H
