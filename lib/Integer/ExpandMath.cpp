//===- ExpandMath.cpp - transcendental functions as polynomials -------------===//
//
// The polynomials are upstream's but for the error function's, of which this pass fixes the choice: no
// reduced-precision instruction, no folding on the way (a folder would call the
// host's library), and an error for what remains.
//
//===----------------------------------------------------------------------===//
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPANDMATH
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Exact by IEEE 754, and an instruction of every target: these stay.
static bool isExact(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::CeilOp, math::CopySignOp,
             math::CountLeadingZerosOp, math::CountTrailingZerosOp,
             math::CtPopOp, math::FloorOp, math::FmaOp, math::IsFiniteOp,
             math::IsInfOp, math::IsNaNOp, math::IsNormalOp, math::RoundEvenOp,
             math::SqrtOp, math::TruncOp>(op);
}

/// Functions that are written by means of others (pow by exp and log, for
/// example).
static constexpr StringRef kComposed[] = {
    "sinh", "cosh",  "tan",   "asinh", "acosh", "atanh", "exp2",
    "powf", "fpowi", "ipowi", "rsqrt", "round", "clampf"};

/// The polynomial with these coefficients, from the constant term on.
static Value emitPolynomial(OpBuilder &b, Location loc, Value x, ArrayRef<float> coefficients) {
  auto constant = [&](float value) { return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value)); };
  Value sum = constant(coefficients.back());
  for (float coefficient : llvm::reverse(coefficients.drop_back()))
    sum = math::FmaOp::create(b, loc, sum, x, constant(coefficient));
  return sum;
}

namespace {
/// erf(x) = x P(x^2) / Q(x^2), where x is held within the last argument whose error function is not 1 in f32. One range, so that
/// vectors choose no coefficients (upstream has four). The coefficients are of a fit of the least relative error (1.4e-8) by
/// reweighted least squares; in f32 the result is within 6 units of its last place. NaN stays NaN.
struct ExpandErf : OpRewritePattern<math::ErfOp> {
  ExpandErf(MLIRContext *context) : OpRewritePattern(context, /*benefit=*/2) {}
  LogicalResult matchAndRewrite(math::ErfOp op, PatternRewriter &rewriter) const override {
    static constexpr float kBound = 3.8325f;
    static constexpr float kNumerator[] = {1.1283791065216064f,   0.18730787932872772f,  0.052418485283851624f,
                                           0.003652737708762288f, 2.859433297999203e-4f, 2.123141484844382e-06f};
    static constexpr float kDenominator[] = {1.0f,
                                             0.49933019280433655f,
                                             0.11290032416582108f,
                                             0.014742464758455753f,
                                             0.0011417041532695293f,
                                             3.8898382626939565e-05f};
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not f32");
    Location loc = op.getLoc();
    Value x = op.getOperand();
    auto hold = [&](arith::CmpFPredicate isBeyond, float bound) {
      Value limit = arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(bound));
      x = arith::SelectOp::create(rewriter, loc, arith::CmpFOp::create(rewriter, loc, isBeyond, x, limit), limit, x);
    };
    hold(arith::CmpFPredicate::OGT, kBound);
    hold(arith::CmpFPredicate::OLT, -kBound);
    Value square = arith::MulFOp::create(rewriter, loc, x, x);
    Value numerator = arith::MulFOp::create(rewriter, loc, x, emitPolynomial(rewriter, loc, square, kNumerator));
    rewriter.replaceOpWithNewOp<arith::DivFOp>(op, numerator, emitPolynomial(rewriter, loc, square, kDenominator));
    return success();
  }
};

struct ExpandMath : halftone::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      expanded += isa<math::MathDialect>(op->getDialect()) && !isExact(op);
    });
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandErf>(&getContext());
    math::populateExpansionPatterns(patterns, kComposed);
    populateMathPolynomialApproximationPatterns(patterns,
                                                [](StringRef) { return true; });
    GreedyRewriteConfig config;
    config.enableFolding(false).enableConstantCSE(false);
    if (failed(applyToEnd(getOperation(), std::move(patterns), config)))
      return signalPassFailure();
    getOperation()->walk([&](Operation *op) {
      if (!isa<math::MathDialect>(op->getDialect()) || isExact(op))
        return;
      op->emitError("has no polynomial for ")
          << op->getResult(0).getType() << " (rule A15)";
      signalPassFailure();
    });
  }
};
} // namespace
