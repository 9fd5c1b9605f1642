//===- StructuredAdjoint.cpp - any linalg operation, through its region -----===//
//
// An operation computes `y[out(i)] = combine over i of f(x1[m1(i)], x2[m2(i)], ...)`; combine is nothing (elementwise), a
// sum or a maximum. Then `dx1[j] = sum over i with m1(i) = j of dy[out(i)] * weight(i) * df/dx1`: the same loops, summed
// into the shape of x1, so a broadcast becomes a reduction and a reduction a broadcast. `weight` is 1, or for a maximum
// the share of each of the equal largest values.
//
//===----------------------------------------------------------------------===//
#include "Adjoints.h"
#include "ScalarAdjoint.h"
#include "TensorBuilding.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {

enum class Combine { None, Sum, Maximum };

/// The parts of an operation that can be differentiated.
struct Structured {
  linalg::LinalgOp op;
  Combine combine = Combine::None;
  Value term;                 ///< f: the scalar that is yielded or combined
  SmallVector<Value> inputs;  ///< tensors, one for each argument of the region
  SmallVector<AffineMap> maps;
  AffineMap out;
};

} // namespace

/// Fills `s.combine` and `s.term`; fails if the region does something else with its accumulator.
static LogicalResult readCombine(Structured &s) {
  Block *block = s.op.getBlock();
  Value yielded = block->getTerminator()->getOperand(0);
  BlockArgument accumulator = s.op.getRegionOutputArgs()[0];
  s.term = yielded;
  if (s.op.getNumReductionLoops() == 0)
    return success(); // an accumulator is one more input
  Operation *last = yielded.getDefiningOp();
  if (!last || !accumulator.hasOneUse() || *accumulator.user_begin() != last || last->getNumOperands() < 2)
    return failure();
  if (isa<arith::AddFOp>(last))
    s.combine = Combine::Sum;
  else if (isa<arith::MaximumFOp, arith::MaxNumFOp>(last))
    s.combine = Combine::Maximum;
  else
    return failure();
  s.term = last->getOperand(0) == accumulator ? last->getOperand(1) : last->getOperand(0);
  return success();
}

static FailureOr<Structured> readStructured(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || op->getNumResults() != 1 ||
      op.getBlock()->getNumArguments() != op->getNumOperands())
    return failure();
  Structured s;
  s.op = op;
  s.inputs.assign(op->operand_begin(), op->operand_end());
  s.maps = op.getIndexingMapsArray();
  s.out = s.maps.back();
  if (!s.out.isProjectedPermutation() || failed(readCombine(s)))
    return failure();
  return s;
}

/// `map` without constant results, and the shape of the tensor without them.
static AffineMap dropConstants(AffineMap map) {
  SmallVector<AffineExpr> results;
  llvm::copy_if(map.getResults(), std::back_inserter(results), llvm::IsaPred<AffineDimExpr>);
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

/// `dx` with the unit dimensions that constants in `map` stand for.
static Value restoreConstants(OpBuilder &b, Location loc, Value dx, AffineMap map, RankedTensorType type) {
  if (tensorType(dx).getRank() == type.getRank())
    return dx;
  // Each group has one dimension of `dx`; constants go with the one before them, leading ones with the first.
  SmallVector<ReassociationIndices> groups;
  bool complete = false;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    bool isDim = isa<AffineDimExpr>(expr);
    if (groups.empty() || (isDim && complete)) {
      groups.emplace_back();
      complete = false;
    }
    complete |= isDim;
    groups.back().push_back(i);
  }
  if (tensorType(dx).getRank() == 0)
    groups.clear();
  return tensor::ExpandShapeOp::create(b, loc, type, dx, groups);
}

/// For a maximum: how many of the terms of each result are equal to it.
static Value buildTieCount(OpBuilder &b, Location loc, Structured &s) {
  Summation sum = {s.op.getStaticLoopRanges(), s.inputs, s.maps, s.out};
  sum.inputs.push_back(s.op->getResult(0));
  sum.maps.push_back(s.out);
  return buildSum(b, loc, sum, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    IRMapping forward;
    forward.map(s.op.getBlock()->getArguments(), e.drop_back());
    for (Operation &op : s.op.getBlock()->without_terminator())
      n.clone(op, forward);
    Type element = e.back().getType();
    Value equal = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, forward.lookupOrDefault(s.term), e.back());
    return arith::SelectOp::create(n, l, equal, buildScalar(n, l, element, 1), buildScalar(n, l, element, 0));
  });
}

/// The adjoint of input `which`. The last input of the loops is y, and behind it come dy and the count of ties.
static Value buildInputAdjoint(OpBuilder &b, Location loc, Structured &s, unsigned which, ArrayRef<Value> extra) {
  Summation sum = {s.op.getStaticLoopRanges(), s.inputs, s.maps, dropConstants(s.maps[which])};
  sum.inputs.append(extra.begin(), extra.end());
  sum.maps.append(extra.size(), s.out);
  Block &body = *s.op.getBlock();
  unsigned arguments = body.getNumArguments();
  Value dx = buildSum(b, loc, sum, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value y = e[arguments], dy = e[arguments + 1];
    Value zero = buildScalar(n, l, dy.getType(), 0);
    Value known = s.combine == Combine::None ? y : Value();
    Value seed = s.combine == Combine::Maximum ? arith::DivFOp::create(n, l, dy, e[arguments + 2]).getResult() : dy;
    Value adjoint = emitScalarAdjoint(n, l, body, s.term, e.take_front(arguments), known, seed)[which];
    if (!adjoint)
      return zero;
    if (s.combine != Combine::Maximum)
      return adjoint;
    IRMapping forward;
    forward.map(body.getArguments(), e.take_front(arguments));
    for (Operation &op : body.without_terminator())
      n.clone(op, forward);
    Value equal = arith::CmpFOp::create(n, l, arith::CmpFPredicate::OEQ, forward.lookupOrDefault(s.term), y);
    return arith::SelectOp::create(n, l, equal, adjoint, zero);
  });
  return restoreConstants(b, loc, dx, s.maps[which], tensorType(s.inputs[which]));
}

/// Whether the loops can be summed into the operand's shape.
static bool isReadPlainly(AffineMap map) { return map.isProjectedPermutation(/*allowZeroInResults=*/true); }

LogicalResult mlir::halftone::differentiateStructured(Adjoints &adjoints, Operation *operation, Value dy, bool &known) {
  auto op = dyn_cast<linalg::LinalgOp>(operation);
  if (!op)
    return failure();
  known = true;
  Location loc = op.getLoc();
  FailureOr<Structured> s = readStructured(op);
  if (failed(s))
    return op.emitError("has no derivative: only elementwise operations, sums and maxima have");
  SmallVector<Operation *> unknown = findUnknownScalars(*op.getBlock(), s->term);
  for (Operation *scalar : unknown)
    scalar->emitError("has no derivative");
  if (!unknown.empty())
    return failure();
  unsigned accumulator = op->getNumOperands() - 1;
  SmallVector<Value> extra = {op->getResult(0), dy};
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (!adjoints.needs(operand))
      continue;
    if (i == accumulator && s->combine == Combine::Sum) {
      adjoints.add(loc, operand, dy);
      continue;
    }
    if (!isReadPlainly(s->maps[i]) || (i == accumulator && s->combine == Combine::Maximum))
      return op.emitError("has no derivative for operand ") << i << ", which it does not read element by element";
    if (s->combine == Combine::Maximum && extra.size() == 2)
      extra.push_back(buildTieCount(adjoints.b, loc, *s));
    adjoints.add(loc, operand, buildInputAdjoint(adjoints.b, loc, *s, i, extra));
  }
  return success();
}
