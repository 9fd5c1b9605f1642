//===- PrecisionSelection.cpp - A format for every layer, by measurement --===//
#include "PrecisionSelection.h"
#include "Command.h"
#include "Contestant.h"
#include "LimitedChoice.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <limits>
#include <map>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::formatv;

namespace {
class Selector {
public:
  Selector(VariantCompiler &compiler, const SelectionRequest &request,
           const SampleRange &search, const SampleRange &verify)
      : compiler(compiler), request(request), search(search), verify(verify) {}

  Expected<Selection> run();

private:
  Error prepare();
  Error measureLayers();
  std::optional<Assignment> choose(const Limits &limits, Sum least) const { return mlir::halftone::choose(layers, limits, least); }
  Error infeasible(const Limits &limits) const;
  Error unverified() const;
  int64_t sumOf(const Assignment &assignment, Sum sum) const { return mlir::halftone::sumOf(layers, assignment, sum); }
  int64_t otherOf(Sum sum) const { return sum == Sum::Bytes ? otherBytes : sum == Sum::Time ? otherTime : 0; }
  Expected<Measured> measure(Expected<Variant> variant, const SampleRange &range);
  Expected<Selection> verifyChoice(Assignment assignment);
  std::optional<Assignment> throughout(unsigned format) const;
  std::optional<Assignment> bestSingle(const Limits &limits) const;
  Error compareWithSingle(const Limits &limits);
  Error compareWithPlain();
  double cost(const Measured &measured) const;
  struct Attempt {
    Assignment assignment;
    double drop; ///< On the samples of the search.
  };
  double searchDrop() const;
  Expected<std::optional<Attempt>> attempt(Limits limits, int64_t loss);
  Expected<Attempt> measureAttempt(Assignment assignment);
  Expected<Attempt> attemptLeastDrop(const Limits &limits);
  Expected<Assignment> chooseByDrop(const Limits &limits);
  /// Nothing if float is no format that may be chosen.
  std::optional<Assignment> allFloat() const;
  Limits limitsOf() const;
  Limits excessOf(const Assignment &assignment, const Measured &measured) const;
  bool holds(const Assignment &assignment, const Measured &measured) const;
  bool isBetter(const Selection &one, const Selection &other) const;
  bool tighten(Limits &limits, const Selection &tried);
  void retarget(double drop);
  Error useSlack(Limits limits);
  Error useSlackOfDrop(const Limits &limits);
  Sum objective() const;

  VariantCompiler &compiler;
  const SelectionRequest &request;
  SampleRange search, verify;

  std::optional<Variant> floats, plain; ///< All float, all int8.
  std::vector<Tensor> searchOutputs, verifyOutputs; ///< Of float.
  Metric metric;
  Selection selection;
  int repairs = 0; ///< Times that a choice exceeded a budget where it was verified.
  std::vector<LayerChoices> layers;
  int64_t otherBytes = 0, otherTime = 0; ///< Of what is not chosen.
  std::optional<double> dropTarget;        ///< Of the search, once a verification was not within the budget or far within it.
  std::map<Assignment, double> searchDrops; ///< On the samples of the search.
};
} // namespace

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

Error Selector::prepare() {
  auto compiledFloat = compiler.compileFloat();
  if (!compiledFloat)
    return compiledFloat.takeError();
  floats = std::move(*compiledFloat);
  auto compiledPlain = compiler.compile(Assignment(compiler.layers().size(), 0));
  if (!compiledPlain)
    return compiledPlain.takeError();
  plain = std::move(*compiledPlain);
  for (auto [outputs, range] : {std::pair(&searchOutputs, &search), {&verifyOutputs, &verify}}) {
    auto run = floats->run(*range);
    if (!run)
      return run.takeError();
    *outputs = std::move(*run);
  }
  auto made = Metric::make(request.metric, request.metricCommand, floats->path(), {{verify, verifyOutputs}, {search, searchOutputs}});
  if (!made)
    return made.takeError();
  metric = std::move(*made);
  auto times = raceModels(floats->path(), plain->path(), plain->model.info().minBatch);
  if (!times)
    return times.takeError();
  selection.wholeFloat = {0, floats->constantBytes(), times->first};
  auto outputs = plain->run(verify);
  if (!outputs)
    return outputs.takeError();
  auto drop = metric.drop(plain->path(), {verify, verifyOutputs}, *outputs);
  if (!drop)
    return drop.takeError();
  selection.plainInt8 = {*drop, plain->constantBytes(), times->second};
  return Error::success();
}

Error Selector::measureLayers() {
  Assignment allInt8(compiler.layers().size(), 0);
  auto trial = compiler.compileQuickly(allInt8);
  if (!trial)
    return trial.takeError();
  // Half of the samples for the Hessians of trials where there are some.
  const int64_t middle = compiler.usesHessians() ? search.begin + search.size() / 2 : search.begin;
  const SampleRange fitted{search.data, search.begin, middle}, tried{search.data, middle, search.end};
  auto outputs = trial->run(tried);
  if (!outputs)
    return outputs.takeError();
  auto floatOutputs = floats->run(tried);
  if (!floatOutputs)
    return floatOutputs.takeError();
  const LossReference reference = {metric, tried, fitted, *outputs, *floatOutputs};
  auto file = openMeasurements(compiler, reference, request.measurements);
  if (!file)
    return file.takeError();
  auto measured = measureCosts(compiler, *plain, *floats, *file);
  if (!measured)
    return measured.takeError();
  layers = std::move(*measured);
  otherBytes = plain->constantBytes() - sumOf(allInt8, Sum::Bytes);
  otherTime = int64_t(1e3 * selection.plainInt8.microseconds) - sumOf(allInt8, Sum::Time);
  // Before the long work: what no trial can change.
  Limits limits = limitsOf();
  for (Sum sum : {Sum::Bytes, Sum::Time})
    if (leastSum(layers, sum) > limits[sum])
      return infeasible(limits);
  dropHopeless(layers, limits[Sum::Bytes], request.maxLatency || objective() == Sum::Time, compiler.formats());
  return measureLosses(layers, compiler, reference, *file);
}

Expected<Measured> Selector::measure(Expected<Variant> variant, const SampleRange &range) {
  if (!variant)
    return variant.takeError();
  auto outputs = variant->run(range);
  if (!outputs)
    return outputs.takeError();
  bool isSearch = range.begin == search.begin && range.end == search.end;
  const std::vector<Tensor> &reference = isSearch ? searchOutputs : verifyOutputs;
  auto drop = metric.drop(variant->path(), {range, reference}, *outputs);
  if (!drop)
    return drop.takeError();
  auto times = raceModels(plain->path(), variant->path(), plain->model.info().minBatch);
  if (!times)
    return times.takeError();
  // The machine's speed wanders: the ratio is what was measured in turns.
  double microseconds = selection.plainInt8.microseconds * times->second / times->first;
  return Measured{*drop, variant->constantBytes(), microseconds, measureLoss(metric, reference, *outputs)};
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

Sum Selector::objective() const {
  switch (request.objective) {
  case Objective::Size:
    return Sum::Bytes;
  case Objective::Latency:
    return Sum::Time;
  case Objective::Error:
    return Sum::Loss;
  case Objective::Automatic:
    break;
  }
  // What has no budget is made small; of two, the one that users ask for.
  return !request.maxDrop ? Sum::Loss : request.maxBytes ? Sum::Time : Sum::Bytes;
}

std::optional<Assignment> Selector::allFloat() const {
  for (unsigned format = 0; format < compiler.formats().size(); ++format)
    if (compiler.isFloat(format))
      return Assignment(compiler.layers().size(), format);
  return std::nullopt;
}

static bool prunesSome(llvm::ArrayRef<LayerFormat> formats) {
  return llvm::any_of(formats, [](const LayerFormat &format) { return format.sparsity != 0; });
}

/// The error for budgets that no selection meets: what each of them can be, alone or beside the others. What repairs have tightened is no
/// budget of the user's.
Error Selector::infeasible(const Limits &limits) const {
  if (repairs > 0)
    return unverified();
  ProblemList problems;
  const Limits whole = limitsOf();
  auto text = [](Sum sum, int64_t value) {
    return sum == Sum::Bytes ? formatv("{0} bytes", value).str() : formatv("{0:f1} us", value / 1e3).str();
  };
  const char *time = request.maxLatency ? "--max-latency" : "the rule that a selection is not slower than float";
  for (Sum sum : {Sum::Bytes, Sum::Time}) {
    if (!limits.has(sum))
      continue;
    int64_t least = leastSum(layers, sum);
    const char *beside = "";
    if (least <= limits[sum]) {
      Limits others = limits;
      others[sum] = Limits::kUnlimited;
      std::optional<Assignment> best = choose(others, sum);
      if (!best)
        continue;
      least = sumOf(*best, sum);
      beside = " beside the others";
    }
    if (least > limits[sum])
      problems.add(formatv("{0} allows {1}; the least that the formats reach{2} is {3}", sum == Sum::Bytes ? "--max-bytes" : time,
                           text(sum, whole[sum] + otherOf(sum)), beside, text(sum, least + otherOf(sum)))
                       .str());
  }
  if (limits.has(Sum::Time) && leastSum(layers, Sum::Time) > limits[Sum::Time] && !prunesSome(compiler.formats()))
    problems.add("zeros make code faster where fewer bits do not, at a loss: --formats=int8,int8/sparsity:0.5,int8/sparsity:0.7 prunes layers");
  return problems.take("no selection of formats meets the budgets:");
}

//===----------------------------------------------------------------------===//
// Verification and repair
//===----------------------------------------------------------------------===//

static Limits withoutLoss(Limits limits) {
  limits[Sum::Loss] = Limits::kUnlimited;
  return limits;
}

/// What the search is to keep the drop on its samples within: the budget, until a verification shows how the drop on others differs.
double Selector::searchDrop() const { return dropTarget.value_or(*request.maxDrop); }

/// The selection that makes the objective least with a sum of losses within a limit, and its drop on the samples of the search;
/// nothing if there is none.
Expected<std::optional<Selector::Attempt>> Selector::attempt(Limits limits, int64_t loss) {
  limits[Sum::Loss] = loss;
  std::optional<Assignment> assignment = choose(limits, objective());
  if (!assignment)
    return std::nullopt;
  return measureAttempt(std::move(*assignment));
}

/// Each assignment is compiled once.
Expected<Selector::Attempt> Selector::measureAttempt(Assignment assignment) {
  auto known = searchDrops.find(assignment);
  if (known != searchDrops.end())
    return Attempt{std::move(assignment), known->second};
  auto measured = measure(compiler.compile(assignment), search);
  if (!measured)
    return measured.takeError();
  searchDrops[assignment] = measured->drop;
  return Attempt{std::move(assignment), measured->drop};
}

/// The least drop that the formats reach on the samples of the search.
Expected<Selector::Attempt> Selector::attemptLeastDrop(const Limits &limits) {
  std::optional<Assignment> most = choose(withoutLoss(limits), Sum::Loss);
  if (!most)
    return infeasible(limits);
  auto best = measureAttempt(std::move(*most));
  if (!best)
    return best.takeError();
  if (best->drop > searchDrop() && !request.maxBytes && !request.maxLatency && allFloat()) {
    // The sum of the layers' times, not the model's, kept some layer from float.
    best = measureAttempt(*allFloat());
    if (!best)
      return best.takeError();
  }
  if (best->drop > *request.maxDrop)
    return userError(formatv("--max-drop {0}: the least that the formats reach on the samples of the search is {1} {2}",
                             digits(*request.maxDrop), digits(best->drop), metric.unit())
                         .str());
  return best;
}

/// The middle of two limits: of their logarithms above 0, which is int8's, as the limits of few bits are thousands of those of many.
static int64_t middleOf(int64_t low, int64_t high) {
  if (low < 0)
    return high > 0 ? 0 : low + (high - low) / 2;
  const double least = std::max<double>(low, high / 1024.0);
  return std::clamp<int64_t>(std::llround(std::sqrt(least * high)), low, high);
}

/// The cheapest selection whose drop on the samples of the search is within the
/// budget: the limit of the losses' sum is found by bisection, because the sum
/// foretells the drop's order, not its value.
Expected<Assignment> Selector::chooseByDrop(const Limits &limits) {
  auto widest = attempt(limits, Limits::kUnlimited);
  if (!widest)
    return widest.takeError();
  if (*widest && (*widest)->drop <= searchDrop())
    return std::move((*widest)->assignment);
  auto best = attemptLeastDrop(limits);
  if (!best)
    return best.takeError();
  int64_t low = sumOf(best->assignment, Sum::Loss), high = *widest ? sumOf((*widest)->assignment, Sum::Loss) : Limits::kUnlimited;
  constexpr int kSteps = 10;
  constexpr double kNear = 0.05; // of the budget: nearer is not worth a compilation
  for (int step = 0; step < kSteps && high - low > 1 && best->drop < searchDrop() - kNear * std::abs(searchDrop()); ++step) {
    int64_t middle = middleOf(low, high);
    auto tried = attempt(limits, middle);
    if (!tried)
      return tried.takeError();
    bool holds = *tried && (*tried)->drop <= searchDrop();
    (holds ? low : high) = middle;
    if (holds)
      best = std::move(**tried);
  }
  return std::move(best->assignment);
}

/// The limits of the sums that are chosen, from the budgets of the whole model.
Limits Selector::limitsOf() const {
  Limits limits;
  if (request.maxBytes)
    limits[Sum::Bytes] = int64_t(request.maxBytes->limit(selection.wholeFloat.constantBytes)) - otherBytes;
  if (request.maxLatency)
    limits[Sum::Time] = int64_t(1e3 * request.maxLatency->limit(selection.plainInt8.microseconds)) - otherTime;
  else if (selection.plainInt8.microseconds < selection.wholeFloat.microseconds)
    limits[Sum::Time] = int64_t(1e3 * selection.wholeFloat.microseconds) - otherTime; // Never slower than float.
  return limits;
}

/// By how much the sums are to shrink, for the model's budgets to hold; 0 or less for those that do.
Limits Selector::excessOf(const Assignment &assignment, const Measured &measured) const {
  const Limits whole = limitsOf();
  Limits excess{{0, 0, 0}};
  if (request.maxBytes)
    excess[Sum::Bytes] = measured.constantBytes - otherBytes - whole[Sum::Bytes];
  bool isFloat = !request.maxLatency && assignment == allFloat(); // As fast as float, but for noise.
  if (whole[Sum::Time] < Limits::kUnlimited && !isFloat)
    excess[Sum::Time] = int64_t(1e3 * measured.microseconds) - otherTime - whole[Sum::Time];
  if (request.maxDrop && measured.drop > *request.maxDrop)
    excess[Sum::Loss] = 1; // How much less the losses must be is not known.
  return excess;
}

/// Whether the model keeps the budgets.
bool Selector::holds(const Assignment &assignment, const Measured &measured) const {
  return llvm::all_of(excessOf(assignment, measured).values, [](int64_t excess) { return excess <= 0; });
}

/// Tightens what the model exceeds its budgets by; whether it does. Never below what the formats reach: on a machine with other work a time
/// may be far too long once, and the smallest selection is to be tried then.
bool Selector::tighten(Limits &limits, const Selection &tried) {
  const Limits excess = excessOf(tried.assignment, tried.chosen);
  for (Sum sum : {Sum::Bytes, Sum::Time})
    if (excess[sum] > 0)
      limits[sum] = std::max(std::min(limits[sum], sumOf(tried.assignment, sum)) - excess[sum], leastSum(layers, sum));
  if (excess[Sum::Loss] > 0)
    retarget(tried.chosen.drop);
  return !holds(tried.assignment, tried.chosen);
}

/// Moves the search's budget of the drop as far as a verified drop was from the budget: by their ratio, which is at most 2, where drops
/// start at 0.
void Selector::retarget(double drop) {
  constexpr double kMargin = 0.98; // A repair is to end.
  const double budget = *request.maxDrop, now = searchDrop();
  const bool isRatio = metric.startsAtZero() && budget > 0;
  dropTarget = !isRatio ? now + budget - drop : drop > budget ? now * kMargin * budget / drop : now * (drop > budget / 2 ? budget / drop : 2);
}

/// Budgets first, then what the user counts, then the distance, which samples tell more of.
bool Selector::isBetter(const Selection &one, const Selection &other) const {
  auto rank = [&](const Selection &selection) {
    const Measured &measured = selection.chosen;
    return std::tuple(!holds(selection.assignment, measured), request.maxDrop ? measured.drop : 0, measured.loss);
  };
  return rank(one) < rank(other);
}

/// The assignment on the samples kept for verification; with --sequential rounded in both ways, of which the better is chosen.
Expected<Selection> Selector::verifyChoice(Assignment assignment) {
  Selection tried{std::move(assignment), {}, selection.plainInt8, selection.wholeFloat, false, std::nullopt, std::nullopt};
  Expected<Measured> plainly = measure(compiler.compile(tried.assignment), verify);
  if (!plainly)
    return plainly.takeError();
  tried.chosen = *plainly;
  const Limits excess = excessOf(tried.assignment, *plainly);
  if (!compiler.isSequential() || excess[Sum::Bytes] > 0 || excess[Sum::Time] > 0) // which other codes do not change
    return tried;
  Expected<Measured> sequentially = measure(compiler.compileSequentially(tried.assignment, search), verify);
  if (!sequentially)
    return sequentially.takeError();
  Selection second = tried;
  second.isSequential = true;
  second.chosen = *sequentially;
  second.other = tried.chosen;
  tried.other = second.chosen;
  return isBetter(tried, second) ? tried : second;
}

//===----------------------------------------------------------------------===//
// Single formats
//===----------------------------------------------------------------------===//

static bool allows(const LayerChoices &choices, unsigned format) {
  return llvm::any_of(choices, [&](const Choice &choice) { return choice.format == format; });
}

/// The assignment that --weights=FORMAT makes; nothing if no layer may have the format, or a layer neither it nor int8.
std::optional<Assignment> Selector::throughout(unsigned format) const {
  Assignment assignment;
  bool isUsed = format == 0;
  for (auto [layer, choices] : llvm::zip_equal(compiler.layers(), layers)) {
    const bool keepsInt8 = layer.keepsInt8 && !compiler.isFloat(format);
    const unsigned own = !keepsInt8 && allows(choices, format) ? format : 0;
    if (!allows(choices, own))
      return std::nullopt;
    isUsed |= own == format;
    assignment.push_back(own);
  }
  return isUsed ? std::optional(std::move(assignment)) : std::nullopt;
}

/// The single format within limits that should be nearest to float.
std::optional<Assignment> Selector::bestSingle(const Limits &limits) const {
  std::optional<Assignment> best;
  for (unsigned format = 0; format < compiler.formats().size(); ++format) {
    std::optional<Assignment> single = throughout(format);
    const bool fits = single && sumOf(*single, Sum::Bytes) <= limits[Sum::Bytes] && sumOf(*single, Sum::Time) <= limits[Sum::Time];
    if (fits && (!best || sumOf(*single, Sum::Loss) < sumOf(*best, Sum::Loss)))
      best = std::move(single);
  }
  return best;
}

/// Losses add up as far as layers know nothing of each other, which formats that all layers share defy most: one of these that
/// keeps the budgets is tried beside the selection, which it replaces where it is nearer to float.
Error Selector::compareWithSingle(const Limits &limits) {
  if (objective() != Sum::Loss)
    return Error::success();
  std::optional<Assignment> single = bestSingle(limits);
  if (!single || *single == selection.assignment)
    return Error::success();
  Expected<Selection> tried = verifyChoice(std::move(*single));
  if (!tried)
    return tried.takeError();
  if (isBetter(*tried, selection)) {
    tried->summed = selection.chosen;
    selection = std::move(*tried);
  }
  return Error::success();
}

/// What is made least, where that is not the error.
double Selector::cost(const Measured &measured) const {
  return objective() == Sum::Bytes ? double(measured.constantBytes) : measured.microseconds;
}

/// Times of layers wander on a machine with other work: what was chosen by them may take longer than int8 throughout, which is measured anyway.
Error Selector::compareWithPlain() {
  const Assignment plainly(compiler.layers().size(), 0);
  if (objective() == Sum::Loss || selection.assignment == plainly || !holds(plainly, selection.plainInt8) ||
      cost(selection.plainInt8) > cost(selection.chosen))
    return Error::success();
  Expected<Selection> tried = verifyChoice(plainly);
  if (!tried)
    return tried.takeError();
  if (holds(plainly, tried->chosen))
    selection = std::move(*tried);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Slack
//===----------------------------------------------------------------------===//

/// Layers in a model of one format take other times than in the chosen one: where this leaves a part of the budget of time, the
/// search gets that much more, as long as what it then chooses is nearer to float and keeps the budgets.
Error Selector::useSlack(Limits limits) {
  if (objective() != Sum::Loss || !request.maxLatency)
    return Error::success();
  constexpr int kRounds = 3;
  constexpr double kWorthwhile = 0.02;
  const double budget = request.maxLatency->limit(selection.plainInt8.microseconds);
  for (int round = 0; round < kRounds; ++round) {
    const double slack = budget - selection.chosen.microseconds;
    if (slack < kWorthwhile * budget)
      break;
    limits[Sum::Time] = sumOf(selection.assignment, Sum::Time) + int64_t(1e3 * slack);
    std::optional<Assignment> wider = choose(limits, Sum::Loss);
    if (!wider || *wider == selection.assignment)
      break;
    Expected<Selection> tried = verifyChoice(std::move(*wider));
    if (!tried)
      return tried.takeError();
    if (!holds(tried->assignment, tried->chosen))
      break;
    selection = std::move(*tried);
  }
  return Error::success();
}

/// A budget of the drop that is not used up makes the objective larger than need be: the drop on other samples, or rounded layer by layer,
/// is less than the search counts with. Not for the metrics that a few samples say little of.
Error Selector::useSlackOfDrop(const Limits &limits) {
  if (!request.maxDrop || objective() == Sum::Loss || !metric.isContinuous())
    return Error::success();
  constexpr int kRounds = 2;
  constexpr double kWorthwhile = 0.1; // of the distance from float
  for (int round = 0; round < kRounds; ++round) {
    if (metric.distance(selection.chosen.drop) > (1 - kWorthwhile) * metric.distance(*request.maxDrop))
      break;
    retarget(selection.chosen.drop);
    Expected<Assignment> wider = chooseByDrop(limits);
    if (!wider)
      return wider.takeError();
    if (*wider == selection.assignment)
      break;
    Expected<Selection> tried = verifyChoice(std::move(*wider));
    if (!tried)
      return tried.takeError();
    if (!holds(tried->assignment, tried->chosen) || cost(tried->chosen) >= cost(selection.chosen))
      break;
    selection = std::move(*tried);
  }
  return Error::success();
}

/// The error when what was chosen last exceeds a budget where it is verified, and there is nothing else to choose.
Error Selector::unverified() const {
  return userError(formatv("the budgets do not hold on the samples kept for verification after {0} repairs; the last "
                           "model has {1} bytes of constants, {2:f1} us, and a drop of {3} {4}",
                           repairs, selection.chosen.constantBytes, selection.chosen.microseconds,
                           digits(selection.chosen.drop), metric.unit())
                       .str());
}

Expected<Selection> Selector::run() {
  if (Error error = prepare())
    return std::move(error);
  if (Error error = measureLayers())
    return std::move(error);
  Limits limits = limitsOf();
  constexpr int kRepairs = 8;
  for (; repairs < kRepairs; ++repairs) {
    Expected<Assignment> assignment = Assignment();
    if (request.maxDrop) {
      assignment = chooseByDrop(limits);
      if (!assignment)
        return assignment.takeError();
    } else {
      std::optional<Assignment> found = choose(limits, objective());
      if (!found)
        return infeasible(limits);
      assignment = std::move(*found);
    }
    Expected<Selection> tried = verifyChoice(std::move(*assignment));
    if (!tried)
      return tried.takeError();
    selection = std::move(*tried);
    if (tighten(limits, selection))
      continue;
    if (Error error = useSlack(limits))
      return std::move(error);
    if (Error error = useSlackOfDrop(limits))
      return std::move(error);
    if (Error error = compareWithSingle(limitsOf()))
      return std::move(error);
    if (Error error = compareWithPlain())
      return std::move(error);
    return std::move(selection);
  }
  return unverified();
}

Expected<Selection> mlir::halftone::selectPrecision(VariantCompiler &compiler, const SelectionRequest &request,
                                                    const SampleRange &search, const SampleRange &verify) {
  return Selector(compiler, request, search, verify).run();
}
