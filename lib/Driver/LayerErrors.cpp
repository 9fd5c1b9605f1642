//===- LayerErrors.cpp - How far each layer is from float -----------------===//
#include "LayerErrors.h"
#include "Command.h"
#include "ModelFile.h"
#include "Progress.h"
#include "Stages.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Precision/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

//===----------------------------------------------------------------------===//
// LayerError
//===----------------------------------------------------------------------===//

double LayerError::sqnr() const {
  return noise == 0 ? std::numeric_limits<double>::infinity()
                    : 10 * std::log10(signal / noise);
}

double LayerError::cosine() const {
  double norms = std::sqrt(signal * other);
  return norms == 0 ? double(signal == other) : cross / norms;
}

/// Bins stand at whole codes, so that a code never falls between two.
static void count(std::array<int64_t, LayerError::kBins> &bins, double code) {
  int bin = std::floor((code + 128.5) / (256 / LayerError::kBins));
  ++bins[std::clamp(bin, 0, LayerError::kBins - 1)];
}

void LayerError::add(llvm::ArrayRef<float> floats,
                     llvm::ArrayRef<float> quantized) {
  for (auto [x, y] : llvm::zip(floats, quantized)) {
    double difference = double(x) - y;
    signal += double(x) * x;
    other += double(y) * y;
    cross += double(x) * y;
    noise += difference * difference;
    if (probe.scale == 0)
      continue;
    double code = x / probe.scale + probe.zeroPoint;
    clipped += code < -128.5 || code > 127.5;
    count(before, code);
    count(after, y / probe.scale + probe.zeroPoint);
  }
  elements += floats.size();
}

//===----------------------------------------------------------------------===//
// ProbedModel
//===----------------------------------------------------------------------===//

static std::vector<Probe> readProbes(ModuleOp module) {
  std::vector<Probe> probes;
  Operation *main = module.lookupSymbol<func::FuncOp>("main");
  auto list = main->getAttrOfType<ArrayAttr>(kProbesAttr);
  for (auto fields : list.getAsRange<DictionaryAttr>()) {
    auto text = [&](StringRef name) {
      auto found = fields.getAs<StringAttr>(name);
      return found ? found.str() : std::string();
    };
    Probe probe{text("key"), text("kind"), text("precision"), text("reason")};
    if (auto scale = fields.getAs<FloatAttr>("scale")) {
      probe.scale = scale.getValueAsDouble();
      probe.zeroPoint = fields.getAs<IntegerAttr>("zero_point").getInt();
    }
    probes.push_back(std::move(probe));
  }
  return probes;
}

Expected<ProbedModel> ProbedModel::compile(ModuleOp module) {
  std::optional<Stage> stage = stageOf(module);
  if (!stage || *stage > Stage::Quantization)
    return userError("layers can be probed up to the stage 'quantization'; "
                     "give an earlier stage file or the source model");
  OwningOpRef<ModuleOp> probed = module.clone();
  PassManager pm(module.getContext());
  pm.addPass(createInsertProbes());
  if (failed(pm.run(*probed)))
    return llvm::make_error<Reported>();
  std::vector<Probe> list = readProbes(*probed);
  if (*stage == Stage::Quantization)
    if (Error error = advance(*probed, Stage::Integer, StageSettings()))
      return std::move(error);
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  if (Error error = compileModule(*probed, file->path(), "native"))
    return std::move(error);
  Expected<LoadedModel> model = LoadedModel::load(file->path(), /*threads=*/1);
  if (!model)
    return model.takeError();
  return ProbedModel(std::move(list), std::move(*file), std::move(*model));
}

int64_t ProbedModel::batch() const {
  const HalftoneTensorInfo &first = model.inputs().front();
  return first.rank > 0 ? std::max<int64_t>(first.shape[0], 1) : 1;
}

//===----------------------------------------------------------------------===//
// measureLayerErrors
//===----------------------------------------------------------------------===//

namespace {
/// A layer with where its results stand among the outputs of both models.
struct Pairing {
  LayerError layer;
  size_t floatOutput, quantizedOutput;
};
} // namespace

static std::vector<Pairing> pairLayers(const ProbedModel &floats, size_t first,
                                       const ProbedModel &quantized,
                                       size_t second) {
  llvm::StringMap<size_t> outputs;
  for (auto [i, probe] : llvm::enumerate(floats.probes()))
    outputs[probe.key] = first + i;
  std::vector<Pairing> pairs;
  for (auto [i, probe] : llvm::enumerate(quantized.probes()))
    if (auto found = outputs.find(probe.key); found != outputs.end()) {
      LayerError layer;
      layer.probe = probe;
      pairs.push_back({std::move(layer), found->second, second + i});
    }
  return pairs;
}

static Error addSamples(std::vector<Pairing> &pairs, ProbedModel &floats,
                        ProbedModel &quantized,
                        llvm::ArrayRef<Tensor> inputs) {
  Expected<std::vector<Tensor>> x = floats.run(inputs);
  if (!x)
    return x.takeError();
  Expected<std::vector<Tensor>> y = quantized.run(inputs);
  if (!y)
    return y.takeError();
  for (Pairing &pair : pairs) {
    const Tensor &a = (*x)[pair.floatOutput], &b = (*y)[pair.quantizedOutput];
    if (a.shape != b.shape)
      return userError("the layer '" + pair.layer.probe.key + "' is " +
                       formatShape(a.shape) + " in one model and " +
                       formatShape(b.shape) + " in the other");
    pair.layer.add(a.values<float>(), b.values<float>());
  }
  return Error::success();
}

Expected<std::vector<LayerError>>
mlir::halftone::measureLayerErrors(ModuleOp floats, ModuleOp quantized,
                                   const Dataset &data) {
  Expected<ProbedModel> a = ProbedModel::compile(floats);
  if (!a)
    return a.takeError();
  Expected<ProbedModel> b = ProbedModel::compile(quantized);
  if (!b)
    return b.takeError();
  auto outputs = [](ModuleOp module) {
    return module.lookupSymbol<func::FuncOp>("main").getNumResults();
  };
  std::vector<Pairing> pairs =
      pairLayers(*a, outputs(floats), *b, outputs(quantized));
  if (pairs.empty())
    return std::vector<LayerError>();
  int64_t chunk = std::max(a->batch(), b->batch());
  Progress progress("comparing layers", "samples", data.size());
  for (int64_t begin = 0; begin < data.size(); begin += chunk) {
    auto inputs = data.read(begin, std::min(chunk, data.size() - begin));
    if (!inputs)
      return inputs.takeError();
    if (Error error = addSamples(pairs, *a, *b, *inputs))
      return std::move(error);
    progress.update(std::min(begin + chunk, data.size()));
  }
  std::vector<LayerError> layers;
  for (Pairing &pair : pairs)
    layers.push_back(std::move(pair.layer));
  return layers;
}
