//===- RecognizeBatchNorm.cpp - the batch_norm composite --------------------===//
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Recognize.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

static linalg::GenericOp elementwiseOf(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  return op && op.getNumParallelLoops() == op.getNumLoops() ? op : linalg::GenericOp();
}

std::optional<ChannelOperation> mlir::halftone::matchChannelOperation(Value value, StringRef name, bool commutative) {
  linalg::GenericOp op = elementwiseOf(value);
  if (!op || op.getNumDpsInputs() != 2 || op.getBody()->getOperations().size() != 2 ||
      op.getBody()->front().getName().getStringRef() != name)
    return std::nullopt;
  Operation &body = op.getBody()->front();
  if (body.getOperand(0) == body.getOperand(1) || body.getOperand(0).getParentBlock() != op.getBody())
    return std::nullopt;
  for (unsigned i : {1u, 0u}) {
    AffineMap map = op.getIndexingMapsArray()[i];
    bool isRight = body.getOperand(1) == op.getBody()->getArgument(i);
    if (map.getNumResults() != 1 || !op.getIndexingMapsArray()[1 - i].isIdentity() || !(isRight || commutative))
      continue;
    if (auto dim = dyn_cast<AffineDimExpr>(map.getResult(0)))
      return ChannelOperation{op.getInputs()[1 - i], op.getInputs()[i], int64_t(dim.getPosition())};
  }
  return std::nullopt;
}

/// The value that a scalar has in the body: a constant, perhaps rounded from f64.
static std::optional<double> constantValue(Value value) {
  if (auto truncate = value.getDefiningOp<arith::TruncFOp>()) {
    std::optional<double> wide = constantValue(truncate.getIn());
    return wide ? std::optional<double>(float(*wide)) : std::nullopt;
  }
  FloatAttr attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  return attribute.getValueAsDouble();
}

std::optional<std::pair<Value, double>> mlir::halftone::matchScalarOperation(Value value, StringRef name) {
  linalg::GenericOp op = elementwiseOf(value);
  if (!op || op.getNumDpsInputs() != 1)
    return std::nullopt;
  Operation *body = op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  if (!body || body->getName().getStringRef() != name || body->getNumOperands() != 2 ||
      body->getOperand(0) != op.getBody()->getArgument(0))
    return std::nullopt;
  std::optional<double> constant = constantValue(body->getOperand(1));
  if (!constant)
    return std::nullopt;
  return std::make_pair(op.getInputs()[0], *constant);
}

/// The operand of an all-parallel generic of one input that yields `1 / x` or `sqrt(x)`.
static Value matchReciprocal(Value value) {
  linalg::GenericOp op = elementwiseOf(value);
  if (!op || op.getNumDpsInputs() != 1)
    return {};
  auto divide = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::DivFOp>();
  bool isReciprocal = divide && matchPattern(divide.getLhs(), m_OneFloat()) && divide.getRhs() == op.getBody()->getArgument(0);
  return isReciprocal ? op.getInputs()[0] : Value();
}

static Value matchSquareRoot(Value value) {
  linalg::GenericOp op = elementwiseOf(value);
  if (!op || op.getNumDpsInputs() != 1)
    return {};
  auto root = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<math::SqrtOp>();
  return root && root.getOperand() == op.getBody()->getArgument(0) ? op.getInputs()[0] : Value();
}

/// Through reshapes that add extents of 1.
static Value skipExpansion(Value value) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  return expand && expand.getSrcType().getRank() == 1 ? expand.getSrc() : value;
}

namespace {
/// `1 / sqrt(variance + epsilon)`.
struct Deviation {
  Value variance;
  double epsilon;
};

/// The channel operands may still be C x 1 x 1 while they are computed: read them through their expansion.
struct FoldBatchNormChain : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  static std::optional<Deviation> matchDeviation(Value value) {
    Value root = matchReciprocal(value);
    Value sum = root ? matchSquareRoot(root) : Value();
    auto shifted = sum ? matchScalarOperation(sum, "arith.addf") : std::nullopt;
    if (!shifted)
      return std::nullopt;
    return Deviation{shifted->first, shifted->second};
  }

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    auto add = matchChannelOperation(op.getResult(0), "arith.addf", true);
    auto scale = add ? matchChannelOperation(add->other, "arith.mulf", true) : std::nullopt;
    auto divide = scale ? matchChannelOperation(scale->other, "arith.mulf", true) : std::nullopt;
    auto subtract = divide ? matchChannelOperation(divide->other, "arith.subf", false) : std::nullopt;
    if (!subtract)
      return failure();
    int64_t axis = subtract->axis;
    if (add->axis != axis || scale->axis != axis || divide->axis != axis)
      return failure();
    std::optional<Deviation> deviation = matchDeviation(divide->channel);
    if (!deviation)
      return failure();
    Value made = buildBatchNorm(rewriter, op.getLoc(), subtract->other, scale->channel, add->channel, subtract->channel,
                                deviation->variance, float(deviation->epsilon), axis);
    rewriter.replaceOp(op, made);
    return success();
  }
};

/// A computed channel vector that was given extents of 1 is read without them.
struct SkipExpansion : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    bool changed = false;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      Value source = skipExpansion(operand->get());
      if (source == operand->get())
        continue;
      auto type = cast<RankedTensorType>(operand->get().getType());
      const AffineMap map = maps[operand->getOperandNumber()];
      SmallVector<AffineExpr> results;
      for (auto [extent, expression] : llvm::zip_equal(type.getShape(), map.getResults()))
        if (extent != 1)
          results.push_back(expression);
      if (results.size() != 1)
        continue;
      // The extent of a reduced dimension may be known by this operand alone.
      SmallVector<AffineMap> less = maps;
      less[operand->getOperandNumber()] = AffineMap::get(map.getNumDims(), 0, results, op.getContext());
      if (!inversePermutation(concatAffineMaps(less, op.getContext())))
        continue;
      maps = less;
      rewriter.modifyOpInPlace(op, [&] { operand->set(source); });
      changed = true;
    }
    if (!changed)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps)); });
    return success();
  }
};
} // namespace

void mlir::halftone::populateRecognizeBatchNorm(RewritePatternSet &patterns) {
  patterns.add<FoldBatchNormChain, SkipExpansion>(patterns.getContext());
}
