//===- HessianCollector.cpp - Hessians of a model from samples ------------===//
#include "HessianCollector.h"
#include "Command.h"
#include "DataOptions.h"
#include "HessianMemory.h"
#include "LoadedModel.h"
#include "ModelFile.h"
#include "Progress.h"
#include "SequentialReconstruction.h"
#include "halftone/Analysis/BatchSize.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Precision/Recipe.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Reconstruction/Passes.h"
#include "halftone/Reconstruction/Patches.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/SHA256.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

namespace {
/// The sum of one layer, or of all steps of a loop.
struct RowSum {
  quant::UniformQuantizedType type; ///< Of what the first of them reads.
  HessianSum hessian;
  bool isKnown = false; ///< From a kept file.
};

/// What one returned value is for.
struct Exposed {
  quant::UniformQuantizedType type; ///< Null without a calibrated range.
  std::vector<RowSum *> sums;
};

/// In the order of the results that halftone-expose-contraction-inputs adds.
struct ExposedInputs {
  std::vector<Exposed> values;
  llvm::MapVector<int64_t, std::unique_ptr<RowSum>> sums; ///< By the row of their layers.
};
} // namespace

static ExposedInputs listExposed(ModuleOp module) {
  llvm::MapVector<Value, Exposed> exposed;
  ExposedInputs inputs;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (const ContractionInput &input : getContractionInputs(main)) {
    if (!takesHessian(input.contraction))
      continue;
    Exposed &value = exposed[input.value];
    if (auto range = getRange(traceRoot(input.value)))
      value.type = getActivationType(module.getContext(), range->first, range->second);
    std::optional<Patches> patches = getPatches(input);
    if (!value.type || !patches)
      continue;
    std::unique_ptr<RowSum> &sum = inputs.sums[input.row];
    if (!sum)
      sum = std::make_unique<RowSum>(RowSum{value.type, HessianSum(*patches, input.rowKey)});
    value.sums.push_back(sum.get());
  }
  for (auto &[value, entry] : exposed)
    inputs.values.push_back(std::move(entry));
  return inputs;
}

void mlir::halftone::roundToCodes(llvm::MutableArrayRef<float> values,
                                  quant::UniformQuantizedType type) {
  float scale = type.getScale();
  float low = type.getStorageTypeMin() - type.getZeroPoint();
  float high = type.getStorageTypeMax() - type.getZeroPoint();
  // Adding 1.5 * 2^23 leaves no bits behind the point: rounds half to even.
  constexpr float shift = 0x1.8p23f;
  for (float &value : values) {
    float quotient = value / scale;
    float clamped = quotient > low ? (quotient < high ? quotient : high) : low;
    value = (clamped + shift) - shift;
  }
}

static void addOutputs(llvm::MutableArrayRef<Tensor> outputs,
                       llvm::ArrayRef<Exposed> exposed) {
  for (auto [tensor, value] : llvm::zip_equal(outputs, exposed)) {
    if (llvm::all_of(value.sums, [](const RowSum *sum) { return sum->isKnown; }))
      continue;
    roundToCodes(tensor.values<float>(), value.type);
    for (RowSum *sum : value.sums)
      if (!sum->isKnown)
        sum->hessian.add(tensor.values<float>(), tensor.shape);
  }
}

/// "" for a layer whose inputs are not rounded.
static std::string describeType(quant::UniformQuantizedType type) {
  if (!type)
    return "";
  std::string text;
  llvm::raw_string_ostream(text) << type << llvm::formatv(" {0:x}", llvm::bit_cast<uint64_t>(type.getScale()));
  return text;
}

/// What the sums depend on, beside the model and the types of the layers' inputs.
static Expected<std::string> originOf(const SampleRange &samples, int64_t total) {
  llvm::SHA256 hash;
  for (int64_t sample = 0; sample < total; ++sample) {
    auto inputs = samples.data.read(samples.begin + sample * samples.size() / total, 1);
    if (!inputs)
      return inputs.takeError();
    for (const Tensor &tensor : *inputs)
      hash.update(StringRef(tensor.bytes.data(), tensor.bytes.size()));
  }
  return llvm::toHex(hash.final(), /*LowerCase=*/true);
}

std::optional<int64_t> mlir::halftone::leastBatch(func::FuncOp entry) {
  std::optional<int64_t> least;
  for (unsigned i = 0; i < entry.getNumArguments(); ++i)
    if (auto dims = entry.getArgAttrOfType<ArrayAttr>(i, kDimsAttr); dims && !dims.empty())
      if (auto batch = dyn_cast<DimAttr>(dims[0]))
        least = std::max(least.value_or(1), batch.getLow());
  return least;
}

OwningOpRef<ModuleOp> mlir::halftone::copyAtLeastBatch(ModuleOp module) {
  OwningOpRef<ModuleOp> copy = module.clone();
  auto entry = copy->lookupSymbol<func::FuncOp>("main");
  std::optional<int64_t> least = leastBatch(entry);
  ScopedDiagnosticHandler quiet(module.getContext(), [](Diagnostic &) { return success(); });
  if (least && failed(setBatchSize(entry, *least)))
    return {};
  return copy;
}

/// Compiles the module that returns what contractions read. What is inside may have a batch of its own, a multiple of the
/// model's: it is known where the batch is fixed.
static Expected<LoadedModel> compileExposed(ModuleOp module, StringRef path) {
  OwningOpRef<ModuleOp> copy = copyAtLeastBatch(module);
  if (!copy)
    copy = module.clone();
  PassManager pm(module.getContext());
  pm.addPass(createExposeContractionInputs());
  if (failed(pm.run(*copy)))
    return llvm::make_error<Reported>();
  if (Error error = compileModule(*copy, path, "native"))
    return std::move(error);
  return LoadedModel::load(path, 0);
}

int64_t mlir::halftone::countHessianSamples(const SampleRange &samples) { return std::min<int64_t>(samples.size(), 128); }

Expected<std::vector<Tensor>> mlir::halftone::readRun(const SampleRange &samples, ArrayRef<int64_t> shape, int64_t sample, int64_t minBatch) {
  const Dataset &data = samples.data;
  const bool whole = data.sampleShape(0).size() == shape.size();
  int64_t batch = whole || shape.empty() ? 1 : shape[0];
  if (batch == -1)
    batch = minBatch;
  if (samples.size() < batch)
    return userError("the model takes " + Twine(batch) + " samples in each run; "
                     "give more than " + Twine(samples.size()));
  auto inputs = data.read(std::min(sample, samples.end - batch), batch);
  if (inputs && whole)
    for (Tensor &tensor : *inputs)
      tensor.shape.erase(tensor.shape.begin());
  return inputs;
}

/// The inputs of one run of a compiled model.
static Expected<std::vector<Tensor>>
readInputs(const LoadedModel &model, const SampleRange &samples, int64_t sample) {
  const HalftoneTensorInfo &first = model.inputs().front();
  return readRun(samples, ArrayRef<int64_t>(first.shape, first.rank), sample, model.info().minBatch);
}

/// Runs `total` samples, evenly spread, and sums.
static Error sumSamples(LoadedModel &model, const SampleRange &samples,
                        int64_t total, llvm::ArrayRef<Exposed> exposed) {
  InterruptGuard guard;
  Progress progress("summing Hessians", "samples", total);
  for (int64_t done = 0; done < total; ++done) {
    if (guard.interrupted())
      return userError("interrupted after " + Twine(done) + " of " +
                       Twine(total) + " samples; nothing was written");
    auto inputs = readInputs(model, samples, samples.begin + done * samples.size() / total);
    if (!inputs)
      return inputs.takeError();
    int64_t batch = 1;
    for (auto [tensor, info] : llvm::zip(*inputs, model.inputs()))
      if (info.rank > 0 && info.shape[0] == -1)
        batch = tensor.shape[0];
    std::vector<Tensor> outputs = model.makeOutputs(batch);
    if (Error error = model.run(*inputs, outputs))
      return error;
    addOutputs(llvm::MutableArrayRef<Tensor>(outputs).take_back(exposed.size()), exposed);
    progress.update(done + 1);
  }
  return Error::success();
}

Error mlir::halftone::heldOutTooMany(int64_t heldOut, int64_t samples) {
  return userError("--held-out=" + Twine(heldOut) + " leaves none of the " + Twine(samples) + " samples");
}

Expected<LoadedSamples> LoadedSamples::load(ModuleOp module, StringRef path, int64_t heldOut) {
  auto data = loadDatasetFor(module, path);
  if (!data)
    return data.takeError();
  const int64_t used = (*data)->size() - heldOut;
  if (used < 1)
    return heldOutTooMany(heldOut, (*data)->size());
  return LoadedSamples{std::move(*data), used};
}

static Error isOfOthers(StringRef path) {
  return userError("--hessians: '" + path + "' is of another model, of other samples or of other ranges; name another file");
}

/// Takes what a kept file has, whose layers may be others: those of a model with other layers in floats.
static Error takeKept(StringRef path, Hessians &hessians, ExposedInputs &exposed) {
  Expected<Hessians> kept = Hessians::read(path);
  if (!kept)
    return userError("--hessians: " + llvm::toString(kept.takeError()));
  if (kept->sourceHash != hessians.sourceHash || kept->origin != hessians.origin)
    return isOfOthers(path);
  for (auto &[row, sum] : exposed.sums) {
    const Hessian *found = kept->find(sum->hessian.get().key);
    if (found && (found->type != describeType(sum->type) || found->size() != sum->hessian.get().size()))
      return isOfOthers(path);
    sum->isKnown = found != nullptr;
  }
  hessians.layers = std::move(kept->layers);
  return Error::success();
}

Expected<Hessians> mlir::halftone::collectHessians(ModuleOp module,
                                                   const SampleRange &samples, StringRef kept) {
  if (Error error = refuseHugeHessians(firstOfRows<ContractionInput>(getContractionInputs(module.lookupSymbol<func::FuncOp>("main"))),
                                       /*layerByLayer=*/false))
    return std::move(error);
  ExposedInputs exposed = listExposed(module);
  int64_t total = countHessianSamples(samples);
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  Hessians hessians{hash ? hash.str() : "", total, {}};
  if (!kept.empty()) {
    Expected<std::string> origin = originOf(samples, total);
    if (!origin)
      return origin.takeError();
    hessians.origin = std::move(*origin);
    if (llvm::sys::fs::exists(kept))
      if (Error error = takeKept(kept, hessians, exposed))
        return std::move(error);
    if (llvm::all_of(exposed.sums, [](const auto &entry) { return entry.second->isKnown; }) && !hessians.layers.empty())
      return hessians;
    if (Error error = checkWritable(kept))
      return std::move(error);
  }
  Expected<TemporaryFile> library = TemporaryFile::create("so");
  if (!library)
    return library.takeError();
  Expected<LoadedModel> model = compileExposed(module, library->path());
  if (!model)
    return model.takeError();
  if (Error error = sumSamples(*model, samples, total, exposed.values))
    return std::move(error);
  for (auto &[row, sum] : exposed.sums)
    if (!sum->isKnown) {
      hessians.layers.push_back(sum->hessian.take());
      hessians.layers.back().type = describeType(sum->type);
    }
  if (!kept.empty())
    if (Error error = hessians.write(kept))
      return std::move(error);
  return hessians;
}

Expected<HessianFile> HessianFile::of(const Hessians &hessians, StringRef kept) {
  if (!kept.empty())
    return HessianFile{kept.str(), nullptr};
  Expected<TemporaryFile> file = TemporaryFile::create("hessians");
  if (!file)
    return file.takeError();
  if (Error error = hessians.write(file->path()))
    return std::move(error);
  std::string path = file->path().str();
  return HessianFile{std::move(path), std::make_shared<TemporaryFile>(std::move(*file))};
}

Expected<HessianFile> HessianFile::collect(ModuleOp module, const SampleRange &samples, StringRef kept) {
  Expected<Hessians> hessians = collectHessians(module, samples, kept);
  if (!hessians)
    return hessians.takeError();
  return HessianFile::of(*hessians, kept);
}

Expected<bool> mlir::halftone::usesHessians(const StageSettings &settings) {
  if (needsHessians(settings.rounding) || settings.recipe.empty())
    return needsHessians(settings.rounding);
  auto rules = readRecipe(settings.recipe);
  if (!rules)
    return rules.takeError();
  return prunes(*rules);
}

Error mlir::halftone::advanceWithHessians(ModuleOp module, Stage last,
                                          StageSettings settings,
                                          StringRef dataPath) {
  std::optional<Stage> now = stageOf(module);
  Expected<bool> areOfUse = usesHessians(settings);
  if (!areOfUse)
    return areOfUse.takeError();
  if (!*areOfUse || last < Stage::Quantization ||
      (now && *now > Stage::Precision))
    return advance(module, last, settings);
  if (dataPath.empty() && settings.hessians.empty() && needsHessians(settings.rounding))
    return userError("--rounding=gptq and adaround choose codes by the layers' "
                     "errors on samples: give --data");
  if (dataPath.empty())
    return advance(module, last, settings);
  if (now && *now < Stage::Precision)
    if (Error error = advance(module, Stage::Precision, settings))
      return error;
  Expected<LoadedSamples> samples = LoadedSamples::load(module, dataPath, settings.heldOut);
  if (!samples)
    return samples.takeError();
  if (settings.sequential)
    return advanceSequentially(module, last, settings, samples->range());
  Expected<HessianFile> file = HessianFile::collect(module, samples->range(), settings.hessians);
  if (!file)
    return file.takeError();
  settings.hessians = file->path;
  return advance(module, last, settings);
}
