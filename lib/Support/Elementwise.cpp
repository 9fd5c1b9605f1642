//===- Elementwise.cpp - makes elementwise generics -------------------------===//
#include "halftone/Support/Elementwise.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

Value mlir::halftone::buildElementwise(OpBuilder &builder, Location loc, ValueRange inputs, ArrayRef<AffineMap> maps,
                                       ArrayRef<OpFoldResult> sizes, Type element, ElementBuilder build) {
  Value init = tensor::EmptyOp::create(builder, loc, sizes, element);
  AffineMap identity = builder.getMultiDimIdentityMap(sizes.size());
  SmallVector<AffineMap> allMaps(maps);
  if (maps.empty())
    allMaps.assign(inputs.size(), identity);
  allMaps.push_back(identity);
  SmallVector<utils::IteratorType> iterators(sizes.size(), utils::IteratorType::parallel);
  return linalg::GenericOp::create(builder, loc, init.getType(), inputs, init, allMaps, iterators,
                                   [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
                                     Value result = build(nested, nestedLoc, arguments.drop_back());
                                     linalg::YieldOp::create(nested, nestedLoc, result);
                                   })
      .getResult(0);
}

Value mlir::halftone::buildZeros(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes, Type element) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

Value mlir::halftone::scaleChannels(OpBuilder &builder, Value value, ArrayRef<float> factors) {
  Location loc = value.getLoc();
  const int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  auto type = RankedTensorType::get({static_cast<int64_t>(factors.size())}, builder.getF32Type());
  AffineMap identity = builder.getMultiDimIdentityMap(rank), last = identity.getSliceMap(rank - 1, 1);
  SmallVector<Value> inputs{value, arith::ConstantOp::create(builder, loc, makeConstant<float>(type, factors, "factor"))};
  return buildElementwise(builder, loc, inputs, {identity, last}, tensor::getMixedSizes(builder, loc, value), builder.getF32Type(),
                          [](OpBuilder &body, Location nested, ValueRange x) -> Value { return arith::MulFOp::create(body, nested, x[0], x[1]); });
}
