//===- LowerLookups.cpp - lookups to scalar loops ---------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERLOOKUPS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// output = table[code + 128], one element at a time.
static void lowerLookup(LookupOp op) {
  OpBuilder builder(op);
  int64_t rank = cast<MemRefType>(op.getOutput().getType()).getRank();
  AffineMap identity = builder.getMultiDimIdentityMap(rank);
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  linalg::GenericOp::create(builder, op.getLoc(), ValueRange{op.getInput()}, ValueRange{op.getOutput()},
                            ArrayRef<AffineMap>{identity, identity}, iterators,
                            [&](OpBuilder &b, Location loc, ValueRange arguments) {
                              Value code = arith::IndexCastOp::create(b, loc, b.getIndexType(), arguments[0]);
                              Value middle = arith::ConstantIndexOp::create(b, loc, 128);
                              Value index = arith::AddIOp::create(b, loc, code, middle);
                              Value entry = memref::LoadOp::create(b, loc, op.getTable(), index);
                              linalg::YieldOp::create(b, loc, entry);
                            });
  op.erase();
}

namespace {

struct LowerLookups : halftone::impl::LowerLookupsBase<LowerLookups> {
  void runOnOperation() override {
    SmallVector<LookupOp> lookups;
    getOperation().walk([&](LookupOp op) { lookups.push_back(op); });
    for (LookupOp op : lookups) {
      if (!isa<MemRefType>(op.getOutput().getType())) {
        op.emitOpError("needs memrefs; run bufferization first");
        return signalPassFailure();
      }
      lowerLookup(op);
    }
  }
};

} // namespace
