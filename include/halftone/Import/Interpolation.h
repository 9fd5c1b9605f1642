//===- Interpolation.h - pictures between their rows and columns --------------===//
#ifndef HALFTONE_IMPORT_INTERPOLATION_H
#define HALFTONE_IMPORT_INTERPOLATION_H

#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/Sequence.h"

namespace mlir::halftone {

/// A picture of the rows (`axis` 0) or columns (1) that are listed, and of all of the other axis.
inline Value pickAlong(OpBuilder &builder, Location loc, Value x, int64_t axis, ArrayRef<int64_t> sources, bool channelsLast) {
  ArrayRef<int64_t> sizes = cast<RankedTensorType>(x.getType()).getShape().drop_front(channelsLast ? 1 : 2);
  auto all = [](int64_t size) { return llvm::to_vector(llvm::seq<int64_t>(0, size)); };
  ResizeNearest resize{all(sizes[0]), all(sizes[1]), channelsLast};
  (axis == 0 ? resize.rows : resize.columns).assign(sources.begin(), sources.end());
  return buildResizeNearest(builder, loc, x, resize);
}

/// `low + weight (high - low)` of three scalars in this order: low, high, weight.
inline Value interpolateBetween(OpBuilder &builder, Location loc, ValueRange scalars) {
  Value difference = arith::SubFOp::create(builder, loc, scalars[1], scalars[0]);
  return arith::AddFOp::create(builder, loc, scalars[0], arith::MulFOp::create(builder, loc, scalars[2], difference));
}

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_INTERPOLATION_H
