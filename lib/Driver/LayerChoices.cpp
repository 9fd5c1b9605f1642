//===- LayerChoices.cpp - What each format costs each layer ---------------===//
#include "LayerChoices.h"
#include "OpenLibrary.h"
#include "Profile.h"
#include "Progress.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SHA256.h"
#include <cmath>
#include <numeric>

using namespace mlir::halftone;
using llvm::ArrayRef, llvm::Error, llvm::Expected, llvm::SmallVector;

static constexpr double kLossUnit = 1e-9;

int64_t mlir::halftone::leastSum(ArrayRef<LayerChoices> layers, Sum sum) {
  int64_t total = 0;
  for (const LayerChoices &choices : layers) {
    int64_t least = choices.front().of(sum);
    for (const Choice &choice : choices)
      least = std::min(least, choice.of(sum));
    total += least;
  }
  return total;
}

//===----------------------------------------------------------------------===//
// Bytes and times
//===----------------------------------------------------------------------===//

constexpr int kRounds = 60, kTurns = 3;

static Expected<Contestant> prepareProfile(const Variant &variant) {
  auto contestant = Contestant::prepare(variant.path(), 1, variant.model.info().minBatch);
  if (!contestant)
    return contestant.takeError();
  // Short rounds and many: on a machine with other work some are undisturbed.
  constexpr double kRoundMicroseconds = 2000;
  if (Error error = contestant->fillRound(kRoundMicroseconds))
    return std::move(error);
  return contestant;
}

/// Bytes and times of all layers: what the profile lists under their names.
static Expected<FormatCosts> profileLayers(const VariantCompiler &compiler, Contestant &contestant, int rounds) {
  auto profile = measureProfile(contestant, rounds, RoundTime::Least);
  if (!profile)
    return profile.takeError();
  llvm::StringMap<Costs> byName;
  for (const ProfileRow &row : profile->layers) {
    if (row.name.empty())
      continue;
    byName[row.name].bytes += int64_t(row.bytesConstant);
    byName[row.name].nanoseconds += int64_t(1e3 * row.microseconds);
  }
  FormatCosts costs;
  for (const SelectableLayer &layer : compiler.layers())
    costs.push_back(byName.lookup(layer.name));
  return costs;
}

/// What bytes and times depend on beside the model: the code's target, the costs that it was chosen by, how weights are stored.
static std::string describeCode(const Variant &plain) {
  const auto &info = plain.model.info();
  return llvm::formatv("{0} {1} {2}", info.target, info.costTable, info.constantBytes).str();
}

static int64_t sumOfTimes(const FormatCosts &costs) {
  return std::accumulate(costs.begin(), costs.end(), int64_t(0), [](int64_t sum, const Costs &cost) { return sum + cost.nanoseconds; });
}

/// Costs of a variant at the speed that the machine had when plain int8 took `before`, which plain int8 in turns with it tells: a shared machine has slow
/// minutes. The turn with the middle ratio counts.
static Expected<FormatCosts> profileBeside(const VariantCompiler &compiler, const Variant &variant, const Variant &plain, int64_t before) {
  auto contestant = prepareProfile(variant), beside = contestant ? prepareProfile(plain) : Expected<Contestant>(contestant.takeError());
  if (!beside)
    return beside.takeError();
  SmallVector<std::pair<double, FormatCosts>> turns;
  while (turns.size() < kTurns) {
    auto costs = profileLayers(compiler, *contestant, kRounds / kTurns);
    auto now = costs ? profileLayers(compiler, *beside, kRounds / kTurns) : Expected<FormatCosts>(costs.takeError());
    if (!now)
      return now.takeError();
    turns.emplace_back(double(sumOfTimes(*costs)) / double(std::max<int64_t>(sumOfTimes(*now), 1)), std::move(*costs));
  }
  llvm::sort(turns, llvm::less_first());
  auto &[ratio, costs] = turns[kTurns / 2];
  const double factor = ratio * double(before) / double(std::max<int64_t>(sumOfTimes(costs), 1));
  for (Costs &cost : costs)
    cost.nanoseconds = std::llround(factor * double(cost.nanoseconds));
  return std::move(costs);
}

/// Those of one format, in a model that has it throughout; `ofPlain`: the nanoseconds of the first one, which is int8.
static Expected<FormatCosts> measureFormat(const VariantCompiler &compiler, unsigned format, const Variant &plain,
                                           const Variant &floats, int64_t ofPlain) {
  if (format == 0) {
    auto contestant = prepareProfile(plain);
    return contestant ? profileLayers(compiler, *contestant, kRounds) : Expected<FormatCosts>(contestant.takeError());
  }
  if (compiler.isFloat(format))
    return profileBeside(compiler, floats, plain, ofPlain);
  auto variant = compiler.compileQuickly(Assignment(compiler.layers().size(), format));
  if (!variant)
    return variant.takeError();
  return profileBeside(compiler, *variant, plain, ofPlain);
}

Expected<std::vector<LayerChoices>> mlir::halftone::measureCosts(const VariantCompiler &compiler, const Variant &plain,
                                                                 const Variant &floats, MeasuredLosses &file) {
  std::vector<LayerChoices> layers(compiler.layers().size());
  const std::string code = describeCode(plain);
  int64_t ofPlain = 0; // nanoseconds
  Progress progress("measuring whole models", "formats", compiler.formats().size());
  for (unsigned format = 0; format < compiler.formats().size(); ++format) {
    const std::string name = compiler.formats()[format].name();
    std::optional<FormatCosts> costs = file.findCosts(code, name, layers.size());
    if (!costs) {
      auto measured = measureFormat(compiler, format, plain, floats, ofPlain);
      if (!measured)
        return measured.takeError();
      costs = std::move(*measured);
      if (Error error = file.addCosts(code, name, *costs))
        return std::move(error);
    }
    if (format == 0)
      ofPlain = sumOfTimes(*costs);
    for (auto [choices, cost] : llvm::zip_equal(layers, *costs))
      choices.push_back({format, cost});
    progress.update(format + 1);
  }
  return layers;
}

void mlir::halftone::dropHopeless(std::vector<LayerChoices> &layers, int64_t bytes, bool timeCounts, ArrayRef<LayerFormat> formats) {
  const int64_t least = leastSum(layers, Sum::Bytes);
  for (LayerChoices &choices : layers) {
    const int64_t others = least - leastSum(ArrayRef<LayerChoices>(choices), Sum::Bytes);
    const Costs plain = choices.front().costs;
    llvm::erase_if(choices, [&](const Choice &choice) {
      const LayerFormat &format = formats[choice.format];
      bool isCoarser = format.bits() < 8 || format.sparsity != 0;
      bool isFaster = timeCounts && choice.costs.nanoseconds < plain.nanoseconds;
      bool gainsNothing = isCoarser && choice.costs.bytes >= plain.bytes && !isFaster;
      return gainsNothing || others + choice.costs.bytes > bytes;
    });
  }
}

//===----------------------------------------------------------------------===//
// Losses
//===----------------------------------------------------------------------===//

/// The outputs that losses are differences of stand for model, samples, ranges and kernels alike.
static std::string keyOf(const VariantCompiler &compiler, const LossReference &reference) {
  llvm::SHA256 hash;
  hash.update(compiler.describe());
  hash.update(reference.metric.isTop1() ? "divergence from int8" : "noise from int8");
  for (const Tensor &tensor : reference.plainOutputs)
    hash.update(llvm::StringRef(tensor.bytes.data(), tensor.bytes.size()));
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

namespace {
/// Makes the variants that are int8 but for one layer: by exchanging constants where a format only changes these, else by
/// compiling.
class Trials {
public:
  explicit Trials(const VariantCompiler &compiler) : compiler(compiler), formats(compiler.formats().size()) {}
  Expected<Variant> make(unsigned layer, unsigned format);

private:
  Error readOpen(unsigned format);

  const VariantCompiler &compiler;
  struct Format {
    std::optional<OpenLibrary> opened;
    bool isLike = false; ///< Like int8's.
  };
  std::vector<Format> formats;
  std::vector<std::string> names; ///< Of the layers in the order of running.
};
} // namespace

Error Trials::readOpen(unsigned format) {
  auto file = compiler.compileOpen(format);
  if (!file)
    return file.takeError();
  auto opened = OpenLibrary::read(file->path());
  if (!opened)
    return opened.takeError();
  formats[format].opened = std::move(*opened);
  formats[format].isLike = formats[format].opened->isLike(*formats[0].opened);
  if (!names.empty())
    return Error::success();
  auto variant = loadVariant(std::move(*file));
  if (!variant)
    return variant.takeError();
  for (const HalftoneLayerInfo *layer : variant->model.layers())
    names.push_back(layer->name);
  return Error::success();
}

Expected<Variant> Trials::make(unsigned layer, unsigned format) {
  if (compiler.isFloat(format))
    return compiler.compileTrial(layer, format);
  for (unsigned needed : {0u, format})
    if (!formats[needed].opened)
      if (Error error = readOpen(needed))
        return std::move(error);
  if (!formats[format].isLike)
    return compiler.compileTrial(layer, format);
  SmallVector<unsigned> places;
  for (auto [place, name] : llvm::enumerate(names))
    if (name == compiler.layers()[layer].name)
      places.push_back(place);
  auto file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  std::vector<char> bytes = formats[0].opened->with(*formats[format].opened, places);
  if (Error error = writeFileAtomically(file->path(), [&](llvm::raw_ostream &os) {
        os.write(bytes.data(), bytes.size());
        return Error::success();
      }))
    return std::move(error);
  return loadVariant(std::move(*file));
}

/// How far the outputs move.
static Expected<double> tryFormat(Trials &trials, const LossReference &reference, unsigned layer, unsigned format) {
  auto variant = trials.make(layer, format);
  if (!variant)
    return variant.takeError();
  auto outputs = variant->run(reference.samples);
  if (!outputs)
    return outputs.takeError();
  return measureLoss(reference.metric, reference.plainOutputs, *outputs);
}

/// How far from float the outputs are with int8 in this layer, if there is one, and float in all others.
static Expected<double> tryAlone(const VariantCompiler &compiler, const LossReference &reference, std::optional<unsigned> layer, unsigned floatFormat) {
  Assignment assignment(compiler.layers().size(), floatFormat);
  if (layer)
    assignment[*layer] = 0;
  auto variant = compiler.compileQuickly(assignment);
  if (!variant)
    return variant.takeError();
  auto outputs = variant->run(reference.samples);
  if (!outputs)
    return outputs.takeError();
  return measureLoss(reference.metric, reference.floatOutputs, *outputs);
}

/// The choices that need a loss: int8 is where they start from.
static int64_t countTrials(ArrayRef<LayerChoices> layers) {
  int64_t trials = 0;
  for (const LayerChoices &choices : layers)
    trials += llvm::count_if(choices, [](const Choice &choice) { return choice.format != 0; });
  return trials;
}

/// Float among a layer's choices; null if it is none.
static Choice *findFloat(LayerChoices &choices, const VariantCompiler &compiler) {
  auto found = llvm::find_if(choices, [&](const Choice &choice) { return compiler.isFloat(choice.format); });
  return found == choices.end() ? nullptr : &*found;
}

/// The loss that the file has, else what `measure` gives, which the file is given.
static Expected<int64_t> findOrMeasure(MeasuredLosses &file, llvm::StringRef layer, llvm::StringRef format,
                                       llvm::function_ref<Expected<double>()> measure) {
  std::optional<double> loss = file.find(layer, format);
  if (!loss) {
    Expected<double> measured = measure();
    if (!measured)
      return measured.takeError();
    loss = *measured;
    if (Error error = file.add(layer, format, *loss))
      return std::move(error);
  }
  return std::llround(*loss / kLossUnit);
}

/// Makes losses of distances, `own` being what int8 loses in each layer by itself, `whole` in all of them.
static void separateLosses(std::vector<LayerChoices> &layers, const VariantCompiler &compiler, ArrayRef<int64_t> own, int64_t whole) {
  const int64_t sum = std::accumulate(own.begin(), own.end(), int64_t(0));
  const double share = sum > whole ? double(whole) / sum : 1;
  for (auto [choices, loss] : llvm::zip_equal(layers, own)) {
    Choice *floats = findFloat(choices, compiler);
    if (!floats)
      continue;
    const int64_t gain = std::llround(share * loss), rounding = std::max<int64_t>(floats->costs.loss - gain, 0);
    for (Choice &choice : choices)
      if (choice.format != 0 && &choice != floats)
        choice.costs.loss = std::max<int64_t>(choice.costs.loss - rounding, 0);
    floats->costs.loss = std::min<int64_t>(-gain, -1);
  }
}

Expected<MeasuredLosses> mlir::halftone::openMeasurements(const VariantCompiler &compiler, const LossReference &reference,
                                                          llvm::StringRef path) {
  return MeasuredLosses::open(path, keyOf(compiler, reference));
}

/// What int8 loses in each layer by itself: 0 where float is no choice.
static Expected<std::vector<int64_t>> measureAlone(std::vector<LayerChoices> &layers, const VariantCompiler &compiler, const LossReference &reference,
                                                   MeasuredLosses &file) {
  std::vector<int64_t> own(layers.size(), 0);
  std::optional<int64_t> others; // What is int8 beside the layers.
  Progress progress("measuring", "layers by themselves", llvm::count_if(layers, [&](LayerChoices &choices) { return findFloat(choices, compiler); }));
  int64_t done = 0;
  for (auto [i, choices] : llvm::enumerate(layers)) {
    const Choice *floats = findFloat(choices, compiler);
    if (!floats)
      continue;
    auto measure = [&](llvm::StringRef name, std::optional<unsigned> layer) {
      return findOrMeasure(file, name, "int8", [&] { return tryAlone(compiler, reference, layer, floats->format); });
    };
    if (!others) {
      auto measured = measure("", std::nullopt);
      if (!measured)
        return measured.takeError();
      others = *measured;
    }
    auto measured = measure(compiler.layers()[i].name, i);
    if (!measured)
      return measured.takeError();
    own[i] = std::max<int64_t>(*measured - *others, 0);
    progress.update(++done);
  }
  return own;
}

Error mlir::halftone::measureLosses(std::vector<LayerChoices> &layers, VariantCompiler &compiler,
                                    const LossReference &reference, MeasuredLosses &file) {
  Trials trials(compiler);
  bool isPrepared = !compiler.usesHessians();
  Progress progress("measuring", "layers and formats", countTrials(layers));
  int64_t done = 0;
  auto measure = [&](unsigned layer, unsigned format) -> Expected<double> {
    if (!isPrepared)
      if (Error error = compiler.prepareTrials(reference.fitted))
        return std::move(error);
    isPrepared = true;
    return tryFormat(trials, reference, layer, format);
  };
  for (auto [i, choices] : llvm::enumerate(layers))
    for (Choice &choice : choices) {
      if (choice.format == 0)
        continue;
      auto loss = findOrMeasure(file, compiler.layers()[i].name, compiler.formats()[choice.format].name(),
                                [&, i = i] { return measure(i, choice.format); });
      if (!loss)
        return loss.takeError();
      choice.costs.loss = *loss;
      progress.update(++done);
    }
  auto own = measureAlone(layers, compiler, reference, file);
  if (!own)
    return own.takeError();
  separateLosses(layers, compiler, *own, std::llround(measureLoss(reference.metric, reference.plainOutputs, reference.floatOutputs) / kLossUnit));
  return Error::success();
}
