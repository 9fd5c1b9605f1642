//===- TopK.cpp - ONNX's TopK ---------------------------------------------===//
//
// The rank of an element is the number of those that come before it: the better ones, and equal ones at lower indices. All ranks
// differ, so the result at rank r is the one element that has it: the sum of what has it. Both are reductions over pairs of positions, of n n and k n steps.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Operators.h"
#include "Reduction.h"
#include "Window.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

namespace {
/// Reductions over one more dimension than a tensor has, which is last: the axis, read for each position of the result.
class Pairs {
public:
  Pairs(Node &node, const Tensor &x, int64_t axis) : node(node), b(node.builder), rank(x.rank()), axis(axis) {}

  AffineMap own() const { return b.getMultiDimIdentityMap(rank + 1).dropResult(rank); }
  AffineMap ownPosition() const { return AffineMap::get(rank + 1, 0, b.getAffineDimExpr(axis)); }
  AffineMap readPosition() const { return AffineMap::get(rank + 1, 0, b.getAffineDimExpr(rank)); }
  AffineMap read() const { return readLines(b, rank, axis); }

  /// 0, 1, 2, ... as data, so that the reduction is a vector kernel.
  Value positions(int64_t count) const {
    return node.materialize(HostTensor::fromIntegers(b.getI32Type(), count, llvm::to_vector(llvm::seq<int64_t>(0, count))));
  }

  Value reduce(ArrayRef<int64_t> shape, Value start, ValueRange inputs, ArrayRef<AffineMap> maps,
               function_ref<Value(OpBuilder &, Location, ValueRange)> build) const {
    Value init = makeFilled(node, shape, inputs[0], start);
    SmallVector<AffineMap> all(maps);
    all.push_back(own());
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    iterators.push_back(utils::IteratorType::reduction);
    auto body = [&](OpBuilder &n, Location l, ValueRange e) { linalg::YieldOp::create(n, l, build(n, l, e)); };
    return linalg::GenericOp::create(b, node.loc, init.getType(), inputs, init, all, iterators, body).getResult(0);
  }

private:
  Node &node;
  OpBuilder &b;
  int64_t rank, axis;
};
} // namespace

/// Whether `x` comes before `y`: it is greater (or less, if the least are wanted), or equal at a lower index.
static Value comesBefore(OpBuilder &b, Location l, Value x, Value xAt, Value y, Value yAt, bool greatest) {
  auto lower = [&](Value i, Value j) -> Value { return arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, i, j); };
  Value better, equal;
  if (isa<FloatType>(x.getType())) {
    better = arith::CmpFOp::create(b, l, greatest ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT, x, y);
    equal = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, x, y);
  } else {
    better = greatest ? lower(y, x) : lower(x, y);
    equal = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, x, y);
  }
  return arith::OrIOp::create(b, l, better, arith::AndIOp::create(b, l, equal, lower(xAt, yAt)));
}

LogicalResult onnx_operators::buildTopK(Node &node) {
  const Tensor x = node.input(0);
  HostTensorRef count = node.constant(1);
  const bool greatest = node.getInt("largest", 1);
  (void)node.getInt("sorted", 1); // sorted in either case
  const int64_t axis = fromStart(node.getInt("axis", -1), x.rank());
  const int64_t k = count && count->count() == 1 ? static_cast<int64_t>(count->scalar()) : 0;
  if (!(x.element.isF32() || (isa<IntegerType>(x.element) && !x.element.isUnsignedInteger())) || axis < 0 || axis >= x.rank())
    return node.unsupported("an element type that is not f32 or signed, or an axis outside the rank");
  if (ShapedType::isDynamic(x.shape[axis]) || k < 1 || k > x.shape[axis])
    return node.unsupported("a k that is not constant, or not from 1 to the size of the axis");
  OpBuilder &b = node.builder;
  Type place = b.getI32Type();
  Pairs pairs(node, x, axis);
  Value value = node.operand(0), all = pairs.positions(x.shape[axis]), zero = scalarConstant(b, node.loc, place, 0);
  Value ranks = pairs.reduce(x.shape, zero, {value, value, all, all}, {pairs.own(), pairs.read(), pairs.ownPosition(), pairs.readPosition()},
                             [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                               Value before = comesBefore(n, l, e[1], e[3], e[0], e[2], greatest);
                               return arith::AddIOp::create(n, l, e[4], arith::ExtUIOp::create(n, l, place, before));
                             });
  SmallVector<int64_t> shape(x.shape);
  shape[axis] = k;
  auto chosen = [&](Value of, AffineMap map, Type element) {
    return pairs.reduce(shape, scalarConstant(b, node.loc, element, 0), {ranks, pairs.positions(k), of}, {pairs.read(), pairs.ownPosition(), map},
                        [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                          Value here = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, e[0], e[1]);
                          Value term = arith::SelectOp::create(n, l, here, e[2], scalarConstant(n, l, element, 0));
                          if (isa<FloatType>(element))
                            return arith::AddFOp::create(n, l, e[3], term);
                          return arith::AddIOp::create(n, l, e[3], term);
                        });
  };
  node.setResult(chosen(value, pairs.read(), x.element));
  if (!node.hasResult(1))
    return success();
  Tensor index = toTensor(chosen(all, pairs.readPosition(), place));
  node.setResult(buildBroadcast(node, index, b.getI64Type(), [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::ExtSIOp::create(n, l, n.getI64Type(), e[0]);
  }), {}, 1);
  return success();
}
