//===- Adjoints.cpp - the gradient of a scalar with regard to every value ---===//
#include "Adjoints.h"
#include "TensorBuilding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::halftone;

void Adjoints::add(Location loc, Value value, Value contribution) {
  if (!needs(value))
    return;
  Value &sum = sums[value];
  if (!sum) {
    sum = contribution;
    return;
  }
  RankedTensorType type = tensorType(value);
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(b.getContext(), type.getShape());
  sum = buildElementwise(b, loc, {sum, contribution}, {}, sizes, type.getElementType(),
                         [](OpBuilder &n, Location l, ValueRange e) -> Value {
                           return arith::AddFOp::create(n, l, e[0], e[1]);
                         });
}
