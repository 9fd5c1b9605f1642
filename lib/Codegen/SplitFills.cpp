//===- SplitFills.cpp - one filled tensor for each destination --------------===//
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SPLITFILLS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct SplitFills : halftone::impl::SplitFillsBase<SplitFills> {
  void runOnOperation() override {
    SmallVector<linalg::FillOp> fills;
    getOperation().walk([&](linalg::FillOp fill) { fills.push_back(fill); });
    for (linalg::FillOp fill : fills)
      if (fill->getNumResults() == 1 && !fill->hasOneUse() && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
        split(fill);
  }

  /// Readers share the old fill with one of the operations that write into it, if there are no others.
  void split(linalg::FillOp fill) {
    SmallVector<OpOperand *> destinations;
    bool isRead = false;
    for (OpOperand &use : fill->getUses()) {
      auto user = dyn_cast<DestinationStyleOpInterface>(use.getOwner());
      if (user && user.isDpsInit(&use) && user->getBlock() == fill->getBlock())
        destinations.push_back(&use);
      else
        isRead = true;
    }
    llvm::sort(destinations, [](OpOperand *a, OpOperand *b) { return a->getOwner()->isBeforeInBlock(b->getOwner()); });
    for (OpOperand *use : ArrayRef(destinations).drop_front(isRead || destinations.empty() ? 0 : 1)) {
      OpBuilder builder(use->getOwner());
      Operation *empty = builder.clone(*fill.getOutputs()[0].getDefiningOp());
      Operation *copy = builder.clone(*fill);
      cast<linalg::FillOp>(copy).getOutputsMutable()[0].set(empty->getResult(0));
      use->set(copy->getResult(0));
      ++numSplit;
    }
  }
};

} // namespace
