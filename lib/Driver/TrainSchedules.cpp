//===- TrainSchedules.cpp - what comes in while weights are trained ---------===//
#include "TrainSchedules.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected, llvm::Twine;
namespace cl = llvm::cl;

ScheduleOptions::ScheduleOptions(CommandLine &line)
    : sparsity("prune", cl::sub(line.command), cl::init(0), cl::value_desc("share"),
               cl::desc("Share of weights that become zero while they are trained, quickly at first (arXiv:1710.01878)")),
      sparsityFrom("prune-from", cl::sub(line.command), cl::init(0), cl::value_desc("share"),
                   cl::desc("With --prune: the share to begin with (default 0)")),
      pruneEpochs("prune-epochs", cl::sub(line.command), cl::value_desc("A:B"),
                  cl::desc("With --prune: begin and end of pruning, in epochs, as 0:1.5 (default: the first half)")),
      every("prune-every", cl::sub(line.command), cl::init(0), cl::value_desc("steps"),
            cl::desc("With --prune: steps from one pruning to the next (default: a 16th of --prune-epochs)")),
      pattern("prune-pattern", cl::sub(line.command), cl::init("blocks"), cl::value_desc("pattern"),
              cl::desc("With --prune: blocks (default) or unstructured, as of `halftone prune`")),
      scope("prune-scope", cl::sub(line.command), cl::init(PruningScope::Layer), cl::desc("With --prune: where the share is met (default layer):"),
            pruningScopeValues()),
      exclude("prune-exclude", cl::sub(line.command), cl::value_desc("regex"),
              cl::desc("With --prune: layers that are left alone, by name; may be repeated")),
      ends("prune-ends", cl::sub(line.command), cl::desc("With --prune: the first and the last layer, too")),
      castsFrom("quantize-from-epoch", cl::sub(line.command), cl::init(0), cl::value_desc("epochs"),
                cl::desc("Of a quantized model: train floats for so many epochs, before casts round")),
      bitsFrom("bits-from", cl::sub(line.command), cl::init(0), cl::value_desc("bits"),
               cl::desc("Of a quantized model: weights of fewer bits begin with so many, which fall to their own one by one")),
      bitsEpochs("bits-epochs", cl::sub(line.command), cl::value_desc("A:B"),
                 cl::desc("With --bits-from: when they fall, in epochs (default: the first half)")) {}

/// Two numbers of epochs; without a text the first half of all.
static Expected<std::pair<double, double>> parseEpochs(StringRef option, StringRef text, int64_t epochs) {
  if (text.empty())
    return std::make_pair(0.0, 0.5 * double(epochs));
  auto [first, second] = text.split(':');
  std::pair<double, double> range;
  if (first.getAsDouble(range.first) || second.getAsDouble(range.second) ||
      !(range.first >= 0 && range.first <= range.second && range.second <= double(epochs)))
    return userError("--" + option + "=" + text + " is no range of epochs: give A:B with 0 <= A <= B <= " + Twine(epochs) + ", as 0:1.5");
  return range;
}

/// First and last step of a range of epochs. The last step of all trains what is left.
static std::pair<int64_t, int64_t> stepsOf(std::pair<double, double> range, int64_t epochs, int64_t stepsPerEpoch) {
  const int64_t end = std::min<int64_t>(std::llround(range.second * stepsPerEpoch), epochs * stepsPerEpoch - 1);
  return {std::min<int64_t>(std::llround(range.first * stepsPerEpoch), end), end};
}

Error ScheduleOptions::check(int64_t epochs) const {
  const cl::Option *const companions[] = {&sparsityFrom, &pruneEpochs, &every, &pattern, &scope, std::addressof(exclude), &ends};
  for (const cl::Option *option : companions)
    if (option->getNumOccurrences() && !prunes())
      return userError("--" + option->ArgStr + " is for --prune, the share of weights that become zero");
  if (!(sparsity >= 0 && sparsity < 1) || !(sparsityFrom >= 0 && sparsityFrom <= sparsity) || every < 0)
    return userError("--prune is a share from 0 to below 1, --prune-from one from 0 to --prune, --prune-every a number of steps");
  if (pattern != "blocks" && pattern != "unstructured")
    return userError("--prune-pattern=" + pattern + " is none of blocks, unstructured");
  if (!(castsFrom >= 0 && castsFrom < double(epochs)))
    return userError("--quantize-from-epoch is from 0 to below --epochs: the result is quantized");
  if (bitsFrom.getNumOccurrences() ? bitsFrom < 3 || bitsFrom > 8 : bitsEpochs.getNumOccurrences() > 0)
    return userError("--bits-from is from 3 to 8, and --bits-epochs is for it");
  if (Error error = parseEpochs("prune-epochs", pruneEpochs, epochs).takeError())
    return error;
  return parseEpochs("bits-epochs", bitsEpochs, epochs).takeError();
}

Error ScheduleOptions::mark(ModuleOp module) const {
  PruneWeightsOptions options;
  options.sparsity = 0;
  options.pattern = pattern == "blocks" ? PruningPattern::Blocks : PruningPattern::Unstructured;
  options.exclude.assign(exclude.begin(), exclude.end());
  options.ends = ends;
  options.gradually = true;
  return markForPruning(module, options);
}

Expected<GradualPruning> ScheduleOptions::pruning(ModuleOp module, int64_t epochs, int64_t stepsPerEpoch) const {
  Expected<std::pair<double, double>> range = parseEpochs("prune-epochs", pruneEpochs, epochs);
  if (!range)
    return range.takeError();
  PruningSchedule schedule;
  schedule.from = sparsityFrom;
  schedule.to = sparsity;
  std::tie(schedule.begin, schedule.end) = stepsOf(*range, epochs, stepsPerEpoch);
  schedule.every = every ? static_cast<int64_t>(every) : std::max<int64_t>(1, (schedule.end - schedule.begin) / 16);
  return GradualPruning::of(module, schedule, scope);
}

Expected<CastSchedule> ScheduleOptions::casts(ModuleOp module, int64_t epochs, int64_t stepsPerEpoch) const {
  Expected<std::pair<double, double>> range = parseEpochs("bits-epochs", bitsEpochs, epochs);
  if (!range)
    return range.takeError();
  CastSchedule schedule;
  schedule.castsFrom = std::llround(castsFrom * stepsPerEpoch);
  int64_t least = 127, casts = 0;
  module.walk([&](QuantizeOp op) {
    auto type = dyn_cast<quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(op.getType()));
    casts += 1;
    if (type)
      least = std::min<int64_t>(least, type.getStorageTypeMax());
  });
  if (casts == 0)
    return userError("--quantize-from-epoch and --bits-from are for a quantized model: give --stats, or a file of the stage 'quantization'");
  if (bitsFrom.getNumOccurrences() == 0)
    return schedule;
  schedule.bitsFrom = bitsFrom;
  schedule.bitsTo = 1 + static_cast<int>(llvm::Log2_64_Ceil(least + 1));
  if (schedule.bitsTo >= schedule.bitsFrom)
    return userError("--bits-from=" + Twine(schedule.bitsFrom) + ": no weights have fewer bits; give --weights=int2 to int7");
  std::tie(schedule.begin, schedule.end) = stepsOf(*range, epochs, stepsPerEpoch);
  return schedule;
}

std::string ScheduleOptions::text() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << sparsity << ' ' << sparsityFrom << ' ' << pruneEpochs << ' ' << every << ' ' << pattern << ' '
     << static_cast<int>(static_cast<PruningScope>(scope)) << ' ' << llvm::join(exclude.begin(), exclude.end(), ",") << ' ' << ends << ' '
     << castsFrom << ' ' << bitsFrom << ' ' << bitsEpochs;
  return text;
}
