//===- PrecisionSelection.cpp - A format for every layer, by measurement --===//
#include "PrecisionSelection.h"
#include "Command.h"
#include "Profile.h"
#include "Progress.h"
#include "halftone/Data/ProblemList.h"
#include "halftone/Precision/Knapsack.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::formatv;

static constexpr LayerFormat kFormats[] = {LayerFormat::Int8,
                                           LayerFormat::Float};

/// Losses as integers: a billionth is far below what samples can tell.
static constexpr double kLossUnit = 1e-9;
static constexpr int64_t kUnlimited = int64_t(1) << 60;

/// Six digits, however small.
static std::string digits(double value) {
  std::string text;
  llvm::raw_string_ostream(text) << llvm::format("%.6g", value);
  return text;
}

namespace {
/// What a choice costs.
struct Costs {
  int64_t bytes = 0, nanoseconds = 0, loss = 0;
};

class Selector {
public:
  Selector(const VariantCompiler &compiler, const SelectionRequest &request,
           const SampleRange &search, const SampleRange &verify)
      : compiler(compiler), request(request), search(search), verify(verify) {}

  Expected<Selection> run();

private:
  /// The three sums that a selection has.
  enum Sum { Bytes, Time, Loss };
  static int64_t get(const Costs &costs, Sum sum) {
    return sum == Bytes ? costs.bytes : sum == Time ? costs.nanoseconds : costs.loss;
  }

  Error prepare();
  Error measureLayers();
  Expected<std::vector<double>> timeLayers(const Variant &variant) const;
  std::optional<Assignment> choose(const std::array<int64_t, 3> &limits, Sum least) const;
  Error infeasible(const std::array<int64_t, 3> &limits) const;
  int64_t sumOf(const Assignment &assignment, Sum sum) const;
  Expected<Measured> measure(const Assignment &assignment, const SampleRange &range);
  Expected<Assignment> chooseByDrop(std::array<int64_t, 3> limits);
  Assignment allFloat() const { return Assignment(compiler.layers().size(), LayerFormat::Float); }
  std::array<int64_t, 3> limitsOf() const;
  bool tighten(std::array<int64_t, 3> &limits, const Assignment &assignment, const Measured &measured) const;
  Sum objective() const;

  const VariantCompiler &compiler;
  const SelectionRequest &request;
  SampleRange search, verify;

  std::optional<Variant> floats, plain; ///< All float, all int8.
  std::vector<Tensor> searchOutputs, verifyOutputs; ///< Of float.
  Metric metric;
  Selection selection;
  std::vector<std::vector<Costs>> costs; ///< By layer and format.
  int64_t otherBytes = 0, otherTime = 0; ///< Of what is not chosen.
};
} // namespace

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

/// The median time of both models, in turns; one thread, the least batch.
static Expected<std::pair<double, double>> raceModels(const Variant &a, const Variant &b) {
  std::vector<Contestant> both;
  for (const Variant *variant : {&a, &b}) {
    auto contestant = Contestant::prepare(variant->path(), 1, variant->model.info().minBatch);
    if (!contestant)
      return contestant.takeError();
    if (Error error = contestant->fillRound())
      return std::move(error);
    both.push_back(std::move(*contestant));
  }
  constexpr int kRounds = 15;
  for (int round = 0; round < kRounds; ++round)
    for (Contestant &one : both)
      if (Error error = one.runRound())
        return std::move(error);
  return std::make_pair(median(both[0].roundMicroseconds), median(both[1].roundMicroseconds));
}

Error Selector::prepare() {
  auto all = [&](LayerFormat format) { return Assignment(compiler.layers().size(), format); };
  auto compiledFloat = compiler.compileFloat();
  if (!compiledFloat)
    return compiledFloat.takeError();
  floats = std::move(*compiledFloat);
  auto compiledPlain = compiler.compile(all(LayerFormat::Int8));
  if (!compiledPlain)
    return compiledPlain.takeError();
  plain = std::move(*compiledPlain);
  for (auto [outputs, range] : {std::pair(&searchOutputs, &search), {&verifyOutputs, &verify}}) {
    auto run = floats->run(*range);
    if (!run)
      return run.takeError();
    *outputs = std::move(*run);
  }
  auto made = Metric::make(request.metric, request.metricCommand, floats->path(), verifyOutputs);
  if (!made)
    return made.takeError();
  metric = std::move(*made);
  auto times = raceModels(*floats, *plain);
  if (!times)
    return times.takeError();
  selection.wholeFloat = {0, floats->constantBytes(), times->first};
  auto outputs = plain->run(verify);
  if (!outputs)
    return outputs.takeError();
  auto drop = metric.drop(plain->path(), verifyOutputs, *outputs);
  if (!drop)
    return drop.takeError();
  selection.plainInt8 = {*drop, plain->constantBytes(), times->second};
  return Error::success();
}

/// The time of each layer in microseconds: what the profile lists under its
/// name.
Expected<std::vector<double>> Selector::timeLayers(const Variant &variant) const {
  auto contestant = Contestant::prepare(variant.path(), 1, variant.model.info().minBatch);
  if (!contestant)
    return contestant.takeError();
  if (Error error = contestant->fillRound())
    return std::move(error);
  auto profile = measureProfile(*contestant, 15);
  if (!profile)
    return profile.takeError();
  llvm::StringMap<double> byName;
  for (const ProfileRow &row : profile->layers)
    if (!row.name.empty())
      byName[row.name] += row.microseconds;
  std::vector<double> times;
  for (const SelectableLayer &layer : compiler.layers())
    times.push_back(byName.lookup(layer.name));
  return times;
}

Error Selector::measureLayers() {
  auto plainTimes = timeLayers(*plain), floatTimes = timeLayers(*floats);
  if (!plainTimes)
    return plainTimes.takeError();
  if (!floatTimes)
    return floatTimes.takeError();
  auto outputs = plain->run(search);
  if (!outputs)
    return outputs.takeError();
  double base = measureLoss(metric, searchOutputs, *outputs);
  Progress progress("measuring", "layers", compiler.layers().size());
  otherBytes = plain->constantBytes();
  otherTime = 1e3 * selection.plainInt8.microseconds;
  for (auto [i, layer] : llvm::enumerate(compiler.layers())) {
    std::vector<Costs> choices;
    for (LayerFormat format : kFormats) {
      Costs choice;
      choice.bytes = layer.bytes(format);
      choice.nanoseconds = 1e3 * (format == LayerFormat::Float ? *floatTimes : *plainTimes)[i];
      if (format != LayerFormat::Int8) {
        Assignment assignment(compiler.layers().size(), LayerFormat::Int8);
        assignment[i] = format;
        auto variant = compiler.compile(assignment);
        if (!variant)
          return variant.takeError();
        auto changed = variant->run(search);
        if (!changed)
          return changed.takeError();
        // Float is the reference: a loss above int8's is noise of the samples, and would keep the search from it.
        choice.loss = std::llround((measureLoss(metric, searchOutputs, *changed) - base) / kLossUnit);
        if (format == LayerFormat::Float)
          choice.loss = std::min<int64_t>(choice.loss, -1);
      }
      choices.push_back(choice);
    }
    otherBytes -= choices.front().bytes;
    otherTime -= choices.front().nanoseconds;
    costs.push_back(std::move(choices));
    progress.update(i + 1);
  }
  return Error::success();
}

Expected<Measured> Selector::measure(const Assignment &assignment, const SampleRange &range) {
  auto variant = compiler.compile(assignment);
  if (!variant)
    return variant.takeError();
  auto outputs = variant->run(range);
  if (!outputs)
    return outputs.takeError();
  bool isSearch = range.begin == search.begin && range.end == search.end;
  auto drop = metric.drop(variant->path(), isSearch ? searchOutputs : verifyOutputs, *outputs);
  if (!drop)
    return drop.takeError();
  auto times = raceModels(*plain, *variant);
  if (!times)
    return times.takeError();
  // The machine's speed wanders: the ratio is what was measured in turns.
  double microseconds = selection.plainInt8.microseconds * times->second / times->first;
  return Measured{*drop, variant->constantBytes(), microseconds};
}

//===----------------------------------------------------------------------===//
// Choosing
//===----------------------------------------------------------------------===//

Selector::Sum Selector::objective() const {
  switch (request.objective) {
  case Objective::Size:
    return Bytes;
  case Objective::Latency:
    return Time;
  case Objective::Error:
    return Loss;
  case Objective::Automatic:
    break;
  }
  // What has no budget is made small; of two, the one that users ask for.
  return !request.maxDrop ? Loss : request.maxBytes ? Time : Bytes;
}

int64_t Selector::sumOf(const Assignment &assignment, Sum sum) const {
  int64_t total = 0;
  for (auto [choices, format] : llvm::zip(costs, assignment))
    total += get(choices[int(format)], sum);
  return total;
}

/// The least of one sum with all within limits; nothing if there is no such
/// selection.
std::optional<Assignment> Selector::choose(const std::array<int64_t, 3> &limits, Sum least) const {
  Sum others[2];
  int count = 0;
  for (Sum sum : {Bytes, Time, Loss})
    if (sum != least)
      others[count++] = sum;
  // Weights are not negative: every item's least is taken off all its choices.
  std::vector<KnapsackItem> items;
  KnapsackWeights left = {limits[others[0]], limits[others[1]]};
  for (const std::vector<Costs> &choices : costs) {
    KnapsackItem item;
    for (const Costs &choice : choices)
      item.push_back({get(choice, least), {get(choice, others[0]), get(choice, others[1])}});
    for (int limit = 0; limit < kKnapsackLimits; ++limit) {
      int64_t lowest = item.front().weights[limit];
      for (const KnapsackChoice &choice : item)
        lowest = std::min(lowest, choice.weights[limit]);
      for (KnapsackChoice &choice : item)
        choice.weights[limit] -= lowest;
      left[limit] -= lowest;
    }
    items.push_back(std::move(item));
  }
  std::optional<KnapsackAnswer> answer = solveKnapsack(items, left);
  if (!answer || answer->value > limits[least])
    return std::nullopt;
  Assignment assignment;
  for (unsigned choice : answer->choices)
    assignment.push_back(kFormats[choice]);
  return assignment;
}

/// The error for budgets that no selection meets: the best that each of them
/// can be, alone and beside the others.
Error Selector::infeasible(const std::array<int64_t, 3> &limits) const {
  ProblemList problems;
  const char *time = request.maxLatency ? "--max-latency" : "the rule that a selection is not slower than float";
  const char *names[] = {"--max-bytes", time, "--max-drop"};
  const char *units[] = {" bytes", " ns", " of a billionth of loss"};
  int64_t others[] = {otherBytes, otherTime, 0};
  for (Sum sum : {Bytes, Time, Loss}) {
    if (limits[sum] >= kUnlimited / 2)
      continue;
    int64_t least = others[sum];
    for (const std::vector<Costs> &choices : costs) {
      int64_t lowest = get(choices.front(), sum);
      for (const Costs &choice : choices)
        lowest = std::min(lowest, get(choice, sum));
      least += lowest;
    }
    problems.add(formatv("{0} allows {1}{2}; the least that the formats reach is {3}", names[sum],
                         limits[sum] + others[sum], units[sum], least)
                     .str());
  }
  return problems.take("no selection of formats meets the budgets:");
}

//===----------------------------------------------------------------------===//
// Verification and repair
//===----------------------------------------------------------------------===//

/// The cheapest selection whose drop on the samples of the search is within the
/// budget: the limit of the losses' sum is found by bisection, because the sum
/// foretells the drop's order, not its value.
Expected<Assignment> Selector::chooseByDrop(std::array<int64_t, 3> limits) {
  auto attempt = [&](int64_t loss) -> Expected<std::optional<std::pair<Assignment, double>>> {
    limits[Loss] = loss;
    std::optional<Assignment> assignment = choose(limits, objective());
    if (!assignment)
      return std::nullopt;
    auto measured = measure(*assignment, search);
    if (!measured)
      return measured.takeError();
    return std::make_pair(std::move(*assignment), measured->drop);
  };
  auto widest = attempt(limits[Loss]);
  if (!widest)
    return widest.takeError();
  if (*widest && (*widest)->second <= *request.maxDrop)
    return (*widest)->first;
  int64_t high = *widest ? sumOf((*widest)->first, Loss) : limits[Loss];
  std::optional<Assignment> most = choose({limits[Bytes], limits[Time], kUnlimited}, Loss);
  if (!most)
    return infeasible(limits);
  auto best = measure(*most, search);
  if (!best)
    return best.takeError();
  if (best->drop > *request.maxDrop && !request.maxBytes && !request.maxLatency) {
    // The sum of the layers' times, not the model's, kept some layer from float.
    most = allFloat();
    best = measure(*most, search);
    if (!best)
      return best.takeError();
  }
  if (best->drop > *request.maxDrop)
    return userError(formatv("--max-drop {0}: the least that the formats reach on the samples of the search is {1} {2}",
                             digits(*request.maxDrop), digits(best->drop), metric.unit())
                         .str());
  Assignment chosen = *most;
  int64_t low = sumOf(*most, Loss);
  constexpr int kSteps = 6;
  for (int step = 0; step < kSteps && high - low > 1; ++step) {
    int64_t middle = low + (high - low) / 2;
    auto tried = attempt(middle);
    if (!tried)
      return tried.takeError();
    bool holds = *tried && (*tried)->second <= *request.maxDrop;
    (holds ? low : high) = middle;
    if (holds)
      chosen = (*tried)->first;
  }
  return chosen;
}

/// The limits of the sums that are chosen, from the budgets of the whole model.
std::array<int64_t, 3> Selector::limitsOf() const {
  std::array<int64_t, 3> limits = {kUnlimited, kUnlimited, kUnlimited};
  if (request.maxBytes)
    limits[Bytes] = int64_t(request.maxBytes->limit(selection.wholeFloat.constantBytes)) - otherBytes;
  if (request.maxLatency)
    limits[Time] = int64_t(1e3 * request.maxLatency->limit(selection.plainInt8.microseconds)) - otherTime;
  else if (selection.plainInt8.microseconds < selection.wholeFloat.microseconds)
    limits[Time] = int64_t(1e3 * selection.wholeFloat.microseconds) - otherTime; // Never slower than float.
  return limits;
}

/// Tightens the limits by what the model exceeds its budgets; whether it does.
bool Selector::tighten(std::array<int64_t, 3> &limits, const Assignment &assignment, const Measured &measured) const {
  std::array<int64_t, 3> whole = limitsOf();
  bool exceeds = false;
  auto check = [&](Sum sum, int64_t excess) {
    if (excess <= 0)
      return;
    exceeds = true;
    limits[sum] = std::min(limits[sum], sumOf(assignment, sum)) - std::max<int64_t>(excess, 1);
  };
  if (request.maxBytes)
    check(Bytes, measured.constantBytes - otherBytes - whole[Bytes]);
  bool isFloat = !request.maxLatency && assignment == allFloat(); // As fast as float, but for noise.
  if (whole[Time] < kUnlimited && !isFloat)
    check(Time, int64_t(1e3 * measured.microseconds) - otherTime - whole[Time]);
  if (request.maxDrop && measured.drop > *request.maxDrop)
    check(Loss, std::max<int64_t>(std::abs(sumOf(assignment, Loss)) / 10, 1));
  return exceeds;
}

Expected<Selection> Selector::run() {
  if (Error error = prepare())
    return std::move(error);
  if (Error error = measureLayers())
    return std::move(error);
  std::array<int64_t, 3> limits = limitsOf();
  constexpr int kRepairs = 8;
  for (int round = 0; round < kRepairs; ++round) {
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
    Expected<Measured> measured = measure(*assignment, verify);
    if (!measured)
      return measured.takeError();
    selection.assignment = *assignment;
    selection.chosen = *measured;
    if (!tighten(limits, *assignment, *measured))
      return std::move(selection);
  }
  return userError(formatv("the budgets do not hold on the samples kept for verification after {0} repairs; the last "
                           "model has {1} bytes of constants, {2:f1} us, and a drop of {3} {4}",
                           kRepairs, selection.chosen.constantBytes, selection.chosen.microseconds,
                           digits(selection.chosen.drop), metric.unit())
                       .str());
}

Expected<Selection> mlir::halftone::selectPrecision(const VariantCompiler &compiler, const SelectionRequest &request,
                                                    const SampleRange &search, const SampleRange &verify) {
  return Selector(compiler, request, search, verify).run();
}
