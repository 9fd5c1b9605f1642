//===- RecognizeAvgPool.cpp - the avg_pool composite ------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Recognize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mlir::halftone;

/// The operand of a sum over the last two dimensions of an NCHW tensor that keeps them with extent 1.
static Value matchPlaneSum(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumLoops() != 4 || op.getNumReductionLoops() != 2 || op.getNumDpsInputs() != 1 ||
      !startsAtZero(op) || !op.getIndexingMapsArray()[0].isIdentity())
    return {};
  SmallVector<unsigned> reductions;
  op.getReductionDims(reductions);
  auto type = dyn_cast<RankedTensorType>(value.getType());
  bool keeps = type && type.getRank() == 4 && type.getDimSize(2) == 1 && type.getDimSize(3) == 1;
  bool adds = op.getBody()->getOperations().size() == 2 && isa<arith::AddFOp>(op.getBody()->front());
  return keeps && adds && reductions == SmallVector<unsigned>{2, 3} ? op.getInputs()[0] : Value();
}

/// The operand of a summing pool without dilation, and its window.
static Value matchSumPool(Value value, AvgPool &pool) {
  auto op = value.getDefiningOp<linalg::PoolingNchwSumOp>();
  if (!op || !startsAtZero(op))
    return {};
  auto window = cast<RankedTensorType>(op.getInputs()[1].getType());
  pool.kernel.assign(window.getShape().begin(), window.getShape().end());
  pool.strides.assign(op.getStrides().getValues<int64_t>().begin(), op.getStrides().getValues<int64_t>().end());
  bool dilated = llvm::any_of(op.getDilations().getValues<int64_t>(), [](int64_t d) { return d != 1; });
  return dilated ? Value() : op.getInputs()[0];
}

namespace {
struct SumOverCount : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    // The body of the composite itself has this form.
    if (op->getParentOfType<CompositeOp>())
      return failure();
    auto division = matchScalarOperation(op.getResult(0), "arith.divf");
    if (!division)
      return failure();
    AvgPool pool;
    Value x = matchPlaneSum(division->first);
    if (x) {
      auto shape = cast<RankedTensorType>(x.getType()).getShape();
      pool.kernel.assign({shape[2], shape[3]});
    } else {
      x = matchSumPool(division->first, pool);
    }
    if (!x || ShapedType::isDynamic(pool.kernel[0]) || ShapedType::isDynamic(pool.kernel[1]) ||
        double(pool.kernel[0] * pool.kernel[1]) != division->second)
      return failure();
    rewriter.replaceOp(op, buildAvgPool(rewriter, op.getLoc(), x, pool));
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeAvgPool(RewritePatternSet &patterns) {
  patterns.add<SumOverCount>(patterns.getContext());
}
