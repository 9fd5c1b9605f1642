//===- FuseElementwise.cpp - elementwise operations that become one ---------===//
//
// Each operation is a pass over memory. What one computes element by element for another alone is computed there.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Operations of more than this in a body need more registers than there are.
static constexpr size_t kMostOperations = 64;

static bool isParallel(linalg::GenericOp op) { return op && op.getNumParallelLoops() == op.getNumLoops(); }

/// Whether what defines the operand is elementwise, and computed for this operation alone, once for each of its elements.
static bool computesOnce(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!isParallel(producer) || !isParallel(consumer) || !producer->hasOneUse() || producer.hasIndexSemantics() || consumer.hasIndexSemantics())
    return false;
  return consumer.getMatchingIndexingMap(operand).isPermutation() && producer.getNumDpsInputs() > 0 &&
         producer.getBody()->getOperations().size() + consumer.getBody()->getOperations().size() <= kMostOperations;
}

namespace {

struct FuseElementwise : halftone::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateElementwiseOpsFusionPatterns(patterns, [&](OpOperand *operand) {
      const bool fuses = computesOnce(operand);
      numFused += fuses;
      return fuses;
    });
    // Reshapes that undo one another would keep operations apart.
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
