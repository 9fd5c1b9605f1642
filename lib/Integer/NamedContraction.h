//===- NamedContraction.h - the contractions that this stage knows --------===//
#ifndef HALFTONE_LIB_INTEGER_NAMEDCONTRACTION_H
#define HALFTONE_LIB_INTEGER_NAMEDCONTRACTION_H

#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {

/// Whether it is a named convolution or matrix product that has an integer
/// form.
bool isNamedContraction(linalg::LinalgOp op);

/// The named contractions with an f32 result.
SmallVector<linalg::LinalgOp> findFloatContractions(Operation *root);

/// `value` collapsed as the contraction's result was, if it was.
Value collapseAlike(OpBuilder &builder, Location loc, Value value,
                    tensor::CollapseShapeOp collapse);

/// The same named contraction on other types.
Value rebuildContraction(OpBuilder &builder, linalg::LinalgOp op,
                         ValueRange inputs, Value init);

template <typename T>
Value createConstant(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                     Type element, const std::vector<T> &values,
                     StringRef name) {
  auto type = RankedTensorType::get(shape, element);
  return arith::ConstantOp::create(
      builder, loc, makeConstant<T>(type, ArrayRef<T>(values), name));
}

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_NAMEDCONTRACTION_H
