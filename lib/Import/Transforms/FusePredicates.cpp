//===- FusePredicates.cpp - comparisons move to what selects by them --------===//
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FUSEPREDICATES
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The operand that an elementwise operation computes as i1, for another one.
static OpOperand *findPredicate(linalg::GenericOp consumer) {
  for (OpOperand *operand : consumer.getDpsInputOperands()) {
    auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
    if (producer && getElementTypeOrSelf(operand->get().getType()).isInteger(1) && linalg::areElementwiseOpsFusable(operand))
      return operand;
  }
  return nullptr;
}

/// Fuses the predicates of `consumer` until there are none, and gives the operation that it has become. What others read, too, is
/// computed once more.
static linalg::GenericOp fusePredicates(IRRewriter &rewriter, linalg::GenericOp consumer) {
  while (OpOperand *operand = consumer ? findPredicate(consumer) : nullptr) {
    Operation *producer = operand->get().getDefiningOp();
    rewriter.setInsertionPoint(consumer);
    Operation *own = rewriter.clone(*producer);
    rewriter.modifyOpInPlace(consumer, [&] { operand->set(own->getResult(cast<OpResult>(operand->get()).getResultNumber())); });
    FailureOr<linalg::ElementwiseOpFusionResult> result = linalg::fuseElementwiseOps(rewriter, operand);
    if (failed(result)) {
      rewriter.modifyOpInPlace(consumer, [&] { operand->set(producer->getResult(0)); });
      rewriter.eraseOp(own);
      break;
    }
    for (auto [origin, replacement] : result->replacements)
      if (origin.getDefiningOp() == consumer)
        rewriter.replaceAllUsesWith(origin, replacement);
    rewriter.eraseOp(consumer);
    rewriter.eraseOp(own);
    consumer = dyn_cast<linalg::GenericOp>(result->fusedOp);
  }
  return consumer;
}

namespace {
struct FusePredicatesPass : halftone::impl::FusePredicatesBase<FusePredicatesPass> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> generics;
    getOperation()->walk([&](linalg::GenericOp op) { generics.push_back(op); });
    SmallVector<Operation *> changed;
    for (linalg::GenericOp op : generics) // producers first, so that chains of predicates end up in one operation
      if (findPredicate(op))
        changed.push_back(fusePredicates(rewriter, op));
    fused += changed.size();
    // What both read is one operand again.
    RewritePatternSet patterns(&getContext());
    linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingOps);
    if (failed(applyOpPatternsGreedily(changed, std::move(patterns), config)))
      signalPassFailure();
  }
};
} // namespace
