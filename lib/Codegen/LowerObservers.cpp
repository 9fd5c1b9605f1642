//===- LowerObservers.cpp - observers to loops ------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWEROBSERVERS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Adds 1 to the counter of the value's upper 16 bits.
static void count(OpBuilder &builder, Location loc, ObserveOp op, Value row, Value value) {
  Value bits = arith::BitcastOp::create(builder, loc, builder.getI32Type(), value);
  Value sixteen = arith::ConstantIntOp::create(builder, loc, 16, 32);
  Value prefix = arith::ShRUIOp::create(builder, loc, bits, sixteen);
  Value bin = arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), prefix);
  Value old = memref::LoadOp::create(builder, loc, op.getCounts(), ValueRange{row, bin});
  Value one = arith::ConstantIntOp::create(builder, loc, 1, 64);
  Value more = arith::AddIOp::create(builder, loc, old, one);
  memref::StoreOp::create(builder, loc, more, op.getCounts(), ValueRange{row, bin});
}

/// Keeps the value if it is beyond the extremum; ordered comparisons are false for NaN.
static void extend(OpBuilder &builder, Location loc, ObserveOp op, Value row, Value value, int64_t column,
                   arith::CmpFPredicate beyond) {
  Value at = arith::ConstantIndexOp::create(builder, loc, column);
  Value old = memref::LoadOp::create(builder, loc, op.getExtrema(), ValueRange{row, at});
  Value better = arith::CmpFOp::create(builder, loc, beyond, value, old);
  Value kept = arith::SelectOp::create(builder, loc, better, value, old);
  memref::StoreOp::create(builder, loc, kept, op.getExtrema(), ValueRange{row, at});
}

static void lowerObserver(ObserveOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  auto type = cast<MemRefType>(op.getInput().getType());
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  Value row = arith::ConstantIndexOp::create(builder, loc, op.getIndex());
  SmallVector<Value> lower(type.getRank(), zero), upper, steps(type.getRank(), one);
  for (int64_t i = 0; i < type.getRank(); ++i)
    upper.push_back(memref::DimOp::create(builder, loc, op.getInput(), i));
  scf::buildLoopNest(builder, loc, lower, upper, steps, [&](OpBuilder &body, Location where, ValueRange indices) {
    Value value = memref::LoadOp::create(body, where, op.getInput(), indices);
    count(body, where, op, row, value);
    extend(body, where, op, row, value, 0, arith::CmpFPredicate::OLT);
    extend(body, where, op, row, value, 1, arith::CmpFPredicate::OGT);
  });
  op.erase();
}

namespace {

struct LowerObservers : halftone::impl::LowerObserversBase<LowerObservers> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([](ObserveOp op) {
      if (!isa<MemRefType>(op.getInput().getType())) {
        op.emitOpError("must be bufferized before it is lowered");
        return WalkResult::interrupt();
      }
      lowerObserver(op);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
