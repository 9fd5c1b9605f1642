//===- RecognizeMatmul.cpp - products of one matrix -------------------------===//
//
// Front ends whose products all have a batch write a layer with constant weights as a batch of one.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct BatchOfOne : OpRewritePattern<linalg::BatchMatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::BatchMatmulOp op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!type || type.getDimSize(0) != 1 || !isConstant(op.getInputs()[1]) || op.hasUserDefinedMaps() || !startsAtZero(op))
      return failure();
    Location loc = op.getLoc();
    SmallVector<ReassociationIndices> groups = {{0, 1}, {2}};
    auto matrix = [&](Value value) -> Value { return tensor::CollapseShapeOp::create(rewriter, loc, value, groups); };
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(rewriter, loc, op.getOutputs()[0]);
    Value init = buildZeros(rewriter, loc, ArrayRef(sizes).drop_front(), type.getElementType());
    auto product = linalg::MatmulOp::create(rewriter, loc, init.getType(), ValueRange{matrix(op.getInputs()[0]), matrix(op.getInputs()[1])}, init);
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, type, product->getResult(0), groups, sizes);
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeMatmul(RewritePatternSet &patterns) { patterns.add<BatchOfOne>(patterns.getContext()); }
