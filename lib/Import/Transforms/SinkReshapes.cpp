//===- SinkReshapes.cpp - a matrix product's rows are split behind its tail ---===//
//
// A product of more than two dimensions is a product of matrices, whose rows are split again behind it. What is computed
// elementwise from its result (bias, activation, residual addition) is computed on the matrix, and split behind that:
// so it is the product's tail, as everywhere else, and no border between the two where values would be rounded.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SINKRESHAPES
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether the value is a matrix product, or computed elementwise from one.
static bool followsProduct(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  if (isa<linalg::MatmulOp>(op))
    return true;
  OpKind kind = classify(op);
  return (kind == OpKind::Elementwise || kind == OpKind::Unary) && llvm::any_of(op->getOperands(), [&](Value operand) {
           return operand.getType() == value.getType() && followsProduct(operand);
         });
}

/// The operation that splits only the rows of such a matrix, or null.
static tensor::ExpandShapeOp findSplit(Value value) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  bool ofRows = expand && expand.getSrcType().getRank() == 2 && expand.getReassociationIndices().back().size() == 1;
  return ofRows && followsProduct(expand.getSrc()) ? expand : tensor::ExpandShapeOp();
}

namespace {
/// function(expand_shape x) -> expand_shape(function x).
struct SinkBehindComposite : OpRewritePattern<CompositeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompositeOp op, PatternRewriter &rewriter) const override {
    tensor::ExpandShapeOp expand = op.getInputs().empty() ? tensor::ExpandShapeOp() : findSplit(op.getInputs()[0]);
    if (!expand || classify(op) != OpKind::Unary)
      return rewriter.notifyMatchFailure(op, "no function of a matrix product's split rows");
    Value result = buildUnary(rewriter, op.getLoc(), op.getName(), expand.getSrc(), op.getParameters());
    if (!result)
      return rewriter.notifyMatchFailure(op, "no known function");
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, expand.getResultType(), result, expand.getReassociationIndices(),
                                                       expand.getMixedOutputShape());
    return success();
  }
};

/// dim(expand_shape x) -> the size that the expansion was given. Else sizes would keep it alive, as a reader of the tail.
struct ReadGivenSize : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto expand = op.getSource().getDefiningOp<tensor::ExpandShapeOp>();
    std::optional<int64_t> index = op.getConstantIndex();
    if (!expand || !index || *index >= expand.getResultType().getRank())
      return rewriter.notifyMatchFailure(op, "no known dimension of an expansion");
    OpFoldResult size = expand.getMixedOutputShape()[*index];
    rewriter.replaceOp(op, getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), size));
    return success();
  }
};

struct SinkReshapes : halftone::impl::SinkReshapesBase<SinkReshapes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns, [](OpOperand *operand) {
      return classify(operand->getOwner()) != OpKind::Other && findSplit(operand->get());
    });
    patterns.add<SinkBehindComposite, ReadGivenSize>(&getContext());
    // What the next operand is split by meets what this one joins.
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns); // initial tensors are no views of others
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
