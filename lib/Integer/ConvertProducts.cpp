//===- ConvertProducts.cpp - integer products of two activations ------------===//
//
// acc = sum (q_a - z_a) (q_b - z_b), exact in i32, with both zero points as operands: neither factor is known before it
// runs, so none of this can be folded into a bias. Behind it y = f32(acc) * m, clamped and rounded where codes are
// wanted (rule A21).
//
//===----------------------------------------------------------------------===//
#include "CodeTensors.h"
#include "NamedContraction.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Integer/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTPRODUCTS
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct Match {
  linalg::BatchMatmulOp op;
  Dequantized left, right;
};
} // namespace

/// Whether a sum of so many products of logical values may leave an i32.
static bool mayOverflow(int64_t terms, const CodeFormat &left, const CodeFormat &right) {
  const int64_t largest = int64_t(left.largestLogicalValue()) * right.largestLogicalValue();
  return ShapedType::isDynamic(terms) || terms > std::numeric_limits<int32_t>::max() / std::max<int64_t>(largest, 1);
}

/// The match; nothing with `reason` empty if the operation has nothing to do with codes.
static std::optional<Match> match(linalg::BatchMatmulOp op, std::string &reason) {
  std::optional<Dequantized> left = matchDequantized(op.getInputs()[0]), right = matchDequantized(op.getInputs()[1]);
  if (!left && !right)
    return std::nullopt;
  const int64_t terms = cast<RankedTensorType>(op.getInputs()[0].getType()).getDimSize(2);
  if (!left || !right)
    reason = "only one of its factors is codes";
  else if (!startsAtZero(op))
    reason = "its sum does not start at zero";
  else if (mayOverflow(terms, left->format, right->format))
    reason = "its accumulator could overflow (rule A18)";
  if (!reason.empty())
    return std::nullopt;
  return Match{op, *left, *right};
}

static Value createAccumulator(OpBuilder &builder, const Match &match) {
  linalg::BatchMatmulOp op = match.op;
  Location loc = op.getLoc();
  SmallVector<Value> inputs{codesOf(builder, loc, match.left.quantized), codesOf(builder, loc, match.right.quantized),
                            emitInteger(builder, loc, match.left.format.zero), emitInteger(builder, loc, match.right.format.zero)};
  Value init = createFilled(builder, loc, sizesOf(builder, loc, op.getDpsInits()[0]), builder.getI32Type(), 0);
  return linalg::QuantizedBatchMatmulOp::create(builder, loc, TypeRange{init.getType()}, inputs, init).getResult(0);
}

/// The quantization that alone reads the product, if it has one scale.
static QuantizeOp findQuantize(Value product) {
  auto quantize = product.hasOneUse() ? dyn_cast<QuantizeOp>(*product.user_begin()) : QuantizeOp();
  return quantize && CodeFormat::get(quantize.getResult().getType()) ? quantize : QuantizeOp();
}

static void rewrite(IRRewriter &rewriter, const Match &match) {
  Location loc = match.op->getLoc();
  Value product = match.op->getResult(0);
  QuantizeOp quantize = findQuantize(product);
  std::optional<CodeFormat> output;
  if (quantize)
    output = CodeFormat::get(quantize.getResult().getType());
  const double scale = double(match.left.format.scale) * double(match.right.format.scale);
  const auto multiplier = static_cast<float>(output ? scale / double(output->scale) : scale);
  rewriter.setInsertionPoint(match.op);
  Value accumulator = createAccumulator(rewriter, match);
  Type element = output ? Type(rewriter.getI8Type()) : Type(rewriter.getF32Type());
  AffineMap identity = rewriter.getMultiDimIdentityMap(cast<RankedTensorType>(product.getType()).getRank());
  Value result = createElementwise(rewriter, loc, sizesOf(rewriter, loc, accumulator), element, accumulator, identity,
                                   [&](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
                                     Value real = arith::SIToFPOp::create(body, nested, body.getF32Type(), scalars[0]);
                                     Value y = arith::MulFOp::create(body, nested, real, emitFloat(body, nested, multiplier));
                                     return output ? emitCode(body, nested, y, Bounds(*output), output->zero) : y;
                                   });
  if (!output)
    return rewriter.replaceAllUsesWith(product, result);
  Type codes = getElementTypeOrSelf(quantize.getResult().getType());
  rewriter.replaceOp(quantize, quantizedFrom(rewriter, loc, result, codes));
}

namespace {
struct ConvertProducts : halftone::impl::ConvertProductsBase<ConvertProducts> {
  void runOnOperation() override {
    SmallVector<linalg::BatchMatmulOp> products;
    getOperation().walk([&](linalg::BatchMatmulOp op) {
      if (isNamedContraction(op) && getElementTypeOrSelf(op->getResult(0).getType()).isF32())
        products.push_back(op);
    });
    converted += rewriteMatches(getOperation(), products, match, rewrite);
  }
};
} // namespace
