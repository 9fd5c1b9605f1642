//===- Composites.h - makes halftone.composite operations -------------------===//
//
// One builder for each composite, shared by everything that makes one: the importer, the recognizers and the layout
// pass, which rebuilds a composite with another axis or channel position. A builder makes the operation, its
// parameters and its linalg body; the parameters hold all that is needed to build it again. Any dimension that a
// composite does not slide over or reduce may be dynamic.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_DIALECT_HALFTONE_IR_COMPOSITES_H
#define HALFTONE_DIALECT_HALFTONE_IR_COMPOSITES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

/// The window of an `avg_pool` over the two spatial dimensions (height, width) of a tensor of rank 4.
struct AvgPool {
  SmallVector<int64_t, 2> kernel;
  SmallVector<int64_t, 2> strides = {1, 1};
  SmallVector<int64_t, 2> dilations = {1, 1};
  SmallVector<int64_t, 4> pads = {0, 0, 0, 0}; ///< top, left, bottom, right; all >= 0
  SmallVector<int64_t, 2> overhang = {0, 0};   ///< rows, columns that windows reach beyond the pads (ceil_mode)
  bool countIncludePad = false;                ///< whether pads count in the divisor; the overhang never does
  bool channelsLast = false;                   ///< NHWC, else NCHW

  DictionaryAttr getParameters(Builder &builder) const;
  static AvgPool fromParameters(DictionaryAttr parameters);
};

/// The source row and column of each output row and column of a nearest-neighbour `resize` of a tensor of rank 4.
struct ResizeNearest {
  SmallVector<int64_t> rows;
  SmallVector<int64_t> columns;
  bool channelsLast = false; ///< NHWC, else NCHW

  DictionaryAttr getParameters(Builder &builder) const;
  static ResizeNearest fromParameters(DictionaryAttr parameters);
};

/// An elementwise composite of one f32 operand, any shape. Names and their f32 parameters: `sigmoid`, `tanh`, `exp`,
/// `sqrt`, `silu` (x sigmoid(x)), `gelu` (with erf; with the string parameter `approximate = "tanh"`, the tanh form),
/// `hard_swish` (x clamp(x/6 + 1/2, 0, 1)), `hard_sigmoid` (clamp(alpha x + beta, 0, 1)), `leaky_relu` (alpha x for
/// x < 0). Null for a name that is not one of these, or without its parameters.
Value buildUnary(OpBuilder &builder, Location loc, StringRef name, Value x, DictionaryAttr parameters = {});

/// The mean over a sliding window of `x` of rank 4 with static spatial dimensions.
Value buildAvgPool(OpBuilder &builder, Location loc, Value x, const AvgPool &pool);

/// `(x - mean) / sqrt(variance + epsilon) * scale + bias` along `axis`; the four statistics are rank-1 tensors.
Value buildBatchNorm(OpBuilder &builder, Location loc, Value x, Value scale, Value bias, Value mean, Value variance,
                     float epsilon, int64_t axis);

/// The elementwise composite or `batch_norm` over dimension 1 that `op` is, of `x` in the place of its first operand: a tensor of another shape
/// with the same elements. Null for other composites.
Value rebuildFunction(OpBuilder &builder, CompositeOp op, Value x);

/// `exp(x - max) / sum(exp(x - max))` along `axis` (0 <= axis < rank).
Value buildSoftmax(OpBuilder &builder, Location loc, Value x, int64_t axis);

/// `gather`: the slices of `x` along `axis` at integer `indices` of any shape, which takes the place of the axis. Negative indices count
/// from the end; what is outside is taken as the nearest slice. The axis is static; a dynamic dimension leads.
Value buildGather(OpBuilder &builder, Location loc, Value x, Value indices, int64_t axis);

/// Which of equally extreme elements counts.
struct ArgumentRule {
  bool greatest, last;
};

/// `arg_max`, `arg_min`: the i64 index of the extreme of f32 or signed `x` along the static `axis`, which the result does not have.
Value buildArgument(OpBuilder &builder, Location loc, Value x, int64_t axis, ArgumentRule rule);

/// Picks rows and columns of `x` of rank 4: data movement, for any element type.
Value buildResizeNearest(OpBuilder &builder, Location loc, Value x, const ResizeNearest &resize);

} // namespace mlir::halftone

#endif // HALFTONE_DIALECT_HALFTONE_IR_COMPOSITES_H
