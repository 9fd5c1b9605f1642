//===- FoldConstantMovement.cpp - parts, transposes, reshapes of constants -----===//
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/StridedIndices.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;
using namespace mlir::halftone;

static LogicalResult replaceByConstant(PatternRewriter &rewriter, Operation *op, ArrayRef<float> elements) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  rewriter.replaceOpWithNewOp<arith::ConstantOp>(op, makeConstant<float>(type, elements, "constant"));
  return success();
}

namespace {
struct FoldTranspose : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto elements = getConstantElements<float>(op.getInput());
    auto type = dyn_cast<RankedTensorType>(op.getInput().getType());
    if (!elements || !type || op->getNumResults() != 1)
      return failure();
    return replaceByConstant(rewriter, op, transposeElements<float>(*elements, type.getShape(), op.getPermutation()));
  }
};

/// A part of a constant, as the filters of a group where a front end writes a convolution for each.
struct FoldSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    auto elements = getConstantElements<float>(op.getSource());
    bool isStatic = !ShapedType::isDynamicShape(op.getStaticOffsets()) && !ShapedType::isDynamicShape(op.getStaticSizes()) &&
                    !ShapedType::isDynamicShape(op.getStaticStrides());
    if (!elements || !isStatic)
      return failure();
    SmallVector<int64_t> strides = computeStrides(op.getSourceType().getShape());
    int64_t start = 0;
    for (auto [stride, offset, step] : llvm::zip_equal(strides, op.getStaticOffsets(), op.getStaticStrides())) {
      start += offset * stride;
      stride *= step;
    }
    std::vector<float> part;
    for (int64_t place : stridedIndices<int64_t>(op.getStaticSizes(), strides, start))
      part.push_back((*elements)[place]);
    return replaceByConstant(rewriter, op, part);
  }
};

/// A reshape keeps the row-major order of the elements.
template <typename OpTy>
struct FoldReshape : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    auto elements = getConstantElements<float>(op.getSrc());
    if (!elements || !op.getResultType().hasStaticShape())
      return failure();
    return replaceByConstant(rewriter, op, *elements);
  }
};
} // namespace

void mlir::halftone::populateFoldConstantMovement(RewritePatternSet &patterns) {
  patterns.add<FoldTranspose, FoldSlice, FoldReshape<tensor::ExpandShapeOp>, FoldReshape<tensor::CollapseShapeOp>>(
      patterns.getContext());
}
