//===- SmoothActivations.cpp - moves ranges from activations to weights ------===//
//
// Xiao et al., SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models, arXiv:2211.10438: channel c
// of what contractions read is divided, and their weights multiplied, by
//
//   s[c] = a[c]^alpha / r[c]^(1 - alpha),
//
// a[c] the largest magnitude of the channel on the samples, r[c] that of the weights which read it. What differs: the factors go into
// a contraction that makes the value, too, not only into normalizations, and where others read the value (a residual branch), the
// contractions get a scaled copy of the normalization's last multiplication and addition instead.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Quantization/ChannelLinks.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_SMOOTHACTIVATIONS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// Contractions that read one value, with the extrema of its channels.
struct Readers {
  Value value;
  SmallVector<Operation *> contractions;
  std::vector<float> lows, highs;
};

/// value = source * factor[c] + offset[c].
struct Affine {
  Value source;
  std::vector<double> factor, offset;
  bool scales = false; ///< Whether a factor is there at all.
};
} // namespace

//===----------------------------------------------------------------------===//
// What is read
//===----------------------------------------------------------------------===//

static std::optional<std::vector<float>> takeExtrema(Operation *contraction, StringRef name) {
  auto values = dyn_cast_or_null<DenseF32ArrayAttr>(contraction->removeAttr(name));
  return values ? std::optional(values.asArrayRef().vec()) : std::nullopt;
}

/// All int8 candidates by the value that they read, in the program's order; the attributes are taken away.
static SmallVector<Readers> collectReaders(func::FuncOp entry) {
  llvm::MapVector<Value, Readers> groups;
  for (const ContractionInput &input : getContractionInputs(entry)) {
    auto lows = takeExtrema(input.contraction, kChannelLowsAttr), highs = takeExtrema(input.contraction, kChannelHighsAttr);
    if (!lows || !highs || !hasFiniteWeights(input.contraction) ||
        WeightChannels(input.contraction).inputs != static_cast<int64_t>(lows->size()))
      continue;
    Readers &readers = groups[input.value];
    readers.value = input.value;
    readers.contractions.push_back(input.contraction);
    readers.lows = std::move(*lows);
    readers.highs = std::move(*highs);
  }
  SmallVector<Readers> result;
  for (auto &[value, readers] : groups)
    result.push_back(std::move(readers));
  return result;
}

static std::vector<float> findFactors(const Readers &readers, WeightTable &weights, double alpha) {
  std::vector<float> read(readers.lows.size(), 0), factors(readers.lows.size(), 1);
  for (Operation *contraction : readers.contractions)
    for (auto [largest, more] : llvm::zip_equal(read, weights.largestByInput(contraction)))
      largest = std::max(largest, more);
  for (size_t c = 0; c < factors.size(); ++c) {
    double largest = std::max(-readers.lows[c], readers.highs[c]);
    auto factor = static_cast<float>(std::pow(largest, alpha) / std::pow(double(read[c]), 1 - alpha));
    if (largest > 0 && read[c] > 0 && std::isnormal(factor))
      factors[c] = factor;
  }
  return factors;
}

/// The range of the value once its channels are divided: their extrema, with nothing cut off.
static std::pair<float, float> dividedRange(const Readers &readers, ArrayRef<float> factors) {
  std::pair<float, float> range{0, 0};
  for (size_t c = 0; c < factors.size(); ++c) {
    range.first = std::min(range.first, readers.lows[c] / factors[c]);
    range.second = std::max(range.second, readers.highs[c] / factors[c]);
  }
  return range;
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// The constant of one operand for each channel: a vector along the last dimension, or a number for all.
static std::optional<std::vector<double>> readConstant(linalg::GenericOp generic, Value scalar, int64_t channels) {
  APFloat number(0.0f);
  if (matchPattern(scalar, m_ConstantFloat(&number)))
    return std::vector<double>(channels, number.convertToDouble());
  OpOperand *vector = matchChannelVector(generic, scalar);
  auto elements = vector ? getConstantElements<float>(vector->get()) : std::nullopt;
  if (!elements)
    return std::nullopt;
  return std::vector<double>(elements->begin(), elements->end());
}

/// One more multiplication or addition in front of an affine function; false if the operation is none.
static bool prepend(linalg::GenericOp generic, Operation &op, Value chain, Affine &affine) {
  if (!isa<arith::MulFOp, arith::AddFOp>(op) || op.getOperand(0) == op.getOperand(1))
    return false;
  Value other = op.getOperand(op.getOperand(0) == chain ? 1 : 0);
  std::optional<std::vector<double>> constant = readConstant(generic, other, affine.factor.size());
  if (!constant)
    return false;
  bool multiplies = isa<arith::MulFOp>(op);
  for (auto [value, factor, offset] : llvm::zip_equal(*constant, affine.factor, affine.offset))
    multiplies ? factor *= value : offset += factor * value;
  affine.scales |= multiplies;
  return true;
}

/// Walks from the value backwards over multiplications and additions of constants.
static Affine matchAffine(Value value, int64_t channels) {
  Affine affine{value, std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
  while (auto generic = affine.source.getDefiningOp<linalg::GenericOp>()) {
    OpKind kind = classify(generic);
    SmallVector<Operation *> body;
    for (Operation &op : generic.getBody()->without_terminator())
      if (!op.hasTrait<OpTrait::ConstantLike>())
        body.push_back(&op);
    SmallVector<OpOperand *> inputs = generic.getDpsInputOperands();
    auto activation = llvm::find_if(inputs, [](OpOperand *operand) { return !isConstant(operand->get()); });
    if ((kind != OpKind::Unary && kind != OpKind::Elementwise) || body.size() != 1 || activation == inputs.end() ||
        !generic.getMatchingIndexingMap(*activation).isIdentity() || (*activation)->get().getType() != affine.source.getType() ||
        generic.getBody()->getTerminator()->getOperand(0) != body[0]->getResult(0) ||
        !prepend(generic, *body[0], generic.getMatchingBlockArgument(*activation), affine))
      break;
    affine.source = (*activation)->get();
  }
  return affine;
}

/// source * (factor / s) + offset / s, as one operation.
static Value emitDivided(OpBuilder &builder, Location loc, const Affine &affine, ArrayRef<float> factors) {
  auto type = cast<RankedTensorType>(affine.source.getType());
  auto vector = RankedTensorType::get({static_cast<int64_t>(factors.size())}, type.getElementType());
  std::vector<float> factor, offset;
  for (auto [f, o, s] : llvm::zip_equal(affine.factor, affine.offset, factors)) {
    factor.push_back(static_cast<float>(f / s));
    offset.push_back(static_cast<float>(o / s));
  }
  AffineMap identity = builder.getMultiDimIdentityMap(type.getRank()), last = identity.getSliceMap(type.getRank() - 1, 1);
  SmallVector<Value> inputs{affine.source,
                            arith::ConstantOp::create(builder, loc, makeConstant<float>(vector, factor, "factor")),
                            arith::ConstantOp::create(builder, loc, makeConstant<float>(vector, offset, "offset"))};
  return buildElementwise(builder, loc, inputs, {identity, last, last}, tensor::getMixedSizes(builder, loc, affine.source),
                          type.getElementType(), [](OpBuilder &body, Location nested, ValueRange x) -> Value {
                            Value product = arith::MulFOp::create(body, nested, x[0], x[1]);
                            return arith::AddFOp::create(body, nested, product, x[2]);
                          });
}

/// The reshapes between a value and its root, root first; nothing if one changes the channels.
static std::optional<SmallVector<Operation *>> reshapesBehind(Value root, Value value) {
  SmallVector<Operation *> reshapes;
  int64_t channels = cast<RankedTensorType>(value.getType()).getShape().back();
  for (; value != root; value = value.getDefiningOp()->getOperand(0)) {
    Operation *op = value.getDefiningOp();
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) ||
        cast<RankedTensorType>(op->getOperand(0).getType()).getShape().back() != channels)
      return std::nullopt;
    reshapes.insert(reshapes.begin(), op);
  }
  return reshapes;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {
struct SmoothActivationsPass : halftone::impl::SmoothActivationsBase<SmoothActivationsPass> {
  using SmoothActivationsBase::SmoothActivationsBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    if (!(alpha >= 0 && alpha <= 1)) {
      getOperation().emitError("needs an alpha from 0 to 1, got ") << alpha;
      return signalPassFailure();
    }
    SmallVector<ChannelLink> links = findChannelLinks(*entry);
    SmallVector<Readers> groups = collectReaders(*entry);
    for (const Readers &readers : groups) {
      std::vector<float> factors = findFactors(readers, weights, alpha);
      if (divideAtContraction(readers, factors, links) || divideAtNormalization(readers, factors))
        finish(readers, factors);
    }
    weights.write();
  }

private:
  /// Where a contraction makes the value for these readers alone.
  bool divideAtContraction(const Readers &readers, ArrayRef<float> factors, ArrayRef<ChannelLink> links) {
    const auto *link = llvm::find_if(links, [&](const ChannelLink &link) {
      return link.consumers.size() == readers.contractions.size() &&
             llvm::all_of(link.consumers, [&](Operation *op) { return llvm::is_contained(readers.contractions, op); });
    });
    Value root = traceRoot(readers.value);
    if (link == links.end() || !getRange(root))
      return false;
    // Values between that are rounded, too, have ranges that nobody knows once they are divided.
    Sandwiches sandwiches(link->producer->getParentOfType<func::FuncOp>());
    const Sandwich *sandwich = sandwiches.find(link->producer);
    if (!sandwich || sandwich->result() != root)
      return false;
    weights.divideOutputs(link->producer, factors);
    divideConstants(*link, factors);
    auto [low, high] = dividedRange(readers, factors);
    setRange(root, low, high);
    return true;
  }

  /// Where multiplications by constants make it: the readers get a copy of them that divides.
  bool divideAtNormalization(const Readers &readers, ArrayRef<float> factors) {
    Value root = traceRoot(readers.value);
    std::optional<SmallVector<Operation *>> reshapes = reshapesBehind(root, readers.value);
    if (!reshapes || !root.getDefiningOp())
      return false;
    Affine affine = matchAffine(root, factors.size());
    if (!affine.scales)
      return false;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(root);
    Value divided = emitDivided(builder, root.getLoc(), affine, factors);
    auto [low, high] = dividedRange(readers, factors);
    setRange(divided, low, high);
    IRMapping mapping;
    mapping.map(root, divided);
    for (Operation *reshape : *reshapes)
      divided = builder.clone(*reshape, mapping)->getResult(0);
    for (OpOperand &use : llvm::make_early_inc_range(readers.value.getUses()))
      if (leadsTo(use.getOwner(), readers.contractions))
        use.set(divided);
    eraseUnused(readers.value, affine.source);
    return true;
  }

  /// Whether an operation is one of the contractions, or pads or groups for some of them.
  static bool leadsTo(Operation *op, ArrayRef<Operation *> contractions) {
    if (llvm::is_contained(contractions, op))
      return true;
    return isa<tensor::PadOp, tensor::ExpandShapeOp>(op) && !op->use_empty() &&
           llvm::all_of(op->getUsers(), [&](Operation *user) { return leadsTo(user, contractions); });
  }

  static void eraseUnused(Value value, Value end) {
    while (value != end && value.use_empty()) {
      Operation *op = value.getDefiningOp();
      SmallVector<Value> operands(op->getOperands());
      op->erase();
      auto activation = llvm::find_if(operands, [](Value operand) { return !isConstant(operand) && !operand.getDefiningOp<tensor::EmptyOp>(); });
      value = *activation;
    }
  }

  /// The other side: the weights, and the means of what they read.
  void finish(const Readers &readers, ArrayRef<float> factors) {
    for (Operation *contraction : readers.contractions) {
      weights.multiplyInputs(contraction, factors);
      auto means = contraction->getAttrOfType<DenseF32ArrayAttr>(kChannelMeansAttr);
      if (!means)
        continue;
      SmallVector<float> divided(means.asArrayRef());
      for (auto [mean, factor] : llvm::zip_equal(divided, factors))
        mean /= factor;
      contraction->setAttr(kChannelMeansAttr, DenseF32ArrayAttr::get(&getContext(), divided));
    }
    ++smoothed;
  }

  WeightTable weights;
};
} // namespace
