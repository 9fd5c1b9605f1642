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

/// Bytes and times of all layers: what the profile lists under their names.
static Expected<FormatCosts> profileLayers(const VariantCompiler &compiler, const Variant &variant) {
  auto contestant = Contestant::prepare(variant.path(), 1, variant.model.info().minBatch);
  if (!contestant)
    return contestant.takeError();
  // Short rounds and many: on a machine with other work some are undisturbed.
  constexpr double kRoundMicroseconds = 2000;
  constexpr int kRounds = 60;
  if (Error error = contestant->fillRound(kRoundMicroseconds))
    return std::move(error);
  auto profile = measureProfile(*contestant, kRounds, RoundTime::Least);
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

/// Those of one format, in a model that has it throughout.
static Expected<FormatCosts> measureFormat(const VariantCompiler &compiler, unsigned format, const Variant &plain,
                                           const Variant &floats) {
  if (format == 0 || compiler.isFloat(format))
    return profileLayers(compiler, format == 0 ? plain : floats);
  auto variant = compiler.compileQuickly(Assignment(compiler.layers().size(), format));
  if (!variant)
    return variant.takeError();
  return profileLayers(compiler, *variant);
}

Expected<std::vector<LayerChoices>> mlir::halftone::measureCosts(const VariantCompiler &compiler, const Variant &plain,
                                                                 const Variant &floats, MeasuredLosses &file) {
  std::vector<LayerChoices> layers(compiler.layers().size());
  const std::string code = describeCode(plain);
  Progress progress("measuring whole models", "formats", compiler.formats().size());
  for (unsigned format = 0; format < compiler.formats().size(); ++format) {
    const std::string name = compiler.formats()[format].name();
    std::optional<FormatCosts> costs = file.findCosts(code, name, layers.size());
    if (!costs) {
      auto measured = measureFormat(compiler, format, plain, floats);
      if (!measured)
        return measured.takeError();
      costs = std::move(*measured);
      if (Error error = file.addCosts(code, name, *costs))
        return std::move(error);
    }
    for (auto [choices, cost] : llvm::zip_equal(layers, *costs))
      choices.push_back({format, cost});
    progress.update(format + 1);
  }
  return layers;
}

void mlir::halftone::dropHopeless(std::vector<LayerChoices> &layers, int64_t bytes, ArrayRef<LayerFormat> formats) {
  const int64_t least = leastSum(layers, Sum::Bytes);
  for (LayerChoices &choices : layers) {
    const int64_t others = least - leastSum(ArrayRef<LayerChoices>(choices), Sum::Bytes);
    const int64_t plain = choices.front().costs.bytes;
    llvm::erase_if(choices, [&](const Choice &choice) {
      const LayerFormat &format = formats[choice.format];
      bool isCoarser = format.bits() < 8 || format.sparsity != 0;
      bool gainsNothing = isCoarser && choice.costs.bytes >= plain;
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
    std::optional<OpenLibrary> library;
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
  auto library = OpenLibrary::read(file->path());
  if (!library)
    return library.takeError();
  formats[format].library = std::move(*library);
  formats[format].isLike = formats[format].library->isLike(*formats[0].library);
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
    if (!formats[needed].library)
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
  std::vector<char> bytes = formats[0].library->with(*formats[format].library, places);
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

/// The choices that need a loss: int8 is where they start from.
static int64_t countTrials(ArrayRef<LayerChoices> layers) {
  int64_t trials = 0;
  for (const LayerChoices &choices : layers)
    trials += llvm::count_if(choices, [](const Choice &choice) { return choice.format != 0; });
  return trials;
}

/// The distance of float in a layer; nothing if that is no choice.
static std::optional<int64_t> floatDistance(const LayerChoices &choices, const VariantCompiler &compiler) {
  for (const Choice &choice : choices)
    if (compiler.isFloat(choice.format))
      return choice.costs.loss;
  return std::nullopt;
}

/// Makes losses of distances, `whole` being int8's from float.
static void separateLosses(std::vector<LayerChoices> &layers, const VariantCompiler &compiler, int64_t whole) {
  double sum = 0;
  for (const LayerChoices &choices : layers)
    sum += floatDistance(choices, compiler).value_or(0);
  const double share = sum > whole ? whole / sum : 1;
  for (LayerChoices &choices : layers) {
    std::optional<int64_t> distance = floatDistance(choices, compiler);
    for (Choice &choice : choices) {
      if (!distance || choice.format == 0)
        continue;
      int64_t &loss = choice.costs.loss;
      if (compiler.isFloat(choice.format))
        loss = std::min<int64_t>(-std::llround(share * *distance), -1);
      else
        loss = std::max<int64_t>(loss - std::llround((1 - share) * *distance), 0);
    }
  }
}

Expected<MeasuredLosses> mlir::halftone::openMeasurements(const VariantCompiler &compiler, const LossReference &reference,
                                                          llvm::StringRef path) {
  return MeasuredLosses::open(path, keyOf(compiler, reference));
}

Error mlir::halftone::measureLosses(std::vector<LayerChoices> &layers, VariantCompiler &compiler,
                                    const LossReference &reference, MeasuredLosses &file) {
  Trials trials(compiler);
  bool isPrepared = !compiler.usesHessians();
  Progress progress("measuring", "layers and formats", countTrials(layers));
  int64_t done = 0;
  for (auto [i, choices] : llvm::enumerate(layers))
    for (Choice &choice : choices) {
      if (choice.format == 0)
        continue;
      const std::string &layer = compiler.layers()[i].name, format = compiler.formats()[choice.format].name();
      std::optional<double> loss = file.find(layer, format);
      if (!loss) {
        if (!isPrepared)
          if (Error error = compiler.prepareTrials(reference.fitted))
            return error;
        isPrepared = true;
        auto tried = tryFormat(trials, reference, i, choice.format);
        if (!tried)
          return tried.takeError();
        loss = *tried;
        if (Error error = file.add(layer, format, *loss))
          return error;
      }
      choice.costs.loss = std::llround(*loss / kLossUnit);
      progress.update(++done);
    }
  separateLosses(layers, compiler, std::llround(measureLoss(reference.metric, reference.plainOutputs, reference.floatOutputs) / kLossUnit));
  return Error::success();
}
