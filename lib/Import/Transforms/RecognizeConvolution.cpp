//===- RecognizeConvolution.cpp - channels-last forms with other weights ----===//
//
// TOSA stores filters first (FHWC), and a depthwise convolution with a multiplier as H x W x C x M, whose result has both C and M.
// The entry form knows HWCF, HWC and groups.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

static Value transpose(PatternRewriter &rewriter, Location loc, Value value, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape = llvm::map_to_vector(permutation, [&](int64_t d) { return type.getDimSize(d); });
  Value empty = tensor::EmptyOp::create(rewriter, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(rewriter, loc, value, empty, permutation)->getResult(0);
}

/// The type with one dimension more behind the last, or with the last two as one.
static RankedTensorType withLast(RankedTensorType type, ArrayRef<int64_t> last) {
  SmallVector<int64_t> shape(type.getShape().take_front(3));
  llvm::append_range(shape, last);
  return RankedTensorType::get(shape, type.getElementType());
}

static const SmallVector<ReassociationIndices> kSplitChannels = {{0}, {1}, {2}, {3, 4}};

namespace {
struct FiltersLast : OpRewritePattern<linalg::Conv2DNhwcFhwcOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::Conv2DNhwcFhwcOp op, PatternRewriter &rewriter) const override {
    if (!isConstant(op.getInputs()[1]))
      return failure();
    Value weights = transpose(rewriter, op.getLoc(), op.getInputs()[1], {1, 2, 3, 0});
    rewriter.replaceOpWithNewOp<linalg::Conv2DNhwcHwcfOp>(op, op.getResultTypes(), ValueRange{op.getInputs()[0], weights}, op.getOutputs(),
                                                          op.getStrides(), op.getDilations());
    return success();
  }
};

struct DepthwiseMultiplier : OpRewritePattern<linalg::DepthwiseConv2DNhwcHwcmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::DepthwiseConv2DNhwcHwcmOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!type || !isConstant(op.getInputs()[1]) || !startsAtZero(op))
      return failure();
    return type.getDimSize(4) == 1 ? toDepthwise(op, type, rewriter) : toGroups(op, type, rewriter);
  }

private:
  LogicalResult toDepthwise(linalg::DepthwiseConv2DNhwcHwcmOp op, RankedTensorType type, PatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Value weights = tensor::CollapseShapeOp::create(rewriter, loc, op.getInputs()[1], SmallVector<ReassociationIndices>{{0}, {1}, {2, 3}});
    auto flat = withLast(type, type.getDimSize(3));
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getOutputs()[0]);
    Value init = buildZeros(rewriter, loc, ArrayRef(sizes).drop_back(), type.getElementType());
    Value result = linalg::DepthwiseConv2DNhwcHwcOp::create(rewriter, loc, flat, ValueRange{op.getInputs()[0], weights}, init, op.getStrides(),
                                                            op.getDilations())
                       .getResult(0);
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, type, result, kSplitChannels, sizes);
    return success();
  }

  /// Each channel is a group with as many filters as the multiplier says.
  LogicalResult toGroups(linalg::DepthwiseConv2DNhwcHwcmOp op, RankedTensorType type, PatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Value x = op.getInputs()[0], weights = transpose(rewriter, loc, op.getInputs()[1], {2, 3, 0, 1});
    auto weightType = cast<RankedTensorType>(weights.getType());
    SmallVector<int64_t> shape(weightType.getShape());
    shape.push_back(1);
    weights = tensor::ExpandShapeOp::create(rewriter, loc, RankedTensorType::get(shape, weightType.getElementType()), weights,
                                            SmallVector<ReassociationIndices>{{0}, {1}, {2}, {3, 4}});
    auto xType = cast<RankedTensorType>(x.getType());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, x);
    sizes.push_back(rewriter.getIndexAttr(1));
    x = tensor::ExpandShapeOp::create(rewriter, loc, withLast(xType, {xType.getDimSize(3), 1}), x, kSplitChannels, sizes);
    rewriter.replaceOpWithNewOp<linalg::Conv2DNhwgcGfhwcOp>(op, type, ValueRange{x, weights}, op.getOutputs(), op.getStrides(), op.getDilations());
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeConvolution(RewritePatternSet &patterns) {
  patterns.add<FiltersLast, DepthwiseMultiplier>(patterns.getContext());
}
