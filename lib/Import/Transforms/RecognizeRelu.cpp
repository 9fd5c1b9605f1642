//===- RecognizeRelu.cpp - compare and select to maximumf -------------------===//
#include "halftone/Import/Recognize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// `select(x ugt 0, x, 0)`: NaN stays NaN, as in maximumf.
struct SelectToMaximum : OpRewritePattern<arith::SelectOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SelectOp op, PatternRewriter &rewriter) const override {
    auto compare = op.getCondition().getDefiningOp<arith::CmpFOp>();
    if (!compare || compare.getPredicate() != arith::CmpFPredicate::UGT || compare.getLhs() != op.getTrueValue() ||
        compare.getRhs() != op.getFalseValue() || !matchPattern(compare.getRhs(), m_PosZeroFloat()))
      return failure();
    rewriter.replaceOpWithNewOp<arith::MaximumFOp>(op, op.getTrueValue(), op.getFalseValue());
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeRelu(RewritePatternSet &patterns) {
  patterns.add<SelectToMaximum>(patterns.getContext());
}
