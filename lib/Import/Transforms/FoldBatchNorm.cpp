//===- FoldBatchNorm.cpp - batch normalization into weights and bias --------===//
//
// y = (conv(x, w) + b - mean) * a + beta with a = scale / sqrt(variance + epsilon), per output channel, is
// conv(x, w * a) + ((b - mean) * a + beta). Computed in f64, rounded to f32 once. So is a normalization that a front end writes as sums and products
// with a constant for each channel.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_FOLDBATCHNORM
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// y = x * factor[c] + offset[c].
struct Affine {
  std::vector<double> factor, offset;
};

/// What stands before a batch normalization: a contraction, perhaps with its groups joined and a bias added.
struct Producer {
  linalg::LinalgOp contraction;
  std::vector<float> weights, bias;
  Value beforeBias;
  linalg::GenericOp biasOp; // null without a bias
};
} // namespace

static std::optional<Affine> constantAffine(CompositeOp op) {
  std::vector<float> parameters[4];
  for (auto [i, parameter] : llvm::enumerate(parameters)) {
    auto elements = getConstantElements<float>(op.getInputs()[i + 1]);
    if (!elements)
      return std::nullopt;
    parameter = std::move(*elements);
  }
  auto epsilon = op.getParameters().getAs<FloatAttr>("epsilon");
  if (!epsilon)
    return std::nullopt;
  Affine affine;
  for (size_t c = 0; c < parameters[0].size(); ++c) {
    double a = parameters[0][c] / std::sqrt(double(parameters[3][c]) + epsilon.getValueAsDouble());
    affine.factor.push_back(a);
    affine.offset.push_back(parameters[1][c] - parameters[2][c] * a);
  }
  return affine;
}

/// A generic of one operation on a value and a constant for each index of its last dimension.
struct ChannelStep {
  Value operand;
  std::vector<float> constant;
  Operation *operation;
  bool isRight; ///< the constant is the second operand
};

static std::optional<ChannelStep> matchChannelStep(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumDpsInputs() != 2 || op.getNumParallelLoops() != op.getNumLoops() || op.getBody()->getOperations().size() != 2)
    return std::nullopt;
  Operation &body = op.getBody()->front();
  unsigned last = op.getNumLoops() - 1;
  for (unsigned i = 0; i < 2; ++i) {
    AffineMap map = op.getIndexingMapsArray()[i], other = op.getIndexingMapsArray()[1 - i];
    BlockArgument x = op.getBody()->getArgument(1 - i), c = op.getBody()->getArgument(i);
    bool isRight = body.getNumOperands() == 2 && body.getOperand(0) == x && body.getOperand(1) == c;
    bool isLeft = body.getNumOperands() == 2 && body.getOperand(0) == c && body.getOperand(1) == x;
    if (map.getNumResults() != 1 || !map.isFunctionOfDim(last) || !other.isIdentity() || !(isRight || isLeft))
      continue;
    if (auto elements = getConstantElements<float>(op.getInputs()[i]))
      return ChannelStep{op.getInputs()[1 - i], std::move(*elements), &body, isRight};
  }
  return std::nullopt;
}

/// The constant that a generic adds along its last dimension, with the operand that it is added to.
static std::optional<std::pair<Value, std::vector<float>>> matchBias(linalg::GenericOp op) {
  std::optional<ChannelStep> step = matchChannelStep(op.getResult(0));
  if (!step || !isa<arith::AddFOp>(step->operation))
    return std::nullopt;
  return std::make_pair(step->operand, std::move(step->constant));
}

/// What a step does to what stands before it: y' = y * factor + offset, put in front of `behind`. False if it is no such step.
static bool prepend(const ChannelStep &step, Affine &behind) {
  const size_t count = step.constant.size();
  Affine here{std::vector<double>(count, 1.0), std::vector<double>(count, 0.0)};
  for (auto [c, constant] : llvm::enumerate(step.constant)) {
    if (isa<arith::AddFOp>(step.operation))
      here.offset[c] = constant;
    else if (isa<arith::SubFOp>(step.operation) && step.isRight)
      here.offset[c] = -double(constant);
    else if (isa<arith::MulFOp>(step.operation))
      here.factor[c] = constant;
    else if (isa<arith::DivFOp>(step.operation) && step.isRight && constant != 0)
      here.factor[c] = 1.0 / constant;
    else
      return false;
  }
  if (behind.factor.empty())
    behind = Affine{std::vector<double>(count, 1.0), std::vector<double>(count, 0.0)};
  for (size_t c = 0; c < count; ++c) {
    behind.offset[c] += behind.factor[c] * here.offset[c];
    behind.factor[c] *= here.factor[c];
  }
  return true;
}

static bool isFinite(const Affine &affine) {
  auto finite = [](double value) { return std::isfinite(float(value)); };
  return llvm::all_of(affine.factor, finite) && llvm::all_of(affine.offset, finite);
}

static bool isContraction(Operation *op) {
  return isa_and_nonnull<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp, linalg::Conv2DNhwgcGfhwcOp,
                         linalg::MatmulOp>(op);
}

static std::optional<Producer> matchProducer(Value value) {
  Producer producer;
  if (!value.hasOneUse())
    return std::nullopt;
  producer.beforeBias = value;
  if (auto generic = value.getDefiningOp<linalg::GenericOp>()) {
    auto bias = matchBias(generic);
    if (!bias || !bias->first.hasOneUse())
      return std::nullopt;
    producer.biasOp = generic;
    producer.beforeBias = bias->first;
    producer.bias = std::move(bias->second);
  }
  Operation *op = producer.beforeBias.getDefiningOp();
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op)) {
    op = collapse.getSrc().getDefiningOp();
    if (!isa_and_nonnull<linalg::Conv2DNhwgcGfhwcOp>(op) || !op->hasOneUse())
      return std::nullopt;
  } else if (isa_and_nonnull<linalg::Conv2DNhwgcGfhwcOp>(op)) {
    return std::nullopt;
  }
  if (!isContraction(op))
    return std::nullopt;
  producer.contraction = cast<linalg::LinalgOp>(op);
  auto weights = getConstantElements<float>(op->getOperand(1));
  if (!weights)
    return std::nullopt;
  producer.weights = std::move(*weights);
  return producer;
}

/// The output channel of weight element i.
static int64_t outputChannel(Operation *op, ArrayRef<int64_t> shape, int64_t i) {
  if (!isa<linalg::Conv2DNhwgcGfhwcOp>(op))
    return i % shape.back();
  return i / (shape[2] * shape[3] * shape[4]);
}

static Value constant(RewriterBase &rewriter, Location loc, RankedTensorType type, ArrayRef<float> elements, StringRef name) {
  return arith::ConstantOp::create(rewriter, loc, makeConstant<float>(type, elements, name));
}

/// x combined with channel vectors by `body`, along the last dimension or `axis`.
static Value channelwise(RewriterBase &rewriter, Location loc, Value x, ValueRange vectors, int64_t axis,
                         ElementBuilder build) {
  auto type = cast<RankedTensorType>(x.getType());
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  SmallVector<Value> inputs = {x};
  SmallVector<AffineMap> maps = {identity};
  for (Value vector : vectors) {
    inputs.push_back(vector);
    maps.push_back(identity.getSliceMap(axis, 1));
  }
  return buildElementwise(rewriter, loc, inputs, maps, tensor::getMixedSizes(rewriter, loc, x), type.getElementType(),
                          build);
}

/// The scales that the source gives the weights grow with them; signs go into the codes.
static void foldIntoScales(Operation *contraction, ArrayRef<double> factors) {
  auto scales = contraction->getAttrOfType<DenseF32ArrayAttr>(kSourceScalesAttr);
  if (!scales)
    return;
  SmallVector<float> folded;
  for (auto [c, factor] : llvm::enumerate(factors)) // where the factor is 0 all weights are
    folded.push_back(float(scales[scales.size() == 1 ? 0 : c] * (factor == 0 ? 1 : std::abs(factor))));
  contraction->setAttr(kSourceScalesAttr, DenseF32ArrayAttr::get(contraction->getContext(), folded));
}

/// Folds what the operations compute, the last of them first, into the contraction before them: they and its bias go.
static void fold(RewriterBase &rewriter, ArrayRef<Operation *> chain, Producer &producer, const Affine &affine) {
  Operation *contraction = producer.contraction;
  auto type = cast<RankedTensorType>(contraction->getOperand(1).getType());
  for (size_t i = 0; i < producer.weights.size(); ++i)
    producer.weights[i] = float(producer.weights[i] * affine.factor[outputChannel(contraction, type.getShape(), i)]);
  std::vector<float> bias(affine.factor.size());
  for (size_t c = 0; c < bias.size(); ++c) {
    double b = producer.bias.empty() ? 0.0 : producer.bias[c];
    bias[c] = float(b * affine.factor[c] + affine.offset[c]);
  }
  rewriter.setInsertionPoint(contraction);
  Location loc = contraction->getLoc();
  foldIntoScales(contraction, affine.factor);
  contraction->setOperand(1, constant(rewriter, loc, type, producer.weights, "weights"));
  rewriter.setInsertionPointAfterValue(producer.beforeBias);
  auto vector = RankedTensorType::get({int64_t(bias.size())}, rewriter.getF32Type());
  Value biasValue = constant(rewriter, loc, vector, bias, "bias");
  int64_t axis = cast<RankedTensorType>(producer.beforeBias.getType()).getRank() - 1;
  Value sum = channelwise(rewriter, loc, producer.beforeBias, biasValue, axis, [](OpBuilder &b, Location l, ValueRange a) {
    return arith::AddFOp::create(b, l, a[0], a[1]).getResult();
  });
  rewriter.replaceOp(chain.front(), sum);
  for (Operation *op : chain.drop_front())
    rewriter.eraseOp(op);
  if (producer.biasOp)
    rewriter.eraseOp(producer.biasOp);
}

static void expand(RewriterBase &rewriter, CompositeOp op, const Affine &affine, int64_t axis) {
  rewriter.setInsertionPoint(op);
  auto vector = RankedTensorType::get({int64_t(affine.factor.size())}, rewriter.getF32Type());
  std::vector<float> factor(affine.factor.begin(), affine.factor.end()), offset(affine.offset.begin(), affine.offset.end());
  Value a = constant(rewriter, op.getLoc(), vector, factor, "factor");
  Value b = constant(rewriter, op.getLoc(), vector, offset, "offset");
  Value y = channelwise(rewriter, op.getLoc(), op.getInputs()[0], {a, b}, axis, [](OpBuilder &builder, Location l, ValueRange v) {
    Value product = arith::MulFOp::create(builder, l, v[0], v[1]);
    return arith::AddFOp::create(builder, l, product, v[2]).getResult();
  });
  rewriter.replaceOp(op, y);
}

/// Folds the chain of steps that ends with `end` into the contraction before it, if one of them multiplies: the operations that went.
static SmallVector<Operation *> foldSteps(RewriterBase &rewriter, linalg::GenericOp end) {
  Affine affine;
  SmallVector<Operation *> chain;
  bool multiplies = false;
  for (Value value = end.getResult(0); std::optional<ChannelStep> step = matchChannelStep(value); value = step->operand) {
    if (!prepend(*step, affine))
      return {};
    chain.push_back(value.getDefiningOp());
    multiplies |= isa<arith::MulFOp, arith::DivFOp>(step->operation);
    std::optional<Producer> producer = multiplies ? matchProducer(step->operand) : std::nullopt;
    if (producer && isFinite(affine)) {
      fold(rewriter, chain, *producer, affine);
      if (producer->biasOp)
        chain.push_back(producer->biasOp);
      return chain;
    }
    if (!step->operand.hasOneUse())
      return {};
  }
  return {};
}

namespace {
struct FoldBatchNorm : halftone::impl::FoldBatchNormBase<FoldBatchNorm> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<CompositeOp> composites;
    getOperation().walk([&](CompositeOp op) {
      if (op.getName() == "batch_norm" && op.getInputs().size() == 5)
        composites.push_back(op);
    });
    for (CompositeOp op : composites) {
      std::optional<Affine> affine = constantAffine(op);
      auto axis = op.getParameters().getAs<IntegerAttr>("axis");
      if (!affine || !axis)
        continue;
      int64_t rank = cast<RankedTensorType>(op.getInputs()[0].getType()).getRank();
      std::optional<Producer> producer;
      if (axis.getInt() == rank - 1)
        producer = matchProducer(op.getInputs()[0]);
      if (producer) {
        fold(rewriter, op.getOperation(), *producer, *affine);
        ++numFolded;
      } else {
        expand(rewriter, op, *affine, axis.getInt());
        ++numExpanded;
      }
    }
    SmallVector<linalg::GenericOp> generics;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op->getNumResults() == 1 && !op->getParentOfType<CompositeOp>())
        generics.push_back(op);
    });
    DenseSet<Operation *> gone;
    for (linalg::GenericOp op : llvm::reverse(generics)) { // the end of a chain first: all of it folds
      if (gone.contains(op))
        continue;
      SmallVector<Operation *> folded = foldSteps(rewriter, op);
      gone.insert(folded.begin(), folded.end());
      numSteps += !folded.empty();
    }
  }
};
} // namespace
