//===- SinkDepths.cpp - depths of 3-D convolutions stay in the batch behind them -===//
//
// A convolution over depth, height and width is one over height and width whose batch has all depths (lib/Import/ONNX/Convolution.cpp). Behind it the
// depths are split from the batch and moved behind the channels. What is computed from the result element by element (activation, residual
// addition) is computed before that: so it is the convolution's tail, as everywhere else.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SINKDEPTHS
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// N x D x C x H x W as N x C x D x H x W.
static constexpr int64_t kDepthsBehind[] = {0, 2, 1, 3, 4};

/// The split of the depths, (N D) x C x H x W as N x D x C x H x W, in front of the transposition that makes `value`, or null. A single depth may be
/// split from any dimension.
static tensor::ExpandShapeOp findSplit(Value value) {
  auto transpose = value.getDefiningOp<linalg::TransposeOp>();
  if (!transpose || transpose.getPermutation() != ArrayRef(kDepthsBehind))
    return {};
  auto expand = transpose.getInput().getDefiningOp<tensor::ExpandShapeOp>();
  const bool splits = expand && expand.getSrcType().getRank() == 4 &&
                      expand.getSrcType().getShape().drop_front(1) == expand.getResultType().getShape().drop_front(2);
  return splits ? expand : tensor::ExpandShapeOp();
}

/// Replaces an operation on N x C x D x H x W by `inner` on (N D) x C x H x W, split as `split` is.
static void replaceBy(PatternRewriter &rewriter, Operation *op, Value inner, tensor::ExpandShapeOp split) {
  Location loc = op->getLoc();
  Type element = getElementTypeOrSelf(inner.getType());
  auto expanded = tensor::ExpandShapeOp::create(rewriter, loc, split.getResultType().clone(element), inner, split.getReassociationIndices(),
                                                split.getMixedOutputShape());
  SmallVector<OpFoldResult> sizes = split.getMixedOutputShape();
  std::swap(sizes[1], sizes[2]);
  Value empty = tensor::EmptyOp::create(rewriter, loc, sizes, element);
  rewriter.replaceOpWithNewOp<linalg::TransposeOp>(op, expanded, empty, kDepthsBehind);
}

/// A map of (n, c, d, h, w) as one of (nd, c, h, w); nothing if it names the batch or the depth.
static std::optional<AffineMap> withoutDepths(AffineMap map) {
  if (map.isFunctionOfDim(0) || map.isFunctionOfDim(2))
    return std::nullopt;
  MLIRContext *context = map.getContext();
  auto dim = [&](unsigned i) { return getAffineDimExpr(i, context); };
  return map.replaceDimsAndSymbols({dim(0), dim(1), dim(0), dim(2), dim(3)}, {}, 4, 0);
}

namespace {
/// function(depths behind x) -> depths behind (function x), and batch_norm, whose channels stay where they are.
struct SinkBehindFunction : OpRewritePattern<CompositeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompositeOp op, PatternRewriter &rewriter) const override {
    tensor::ExpandShapeOp split = op.getInputs().empty() ? tensor::ExpandShapeOp() : findSplit(op.getInputs()[0]);
    if (!split)
      return rewriter.notifyMatchFailure(op, "no depths were moved in front of it");
    Value result = rebuildFunction(rewriter, op, split.getSrc());
    if (!result)
      return rewriter.notifyMatchFailure(op, "no function of one tensor");
    replaceBy(rewriter, op, result, split);
    return success();
  }
};

/// The same of elementwise operations, all of whose tensors have their depths moved or belong to channels, heights and widths.
struct SinkBehindElements : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    const OpKind kind = classify(op);
    if ((kind != OpKind::Elementwise && kind != OpKind::Unary) || op.getNumLoops() != 5 || !op.getIndexingMapsArray().back().isIdentity())
      return rewriter.notifyMatchFailure(op, "not elementwise over five dimensions");
    tensor::ExpandShapeOp split;
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      tensor::ExpandShapeOp found = map.isIdentity() ? findSplit(operand->get()) : tensor::ExpandShapeOp();
      std::optional<AffineMap> plane = found ? rewriter.getMultiDimIdentityMap(4) : withoutDepths(map);
      if (!plane)
        return rewriter.notifyMatchFailure(op, "a tensor with depths in their place");
      split = split ? split : found;
      inputs.push_back(found ? found.getSrc() : operand->get());
      maps.push_back(*plane);
    }
    if (!split)
      return rewriter.notifyMatchFailure(op, "no depths were moved in front of it");
    maps.push_back(rewriter.getMultiDimIdentityMap(4));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, op.getLoc(), split.getSrc());
    Value empty = tensor::EmptyOp::create(rewriter, op.getLoc(), sizes, getElementTypeOrSelf(op.getResult(0).getType()));
    SmallVector<utils::IteratorType> iterators(4, utils::IteratorType::parallel);
    auto made = linalg::GenericOp::create(rewriter, op.getLoc(), empty.getType(), inputs, empty, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), made.getRegion(), made.getRegion().begin());
    replaceBy(rewriter, op, made.getResult(0), split);
    return success();
  }
};

struct SinkDepths : halftone::impl::SinkDepthsBase<SinkDepths> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SinkBehindFunction, SinkBehindElements>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
