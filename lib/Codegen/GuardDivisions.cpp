//===- GuardDivisions.cpp - integer divisions that are defined everywhere ----===//
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_GUARDDIVISIONS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether a constant divisor is none of those that are guarded.
static bool isHarmless(Value divisor) {
  APInt value;
  return matchPattern(divisor, m_ConstantInt(&value)) && !value.isZero() && !value.isAllOnes();
}

static Value constantOf(OpBuilder &b, Location loc, Type type, int64_t value) {
  return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
}

/// Replaces `op` by the same with 1 for a divisor of 0 or, where it is signed, of -1. Remainders are 0 then, as they are to be.
static void guard(OpBuilder &b, Operation *op, bool isSigned, bool isQuotient) {
  Location loc = op->getLoc();
  Value dividend = op->getOperand(0), divisor = op->getOperand(1);
  Type type = divisor.getType();
  auto equals = [&](int64_t number) -> Value {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, divisor, constantOf(b, loc, type, number));
  };
  b.setInsertionPoint(op);
  Value isZero = equals(0), isOther = isSigned ? equals(-1) : Value(), one = constantOf(b, loc, type, 1);
  Value isGuarded = isOther ? arith::OrIOp::create(b, loc, isZero, isOther) : isZero;
  Value guarded = arith::SelectOp::create(b, loc, isGuarded, one, divisor);
  Operation *division = b.clone(*op);
  division->setOperand(1, guarded);
  Value result = division->getResult(0);
  if (isQuotient) {
    Value zero = constantOf(b, loc, type, 0);
    if (isOther)
      result = arith::SelectOp::create(b, loc, isOther, arith::SubIOp::create(b, loc, zero, dividend), result);
    result = arith::SelectOp::create(b, loc, isZero, zero, result);
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

namespace {
struct GuardDivisions : halftone::impl::GuardDivisionsBase<GuardDivisions> {
  void runOnOperation() override {
    SmallVector<Operation *> divisions;
    getOperation().walk([&](Operation *op) {
      if (isa<arith::DivSIOp, arith::RemSIOp, arith::DivUIOp, arith::RemUIOp>(op) && isa<IntegerType>(op->getResult(0).getType()) &&
          !isHarmless(op->getOperand(1)))
        divisions.push_back(op);
    });
    OpBuilder builder(&getContext());
    for (Operation *op : divisions) {
      guard(builder, op, isa<arith::DivSIOp, arith::RemSIOp>(op), isa<arith::DivSIOp, arith::DivUIOp>(op));
      ++guarded;
    }
  }
};
} // namespace
