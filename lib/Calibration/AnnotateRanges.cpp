//===- AnnotateRanges.cpp - set halftone.range from statistics --------------===//
#include "ConsumerError.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Precision/Recipe.h"
#include <algorithm>
#include <map>

namespace mlir::halftone {
#define GEN_PASS_DEF_ANNOTATERANGES
#include "halftone/Calibration/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static void setReason(Value value, StringRef reason) {
  auto attribute = StringAttr::get(value.getContext(), reason);
  if (auto argument = dyn_cast<BlockArgument>(value))
    cast<func::FuncOp>(argument.getOwner()->getParentOp()).setArgAttr(argument.getArgNumber(), kReasonAttr, attribute);
  else
    value.getDefiningOp()->setAttr(kReasonAttr, attribute);
}

/// Whether a rule means what makes the value.
static bool makesValue(const RecipeRule &rule, const QuantizableValue &value, const Sandwiches &sandwiches) {
  Operation *op = value.value.getDefiningOp();
  if (!op) // an input, under its name
    return rule.matches(StringRef(value.key).split(':').second);
  if (const Sandwich *sandwich = sandwiches.find(op))
    return rule.matches(sandwich->members(), sandwich->kind);
  return rule.matches(ArrayRef(op), classify(op));
}

namespace {
struct AnnotateRangesPass : halftone::impl::AnnotateRangesBase<AnnotateRangesPass> {
  using AnnotateRangesBase::AnnotateRangesBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(annotate(*entry)))
      signalPassFailure();
  }

  LogicalResult annotate(func::FuncOp entry) {
    rangesOfRows.clear();
    if (!(percentile > 50 && percentile <= 100))
      return getOperation().emitError("needs a percentile above 50 and at most 100, got ") << percentile;
    if (stats.empty()) {
      for (const QuantizableValue &observed : getQuantizableValues(entry))
        setReason(observed.value, "no statistics were given");
      return success();
    }
    llvm::Expected<Statistics> statistics = Statistics::read(stats);
    if (!statistics)
      return getOperation().emitError(llvm::toString(statistics.takeError()));
    SmallVector<QuantizableValue> values = getQuantizableValues(entry);
    if (failed(checkSource(*statistics, values)))
      return failure();
    llvm::Expected<SmallVector<Estimator>> chosen = chooseEstimators(entry, values);
    if (!chosen)
      return getOperation().emitError(llvm::toString(chosen.takeError()));
    if (llvm::is_contained(*chosen, Estimator::MeanExtrema) && !statistics->runs)
      return getOperation().emitError("needs the extrema of each sample for estimator=mean, which '")
             << stats << "' does not have; calibrate this model again";
    if (failed(checkExtrema(*statistics, getContractionInputs(entry).empty())))
      return failure();
    for (auto [observed, by] : llvm::zip_equal(values, *chosen))
      annotateValue(observed, statistics->values[observed.row], statistics->runs, by);
    return statistics->channels.empty() ? success() : annotateChannels(entry, *statistics, values);
  }

  /// For each value the option's, or that of the last rule of the recipe that matches it.
  llvm::Expected<SmallVector<Estimator>> chooseEstimators(func::FuncOp entry, ArrayRef<QuantizableValue> values) {
    SmallVector<Estimator> chosen(values.size(), estimator);
    if (recipe.empty())
      return chosen;
    llvm::Expected<std::vector<RecipeRule>> rules = readRecipe(recipe);
    if (!rules)
      return rules.takeError();
    Sandwiches sandwiches(entry);
    std::vector<bool> matched;
    for (const RecipeRule &rule : *rules) {
      matched.push_back(rule.estimator.empty()); // of formats alone: followed later
      for (auto [value, by] : llvm::zip_equal(values, chosen))
        if (!rule.estimator.empty() && makesValue(rule, value, sandwiches)) {
          by = *parseEstimator(rule.estimator);
          matched.back() = true;
        }
    }
    std::string unmatched = listUnmatched(*rules, matched);
    if (unmatched.empty())
      return chosen;
    return llvm::createStringError("rules of the recipe '" + recipe + "' with an estimator match no value that gets a range: " + unmatched);
  }

  LogicalResult annotateChannels(func::FuncOp entry, const Statistics &statistics, ArrayRef<QuantizableValue> values) {
    ArrayRef<ChannelStatistics> channels = statistics.channels;
    llvm::DenseMap<Value, int64_t> rows;
    for (const QuantizableValue &observed : values)
      rows[observed.value] = observed.row;
    SmallVector<ContractionInput> inputs = getContractionInputs(entry);
    bool same = llvm::equal(firstOfRows<ContractionInput>(inputs), channels, [](const ContractionInput &input, const ChannelStatistics &observed) {
      return input.key == observed.key && input.channels() == static_cast<int64_t>(observed.sums.size());
    });
    if (!same)
      return getOperation().emitError("has other contractions than '") << stats << "'; calibrate this model again";
    for (const ContractionInput &input : inputs) {
      const ChannelStatistics &observed = channels[input.row];
      if (!observed.positions)
        continue;
      auto set = [&, contraction = input.contraction](StringRef name, ArrayRef<float> values) {
        contraction->setAttr(name, DenseF32ArrayAttr::get(&getContext(), values));
      };
      set(kChannelMeansAttr, observed.means());
      auto root = rows.find(traceRoot(input.value));
      if (rowGains && root != rows.end())
        setRowGain(input, statistics.values[root->second], observed);
      if (channelExtrema) {
        set(kChannelLowsAttr, observed.lows);
        set(kChannelHighsAttr, observed.highs);
        input.contraction->setAttr(kChannelPositionsAttr, Builder(&getContext()).getI64IntegerAttr(observed.positions));
      }
    }
    return success();
  }

  /// What rounding to codes of the value's range costs, and how much less it is with codes of each row's own range.
  void setRowGain(const ContractionInput &input, const ValueStatistics &value, const ChannelStatistics &channel) {
    std::optional<std::pair<float, float>> range = getRange(traceRoot(input.value));
    std::optional<double> error = channel.rowError();
    const double signal = meanSquare(value);
    if (!range || !error || !(*error > 0 && signal > 0))
      return;
    Builder builder(&getContext());
    const double expected = expectedSquaredError(value, {range->first, range->second});
    input.contraction->setAttr(kRoundingNoiseAttr, builder.getF64FloatAttr(expected / signal));
    input.contraction->setAttr(kRowGainAttr, builder.getF64FloatAttr(expected / *error));
  }

  /// Whether the file has the extrema that are asked for.
  LogicalResult checkExtrema(const Statistics &statistics, bool needsNone) {
    bool known = llvm::all_of(statistics.channels, [](const ChannelStatistics &channel) { return !channel.highs.empty(); });
    if (!channelExtrema || needsNone || (known && !statistics.channels.empty()))
      return success();
    return getOperation().emitError("needs the extrema of channels, which '") << stats << "' does not have; calibrate this model again";
  }

  /// The statistics must be of this model: the same source, the same values in the same order.
  LogicalResult checkSource(const Statistics &statistics, ArrayRef<QuantizableValue> all) {
    SmallVector<QuantizableValue> values = firstOfRows(all);
    auto hash = getOperation()->getAttrOfType<StringAttr>(kSourceHashAttr);
    if (hash && hash.getValue() != statistics.sourceHash)
      return getOperation().emitError("has source hash '")
             << hash.getValue() << "', but the statistics in '" << stats << "' are of '" << statistics.sourceHash
             << "'; calibrate this model again";
    if (statistics.values.size() != values.size())
      return getOperation().emitError("has ")
             << values.size() << " quantizable values, but '" << stats << "' has " << statistics.values.size()
             << "; calibrate this model again";
    for (auto [observed, value] : llvm::zip_equal(values, statistics.values))
      if (observed.key != value.key)
        return emitError(observed.value.getLoc(), "is the quantizable value '")
               << observed.key << "', but '" << stats << "' has '" << value.key << "' in its place";
    return success();
  }

  void annotateValue(const QuantizableValue &observed, const ValueStatistics &statistics, int64_t runs, Estimator by) {
    Value value = observed.value;
    int64_t nans = statistics.nans(), infinities = statistics.infinities();
    if (nans + infinities == statistics.total())
      return setReason(value, "no finite value was observed in calibration");
    if (!nans && infinities && infinities == statistics.negativeInfinities()) // a mask, or what one is added to
      return setReason(value, "-inf was observed in calibration, which no code stands for");
    if (nans + infinities)
      emitWarning(value.getLoc(), "calibration of '")
          << statistics.key << "' left out " << nans << " NaN and " << infinities << " infinite values of "
          << statistics.total();
    RealRange range = by == Estimator::Automatic ? chooseRange(value, statistics, runs) : rangeOfRow(observed.row, by, statistics, runs);
    setRange(value, range.low, range.high);
    ++ranges;
  }

  /// What an estimator gives that does not look at the value's readers is the same for all values of a row.
  RealRange rangeOfRow(int64_t row, Estimator by, const ValueStatistics &statistics, int64_t runs) {
    auto [found, isNew] = rangesOfRows.try_emplace({row, by});
    if (isNew)
      found->second = estimate(by, statistics, runs);
    return found->second;
  }

  /// Of the estimators' ranges, and the one that is searched for this, the one that causes the least error where the value is read.
  RealRange chooseRange(Value value, const ValueStatistics &statistics, int64_t runs) {
    const double weight = weightOfMeanError(value);
    SmallVector<RealRange> ranges{estimateMeanSquaredError(statistics, weight)};
    for (Estimator candidate : {Estimator::MinMax, Estimator::MeanExtrema, Estimator::Percentile, Estimator::MeanSquaredError,
                                Estimator::Entropy})
      ranges.push_back(estimate(candidate, statistics, runs));
    auto costOf = [&](const RealRange &range) {
      RoundingError error = expectedError(statistics, range);
      return error.square + (weight - 1) * error.mean * error.mean;
    };
    return *std::min_element(ranges.begin(), ranges.end(), [&](const RealRange &a, const RealRange &b) { return costOf(a) < costOf(b); });
  }

  RealRange estimate(Estimator by, const ValueStatistics &statistics, int64_t runs) {
    switch (by) {
    case Estimator::MinMax:
      return estimateMinMax(statistics);
    case Estimator::MeanExtrema:
      return estimateMeanExtrema(statistics, runs);
    case Estimator::Percentile:
      return estimatePercentile(statistics, percentile);
    case Estimator::MeanSquaredError:
      return estimateMeanSquaredError(statistics);
    case Estimator::Entropy:
      return estimateEntropy(statistics);
    case Estimator::Automatic:
      break;
    }
    llvm_unreachable("a range is that of one estimator");
  }

  std::map<std::pair<int64_t, Estimator>, RealRange> rangesOfRows;
};
} // namespace
