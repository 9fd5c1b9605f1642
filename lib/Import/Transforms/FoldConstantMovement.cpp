//===- FoldConstantMovement.cpp - transposes and reshapes of constants ------===//
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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
  patterns.add<FoldTranspose, FoldReshape<tensor::ExpandShapeOp>, FoldReshape<tensor::CollapseShapeOp>>(
      patterns.getContext());
}
