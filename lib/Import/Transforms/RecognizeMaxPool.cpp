//===- RecognizeMaxPool.cpp - padding that no maximum sees ------------------===//
//
// TOSA's lowering and others pad a max pool with the least finite number of its type, and start with it. No range of codes has it; the entry form has
// -inf there, which integers know for what only maxima read.
//
//===----------------------------------------------------------------------===//
#include "halftone/Import/Recognize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

/// Whether the scalar is the least finite number of f32, bf16 or f16.
static bool isLowest(Value scalar) {
  APFloat number(0.0f);
  if (!scalar || !scalar.getType().isF32() || !matchPattern(scalar, m_ConstantFloat(&number)))
    return false;
  auto isLowestOf = [&](const llvm::fltSemantics *type) {
    return APFloat::getLargest(*type, /*Negative=*/true).convertToFloat() == number.convertToFloat();
  };
  return llvm::any_of(ArrayRef<const llvm::fltSemantics *>{&APFloat::IEEEsingle(), &APFloat::BFloat(), &APFloat::IEEEhalf()}, isLowestOf);
}

static Value buildInfinity(PatternRewriter &rewriter, Location loc) {
  FloatType type = rewriter.getF32Type();
  return arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(type, APFloat::getInf(type.getFloatSemantics(), /*Negative=*/true)));
}

/// Whether the operation reads the value for maxima only: as the input or the start of a max pool.
static bool takesMaxima(Operation *op) { return isa<linalg::PoolingNhwcMaxOp, linalg::PoolingNchwMaxOp>(op); }

namespace {
struct PadOfMaxima : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    Value number = op.getConstantPaddingValue();
    if (!isLowest(number) || !llvm::all_of(op->getUsers(), takesMaxima))
      return failure();
    Value infinity = buildInfinity(rewriter, op.getLoc());
    Operation *yield = op.getBody()->getTerminator();
    rewriter.modifyOpInPlace(yield, [&] { yield->setOperand(0, infinity); });
    return success();
  }
};

struct StartOfMaxima : OpRewritePattern<linalg::FillOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::FillOp op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || !isLowest(op.getInputs()[0]) || !llvm::all_of(op->getUsers(), takesMaxima))
      return failure();
    Value infinity = buildInfinity(rewriter, op.getLoc());
    rewriter.modifyOpInPlace(op, [&] { op.getInputsMutable()[0].set(infinity); });
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeMaxPool(RewritePatternSet &patterns) { patterns.add<PadOfMaxima, StartOfMaxima>(patterns.getContext()); }
