//===- FuseMultiplyAdd.cpp - one rounding per step of a float contraction
//---===//
//
// Rule A16: a float contraction is one chain acc = fma(a, b, acc) per output,
// indices ascending.
//
//===----------------------------------------------------------------------===//
#include "halftone/Integer/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_FUSEMULTIPLYADD
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;

/// The sum that the operation yields if it adds a product, which nothing else
/// reads, to its accumulator.
static arith::AddFOp matchSum(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0 || op.getNumDpsInits() != 1)
    return {};
  auto sum = op.getBlock()
                 ->getTerminator()
                 ->getOperand(0)
                 .getDefiningOp<arith::AddFOp>();
  Value accumulator = op.getRegionOutputArgs()[0];
  if (!sum || (sum.getLhs() != accumulator && sum.getRhs() != accumulator))
    return {};
  Value product = sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs();
  return product.getDefiningOp<arith::MulFOp>() && product.hasOneUse()
             ? sum
             : arith::AddFOp();
}

static LogicalResult fuse(RewriterBase &rewriter, linalg::LinalgOp op) {
  rewriter.setInsertionPoint(op);
  if (!isa<linalg::GenericOp>(op.getOperation())) {
    FailureOr<linalg::GenericOp> generic =
        linalg::generalizeNamedOp(rewriter, op);
    if (failed(generic))
      return op->emitError("can't be written as a generic operation");
    op = *generic;
  }
  arith::AddFOp sum = matchSum(op);
  Value accumulator = op.getRegionOutputArgs()[0];
  auto product = (sum.getLhs() == accumulator ? sum.getRhs() : sum.getLhs())
                     .getDefiningOp<arith::MulFOp>();
  rewriter.setInsertionPoint(sum);
  rewriter.replaceOpWithNewOp<math::FmaOp>(sum, product.getLhs(),
                                           product.getRhs(), accumulator);
  rewriter.eraseOp(product);
  return success();
}

namespace {
struct FuseMultiplyAdd : halftone::impl::FuseMultiplyAddBase<FuseMultiplyAdd> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> contractions;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (matchSum(op))
        contractions.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : contractions) {
      if (failed(fuse(rewriter, op)))
        return signalPassFailure();
      ++fused;
    }
  }
};
} // namespace
