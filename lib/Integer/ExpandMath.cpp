//===- ExpandMath.cpp - transcendental functions as polynomials
//-------------===//
//
// The polynomials are upstream's, of which this pass fixes the choice: no
// reduced-precision instruction, no folding on the way (a folder would call the
// host's library), and an error for what remains.
//
//===----------------------------------------------------------------------===//
#include "halftone/Integer/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPANDMATH
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;

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

namespace {
struct ExpandMath : halftone::impl::ExpandMathBase<ExpandMath> {
  void runOnOperation() override {
    getOperation()->walk([&](Operation *op) {
      expanded += isa<math::MathDialect>(op->getDialect()) && !isExact(op);
    });
    RewritePatternSet patterns(&getContext());
    math::populateExpansionPatterns(patterns, kComposed);
    populateMathPolynomialApproximationPatterns(patterns,
                                                [](StringRef) { return true; });
    GreedyRewriteConfig config;
    config.enableFolding(false).enableConstantCSE(false);
    if (failed(
            applyPatternsGreedily(getOperation(), std::move(patterns), config)))
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
