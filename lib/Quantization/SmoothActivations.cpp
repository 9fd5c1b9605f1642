//===- SmoothActivations.cpp - moves ranges from activations to weights ------===//
//
// Xiao et al., SmoothQuant: Accurate and Efficient Post-Training Quantization for Large Language Models, arXiv:2211.10438: channel c
// of what contractions read is divided, and their weights multiplied, by
//
//   s[c] = a[c]^alpha / r[c]^(1 - alpha),
//
// a[c] the largest magnitude of the channel on the samples, r[c] that of the weights which read it. What differs: alpha is chosen for each value, by
// the error that is expected where it is read, or nothing is done; the factors go into a contraction that makes the value, or stand as a
// multiplication behind other functions and behind normalizations, of which the contractions get a multiplied copy: others may read the value, too (a
// residual branch).
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Quantization/ChannelLinks.h"
#include "halftone/Quantization/SmoothingError.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/IR/IRMapping.h"
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
  ChannelMoments moments;
  int64_t positions = std::numeric_limits<int64_t>::max(); ///< elements of each channel that the extrema are of

  size_t channels() const { return moments.lows.size(); }
};
} // namespace

/// The exponents that the choice is among.
static constexpr double kAlphas[] = {1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25};

/// Nothing is divided if more than this share of the expected error would be left.
static constexpr double kWorthwhile = 0.9;

/// No channel is taken for smaller than this share of the largest: other inputs may make it larger than the samples did.
static constexpr float kLeastShare = 1.0f / 256;

/// Extrema of fewer elements say too little of a channel. One in n + 1 elements is above the largest of n, of normal ones by a = m / (2 ln n) on the
/// average, m the largest: with the range of the channel alone 2 a^2 / (n + 1) is cut off in the mean, more than the rounding, (2 m / 255)^2 / 12, below
/// 1,700 elements; twice as much at this number.
static constexpr int64_t kLeastPositions = 1024;

/// Up to one of so many channels beyond the range is an outlier.
static constexpr size_t kFewOf = 16;

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
    auto positions = dyn_cast_or_null<IntegerAttr>(input.contraction->removeAttr(kChannelPositionsAttr));
    if (!lows || !highs || !hasFiniteWeights(input.contraction) ||
        WeightChannels(input.contraction).inputs != static_cast<int64_t>(lows->size()))
      continue;
    Readers &readers = groups[input.value];
    readers.value = input.value;
    readers.contractions.push_back(input.contraction);
    readers.moments.lows = std::move(*lows);
    readers.moments.highs = std::move(*highs);
    if (positions)
      readers.positions = positions.getInt();
    if (auto means = input.contraction->getAttrOfType<DenseF32ArrayAttr>(kChannelMeansAttr))
      readers.moments.means = means.asArrayRef().vec();
  }
  SmallVector<Readers> result;
  for (auto &[value, readers] : groups)
    result.push_back(std::move(readers));
  return result;
}

/// The extrema of the channels, cut off at a range. Where it cuts off few of the channels, these are outliers, which with factors of their own have
/// no need to be: nothing is cut off.
static Readers cutOff(Readers readers, std::pair<float, float> range) {
  auto isBeyond = [&](const auto &ends) { return std::get<0>(ends) < range.first || std::get<1>(ends) > range.second; };
  const size_t beyond = llvm::count_if(llvm::zip_equal(readers.moments.lows, readers.moments.highs), isBeyond);
  if (beyond * kFewOf <= readers.channels())
    return readers;
  for (auto [low, high] : llvm::zip_equal(readers.moments.lows, readers.moments.highs)) {
    low = std::max(low, range.first);
    high = std::min(high, range.second);
  }
  return readers;
}

/// The factors of one exponent.
static std::vector<float> computeFactors(const Readers &readers, WeightTable &weights, double alpha) {
  std::vector<float> read(readers.channels(), 0), factors(readers.channels(), 1), largest;
  for (Operation *contraction : readers.contractions)
    for (auto [most, more] : llvm::zip_equal(read, weights.largestByInput(contraction)))
      most = std::max(most, more);
  for (auto [low, high] : llvm::zip_equal(readers.moments.lows, readers.moments.highs))
    largest.push_back(std::max(-low, high));
  const float least = kLeastShare * *llvm::max_element(largest);
  for (size_t c = 0; c < factors.size(); ++c) {
    auto factor = static_cast<float>(std::pow(double(std::max(largest[c], least)), alpha) / std::pow(double(read[c]), 1 - alpha));
    if (read[c] > 0 && std::isnormal(factor))
      factors[c] = factor;
  }
  return factors;
}

/// The range of the value once its channels are divided: their extrema.
static std::pair<float, float> dividedRange(const Readers &readers, ArrayRef<float> factors) {
  std::pair<float, float> range{0, 0};
  for (size_t c = 0; c < factors.size(); ++c) {
    range.first = std::min(range.first, readers.moments.lows[c] / factors[c]);
    range.second = std::max(range.second, readers.moments.highs[c] / factors[c]);
  }
  return range;
}

//===----------------------------------------------------------------------===//
// Where it is made
//===----------------------------------------------------------------------===//

/// Whether elementwise operations make the value from what has no integer form, as at the end of a normalization: they stay float
/// (halftone-select-precision), and the value is rounded by an operation of its own.
static bool isMadeAsFloats(Value value, const Sandwiches &sandwiches, llvm::SmallPtrSetImpl<Operation *> &seen) {
  Operation *op = traceRoot(value).getDefiningOp();
  if (!op || !seen.insert(op).second)
    return false;
  OpKind kind = classify(op);
  if (kind == OpKind::Other || kind == OpKind::Table)
    return true;
  const Sandwich *sandwich = sandwiches.find(op);
  return sandwich && (sandwich->kind == OpKind::Elementwise || sandwich->kind == OpKind::Unary) &&
         llvm::any_of(sandwich->activations(), [&](OpOperand *operand) { return isMadeAsFloats(operand->get(), sandwiches, seen); });
}

/// value / s.
static Value emitDivided(OpBuilder &builder, Value value, ArrayRef<float> factors) {
  auto reciprocals = llvm::map_to_vector(factors, [](float factor) { return 1 / factor; });
  return scaleChannels(builder, value, reciprocals);
}

/// The reshapes between a value and its root, root first; nothing if one changes the channels.
static std::optional<SmallVector<Operation *>> reshapesBehind(Value root, Value value) {
  SmallVector<Operation *> reshapes;
  int64_t channels = lastDimension(value);
  for (; value != root; value = value.getDefiningOp()->getOperand(0)) {
    Operation *op = value.getDefiningOp();
    if (!isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) || lastDimension(op->getOperand(0)) != channels)
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
    std::optional<WeightSteps> steps = findSteps();
    if (!steps) {
      getOperation().emitError("has no format of weights '") << weights << "' by '" << granularity << "'";
      return signalPassFailure();
    }
    format = *steps;
    SmallVector<ChannelLink> links = findChannelLinks(*entry);
    SmallVector<Readers> groups = collectReaders(*entry);
    for (const Readers &readers : groups) {
      const Division division = automatic ? choose(readers) : Division{computeFactors(readers, table, alpha), readers};
      const auto &[factors, ends] = division;
      if (factors.empty())
        continue;
      // What a contraction makes with clamps alone is left alone by the choice, which loses there.
      const bool isLinked = hasLink(readers, links);
      if (isLinked && automatic)
        continue;
      if ((isLinked && divideAtContraction(ends, factors, links)) || divideCopy(ends, factors) || divideAtEnd(ends, factors))
        finish(readers, factors);
    }
    table.write();
  }

private:
  /// Factors, none if a value is to be left alone, and its readers with the extrema that the divided range is to cover.
  struct Division {
    std::vector<float> factors;
    Readers ends;
  };

  /// The exponent with the least error, of channels cut off where the estimator cuts off the value, so that none has larger steps than before, or of
  /// whole channels. Weights of fewer bits than 8 do not choose it, as what they lose is predicted worse, but have to gain by it, too.
  Division choose(const Readers &readers) {
    std::optional<std::pair<float, float>> range = getRange(traceRoot(readers.value));
    Division best;
    if (!range || readers.positions < kLeastPositions)
      return best;
    const std::vector<float> ones(readers.channels(), 1);
    double least = kWorthwhile * predict(readers, ones, *range, {});
    for (const Readers &ends : {cutOff(readers, *range), readers})
      for (double candidate : kAlphas) {
        std::vector<float> factors = computeFactors(ends, table, candidate);
        const double error = predict(readers, factors, dividedRange(ends, factors), {});
        if (error < least) {
          least = error;
          best = {std::move(factors), ends};
        }
      }
    const auto errorOf = [&](ArrayRef<float> factors, std::pair<float, float> ends) { return predict(readers, factors, ends, format); };
    if (!best.factors.empty() && errorOf(best.factors, dividedRange(best.ends, best.factors)) >= kWorthwhile * errorOf(ones, *range))
      return {};
    return best;
  }

  /// The sum over the readers of their relative errors.
  double predict(const Readers &readers, ArrayRef<float> factors, std::pair<float, float> range, WeightSteps steps) {
    const std::vector<double> squares = readers.moments.squares(), errors = readers.moments.errors(factors, range);
    double sum = 0;
    for (Operation *contraction : readers.contractions)
      sum += predictError(table.valuesOf(contraction), table.channelsOf(contraction), squares, errors, factors, steps);
    return sum;
  }

  static const ChannelLink *findLink(const Readers &readers, ArrayRef<ChannelLink> links) {
    return llvm::find_if(links, [&](const ChannelLink &link) {
      return link.consumers.size() == readers.contractions.size() &&
             llvm::all_of(link.consumers, [&](Operation *op) { return llvm::is_contained(readers.contractions, op); });
    });
  }

  /// Whether a contraction makes the value, with nothing behind it but what factors of channels move through.
  static bool hasLink(const Readers &readers, ArrayRef<ChannelLink> links) { return findLink(readers, links) != links.end(); }

  /// Where a contraction makes the value for these readers alone.
  bool divideAtContraction(const Readers &readers, ArrayRef<float> factors, ArrayRef<ChannelLink> links) {
    const auto *link = findLink(readers, links);
    Value root = traceRoot(readers.value);
    if (link == links.end() || !getRange(root))
      return false;
    // Values between that are rounded, too, have ranges that nobody knows once they are divided.
    Sandwiches sandwiches(link->producer->getParentOfType<func::FuncOp>());
    const Sandwich *sandwich = sandwiches.find(link->producer);
    if (!sandwich || sandwich->result() != root)
      return false;
    table.divideOutputs(link->producer, factors);
    divideConstants(*link, factors);
    annotate(root, readers, factors);
    return true;
  }

  /// Where it is made as floats: the readers get a copy that is divided, which is computed with its rounding.
  bool divideCopy(const Readers &readers, ArrayRef<float> factors) {
    Value root = traceRoot(readers.value);
    std::optional<SmallVector<Operation *>> reshapes = reshapesBehind(root, readers.value);
    if (!reshapes || !root.getDefiningOp() || classify(root.getDefiningOp()) == OpKind::Other || classify(root.getDefiningOp()) == OpKind::Table)
      return false;
    llvm::SmallPtrSet<Operation *, 16> seen;
    if (!isMadeAsFloats(root, Sandwiches(root.getDefiningOp()->getParentOfType<func::FuncOp>()), seen))
      return false;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(root);
    Value divided = emitDivided(builder, root, factors);
    annotate(divided, readers, factors);
    IRMapping mapping;
    mapping.map(root, divided);
    for (Operation *reshape : *reshapes)
      divided = builder.clone(*reshape, mapping)->getResult(0);
    for (OpOperand &use : llvm::make_early_inc_range(readers.value.getUses()))
      if (leadsTo(use.getOwner(), readers.contractions))
        use.set(divided);
    for (Operation *reshape : llvm::reverse(*reshapes))
      if (reshape->use_empty())
        reshape->erase();
    return true;
  }

  /// Where a sandwich makes it for these readers alone: a multiplication more at its end, which is computed in registers.
  bool divideAtEnd(const Readers &readers, ArrayRef<float> factors) {
    Value root = traceRoot(readers.value);
    if (!root.getDefiningOp() || !getRange(root) || !reshapesBehind(root, readers.value) || !leadsTo(root, readers.contractions))
      return false;
    Sandwiches sandwiches(root.getDefiningOp()->getParentOfType<func::FuncOp>());
    const Sandwich *sandwich = sandwiches.find(root.getDefiningOp());
    if (!sandwich || sandwich->result() != root || (sandwich->kind != OpKind::Contraction && sandwich->kind != OpKind::Elementwise))
      return false;
    // Without a function the epilogue goes from codes to codes by multipliers (rules A7, A8), which is faster than what a function takes.
    if (sandwich->simple == sandwich->tail.size())
      return false;
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(root);
    Value divided = emitDivided(builder, root, factors);
    root.replaceUsesWithIf(divided, [&](OpOperand &use) { return use.getOwner() != divided.getDefiningOp() && !isa<tensor::DimOp>(use.getOwner()); });
    root.getDefiningOp()->removeAttr(kRangeAttr);
    annotate(divided, readers, factors);
    return true;
  }

  /// The new range, and what a reader of layers' values needs to know them again.
  void annotate(Value divided, const Readers &readers, ArrayRef<float> factors) {
    auto [low, high] = dividedRange(readers, factors);
    setRange(divided, low, high);
    divided.getDefiningOp()->setAttr(kChannelFactorsAttr, DenseF32ArrayAttr::get(&getContext(), factors));
  }

  /// Whether all uses of the elements are in one of the contractions, or in padding or reshapes for some of them.
  static bool leadsTo(Value value, ArrayRef<Operation *> contractions) {
    return !value.use_empty() &&
           llvm::all_of(value.getUsers(), [&](Operation *user) { return isa<tensor::DimOp>(user) || leadsTo(user, contractions); });
  }

  static bool leadsTo(Operation *op, ArrayRef<Operation *> contractions) {
    return llvm::is_contained(contractions, op) ||
           (isa<tensor::PadOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(op) && leadsTo(op->getResult(0), contractions));
  }

  /// The other side: the weights, and the means of what they read.
  void finish(const Readers &readers, ArrayRef<float> factors) {
    for (Operation *contraction : readers.contractions) {
      table.multiplyInputs(contraction, factors);
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

  /// Levels that are not uniform are taken for the uniform ones of as many bits.
  std::optional<WeightSteps> findSteps() const {
    // What reads codes has codes for weights: with floats nothing does.
    std::optional<WeightFormat> named = findWeightFormat(weights == "float" ? "int8" : weights.getValue());
    std::optional<Granularity> shared = parseGranularity(granularity);
    if (!named || !shared)
      return std::nullopt;
    return WeightSteps{(1 << (named->bits - 1)) - 1, shared->group};
  }

  WeightTable table;
  WeightSteps format;
};
} // namespace
