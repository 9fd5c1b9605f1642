//===- InlineComposites.cpp - composites to their bodies --------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_INLINECOMPOSITES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct InlineComposites : halftone::impl::InlineCompositesBase<InlineComposites> {
  void runOnOperation() override {
    SmallVector<CompositeOp> composites;
    // Outer composites first: an inner one is inlined in its new place.
    getOperation().walk<WalkOrder::PreOrder>([&](CompositeOp op) { composites.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (CompositeOp op : composites)
      inlineComposite(rewriter, op);
    numInlined += composites.size();
  }

  static void inlineComposite(IRRewriter &rewriter, CompositeOp op) {
    Block &body = op.getBody().front();
    auto yield = cast<YieldOp>(body.getTerminator());
    SmallVector<Value> results(yield.getValues());
    rewriter.eraseOp(yield);
    // A yielded argument is replaced by its operand.
    for (Value &result : results)
      if (auto argument = dyn_cast<BlockArgument>(result); argument && argument.getOwner() == &body)
        result = op.getInputs()[argument.getArgNumber()];
    rewriter.inlineBlockBefore(&body, op, op.getInputs());
    rewriter.replaceOp(op, results);
  }
};

} // namespace
