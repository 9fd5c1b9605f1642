//===- ScalarAdjoint.cpp - the derivative of a scalar region ----------------===//
//
// The region is computed again, then walked backwards: each operation gives its operands the adjoint of its result
// times its partial derivatives. What nothing reads in the end is erased by the caller.
//
//===----------------------------------------------------------------------===//
#include "ScalarAdjoint.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// One operation of the region: its value again, and what its operands get.
class Partials {
public:
  Partials(OpBuilder &b, Location loc, Operation &op, IRMapping &forward, Value g)
      : b(b), loc(loc), op(op), forward(forward), g(g) {}

  /// The adjoints of the operands, null where there is none; nothing for an operation without a rule.
  std::optional<SmallVector<Value>> emit();

private:
  Value operand(unsigned i) { return forward.lookupOrDefault(op.getOperand(i)); }
  Value result() { return forward.lookup(op.getResult(0)); }
  Value constant(double value) {
    return arith::ConstantOp::create(b, loc, b.getFloatAttr(op.getResult(0).getType(), value));
  }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value neg(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value where(arith::CmpFPredicate predicate, Value x, Value y, Value then, Value otherwise) {
    Value condition = arith::CmpFOp::create(b, loc, predicate, x, y);
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  }
  bool isConstant(unsigned i) {
    Value value = op.getOperand(i);
    return value.getParentBlock() != op.getBlock() || matchPattern(value, m_Constant());
  }
  /// For a maximum (`greater`) or a minimum.
  SmallVector<Value> emitExtremum(bool greater);
  SmallVector<Value> emitPower();

  OpBuilder &b;
  Location loc;
  Operation &op;
  IRMapping &forward;
  Value g;
};

} // namespace

SmallVector<Value> Partials::emitExtremum(bool greater) {
  auto predicate = greater ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT;
  Value zero = constant(0);
  // Against a constant the result tells as much as the operand, and it is the value that is stored.
  if (isConstant(1))
    return {where(predicate, result(), operand(1), g, zero), Value()};
  if (isConstant(0))
    return {Value(), where(predicate, result(), operand(0), g, zero)};
  return {where(predicate, operand(0), operand(1), g, zero), where(predicate, operand(0), operand(1), zero, g)};
}

SmallVector<Value> Partials::emitPower() {
  Value lower = math::PowFOp::create(b, loc, operand(0), arith::SubFOp::create(b, loc, operand(1), constant(1)));
  Value base = mul(g, mul(operand(1), lower));
  if (isConstant(1))
    return {base, Value()};
  return {base, mul(g, mul(result(), math::LogOp::create(b, loc, operand(0))))};
}

std::optional<SmallVector<Value>> Partials::emit() {
  using List = SmallVector<Value>;
  using Maybe = std::optional<SmallVector<Value>>;
  return TypeSwitch<Operation *, Maybe>(&op)
      .Case([&](arith::AddFOp) { return List{g, g}; })
      .Case([&](arith::SubFOp) { return List{g, neg(g)}; })
      .Case([&](arith::MulFOp) { return List{mul(g, operand(1)), mul(g, operand(0))}; })
      .Case([&](arith::DivFOp) {
        Value quotient = div(g, operand(1));
        return List{quotient, neg(mul(quotient, result()))};
      })
      .Case([&](arith::NegFOp) { return List{neg(g)}; })
      .Case([&](math::FmaOp) { return List{mul(g, operand(1)), mul(g, operand(0)), g}; })
      .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](auto) { return emitExtremum(true); })
      .Case<arith::MinimumFOp, arith::MinNumFOp>([&](auto) { return emitExtremum(false); })
      .Case([&](arith::SelectOp) {
        Value zero = constant(0);
        return List{Value(), arith::SelectOp::create(b, loc, operand(0), g, zero),
                    arith::SelectOp::create(b, loc, operand(0), zero, g)};
      })
      .Case([&](math::AbsFOp) {
        Value zero = constant(0);
        Value falling = where(arith::CmpFPredicate::OLT, operand(0), zero, neg(g), zero);
        return List{where(arith::CmpFPredicate::OGT, operand(0), zero, g, falling)};
      })
      .Case([&](math::SqrtOp) { return List{div(mul(g, constant(0.5)), result())}; })
      .Case([&](math::RsqrtOp) { return List{mul(mul(g, constant(-0.5)), div(result(), operand(0)))}; })
      .Case([&](math::ExpOp) { return List{mul(g, result())}; })
      .Case([&](math::ExpM1Op) { return List{mul(g, arith::AddFOp::create(b, loc, result(), constant(1)))}; })
      .Case([&](math::LogOp) { return List{div(g, operand(0))}; })
      .Case([&](math::Log1pOp) { return List{div(g, arith::AddFOp::create(b, loc, operand(0), constant(1)))}; })
      .Case([&](math::TanhOp) {
        return List{mul(g, arith::SubFOp::create(b, loc, constant(1), mul(result(), result())))};
      })
      .Case([&](math::ErfOp) {
        Value bell = math::ExpOp::create(b, loc, neg(mul(operand(0), operand(0))));
        return List{mul(g, mul(constant(1.1283791670955126), bell))}; // 2 / sqrt(pi)
      })
      .Case([&](math::SinOp) { return List{mul(g, math::CosOp::create(b, loc, operand(0)))}; })
      .Case([&](math::CosOp) { return List{neg(mul(g, math::SinOp::create(b, loc, operand(0))))}; })
      .Case([&](math::PowFOp) { return emitPower(); })
      .Case<math::RoundEvenOp, math::RoundOp>([&](auto) { return List{g}; })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](Operation *cast) {
        bool wide = isa<arith::ExtFOp>(cast);
        Type type = cast->getOperand(0).getType();
        return List{wide ? Value(arith::TruncFOp::create(b, loc, type, g)) : Value(arith::ExtFOp::create(b, loc, type, g))};
      })
      .Default([](Operation *) { return std::nullopt; });
}

/// Whether gradients end here: integers, comparisons, and floats that come from them.
static bool isStepwise(Operation &op) {
  auto isReal = [](Type type) { return isa<FloatType>(type); };
  return !isReal(op.getResult(0).getType()) || llvm::none_of(op.getOperandTypes(), isReal) ||
         isa<math::FloorOp, math::CeilOp, math::TruncOp>(op);
}

SmallVector<Value> mlir::halftone::emitScalarAdjoint(OpBuilder &b, Location loc, Block &body, Value yielded,
                                                     ValueRange values, Value result, Value seed) {
  IRMapping forward;
  forward.map(body.getArguments(), values);
  for (Operation &op : body.without_terminator()) {
    b.clone(op, forward);
    if (result && op.getResult(0) == yielded)
      forward.map(yielded, result);
  }
  DenseMap<Value, Value> adjoints = {{yielded, seed}};
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    Value g = adjoints.lookup(op.getResult(0));
    if (!g || isStepwise(op))
      continue;
    std::optional<SmallVector<Value>> partials = Partials(b, loc, op, forward, g).emit();
    for (auto [operand, partial] : llvm::zip(op.getOperands(), partials.value_or(SmallVector<Value>())))
      if (partial && operand.getParentBlock() == &body) {
        Value &sum = adjoints[operand];
        sum = sum ? arith::AddFOp::create(b, loc, sum, partial).getResult() : partial;
      }
  }
  return llvm::map_to_vector(body.getArguments(), [&](BlockArgument argument) { return adjoints.lookup(argument); });
}

SmallVector<Operation *> mlir::halftone::findUnknownScalars(Block &body, Value yielded) {
  DenseSet<Value> varies(body.args_begin(), body.args_end()), needed = {yielded};
  for (Operation &op : body.without_terminator())
    if (llvm::any_of(op.getOperands(), [&](Value operand) { return varies.contains(operand); }))
      varies.insert(op.getResult(0));
  SmallVector<Operation *> unknown;
  Block scratch;
  for (Operation &op : llvm::reverse(body.without_terminator())) {
    // A float's bits, as in a logarithm's polynomial: what is made of them depends on the float, but not by arithmetic.
    if (isa<arith::BitcastOp>(op) && isa<FloatType>(op.getOperand(0).getType()) && varies.contains(op.getOperand(0)))
      unknown.push_back(&op);
    if (!needed.contains(op.getResult(0)) || !varies.contains(op.getResult(0)) || isStepwise(op))
      continue;
    needed.insert(op.operand_begin(), op.operand_end());
    OpBuilder b(op.getContext());
    b.setInsertionPointToEnd(&scratch);
    IRMapping itself;
    itself.map(op.getResult(0), op.getResult(0));
    if (!Partials(b, op.getLoc(), op, itself, op.getResult(0)).emit())
      unknown.push_back(&op);
  }
  while (!scratch.empty())
    scratch.back().erase();
  return unknown;
}
