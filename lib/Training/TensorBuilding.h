//===- TensorBuilding.h - the tensors that gradients are made of ------------===//
//
// All shapes are static.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_TRAINING_TENSORBUILDING_H
#define HALFTONE_LIB_TRAINING_TENSORBUILDING_H

#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {

inline RankedTensorType tensorType(Value value) { return cast<RankedTensorType>(value.getType()); }

Value buildScalar(OpBuilder &b, Location loc, Type element, double value);
Value buildZeros(OpBuilder &b, Location loc, RankedTensorType type);

/// `x` with a border of `value`; negative widths cut off instead.
Value buildPad(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> low, ArrayRef<int64_t> high, double value);

/// A constant of `type` (float elements).
Value buildConstant(OpBuilder &b, Location loc, RankedTensorType type, ArrayRef<double> values);

Value buildTranspose(OpBuilder &b, Location loc, Value x, ArrayRef<int64_t> permutation);

/// A sum over a loop nest: `result[out(i)] = sum of term(inputs[map(i)])`. `maps` go from all loops to the inputs, `out` is
/// a projected permutation of the loops; those that it leaves out are summed over. Inputs that `term` does not use are
/// dropped, and a copy of an input is that input.
///
/// Long sums are cut into a number of partial sums that depends on the extents only, which are then added in order: the
/// result does not depend on threads, chains stay short (less rounding), and there is work for every thread.
struct Summation {
  SmallVector<int64_t> extents;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  AffineMap out;
};
Value buildSum(OpBuilder &b, Location loc, const Summation &sum, ElementBuilder term);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_TENSORBUILDING_H
