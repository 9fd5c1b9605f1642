//===- Elementwise.cpp - makes elementwise generics -------------------------===//
#include "halftone/Support/Elementwise.h"
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
