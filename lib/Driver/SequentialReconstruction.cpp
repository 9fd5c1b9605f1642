//===- SequentialReconstruction.cpp - Layers one after the other ----------===//
#include "SequentialReconstruction.h"
#include "Command.h"
#include "HessianCollector.h"
#include "HessianMemory.h"
#include "LoadedModel.h"
#include "ModelFile.h"
#include "Progress.h"
#include "TemporaryFile.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Pruning/WeightRows.h"
#include "halftone/Quantization/Biases.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Reconstruction/LeastSquares.h"
#include "halftone/Reconstruction/Passes.h"
#include "halftone/Reconstruction/Segments.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::ArrayRef, llvm::Error, llvm::Expected;

//===----------------------------------------------------------------------===//
// A network that is run segment by segment
//===----------------------------------------------------------------------===//

namespace {

/// The values of each border that is still needed, one tensor a sample: codes where activations are rounded, else floats.
class SegmentedNetwork {
public:
  SegmentedNetwork(ModuleOp module, bool rounds)
      : module(module), plan(SegmentPlan::of(module.lookupSymbol<func::FuncOp>("main"))), rounds(rounds), values(plan.borders.size()),
        lastUse(plan.borders.size(), -1) {}

  /// Keeps the model's inputs; `outputsToo`: each step also computes its layer's output.
  void start(std::vector<std::vector<Tensor>> inputs, bool outputsToo);
  using VisitOutput = llvm::function_ref<void(size_t sample, Tensor &output)>;
  /// Computes the borders behind a layer, or with -1 those before the first, and drops what is read there for the last time.
  Error advance(int64_t step, VisitOutput visitOutput = nullptr);

  /// The reals of a border.
  Tensor reals(unsigned border, size_t sample) const;
  /// The integers code - zero point of a border that is rounded.
  Tensor codes(unsigned border, size_t sample) const;

  ModuleOp module;
  SegmentPlan plan;

private:
  SmallVector<Value> wantedBehind(int64_t step) const;
  Error runBehind(int64_t step, ArrayRef<Value> wanted, VisitOutput visitOutput);
  void keep(unsigned border, size_t sample, Tensor tensor);
  ArrayRef<unsigned> bordersBehind(int64_t step) const { return step < 0 ? ArrayRef<unsigned>(plan.first) : plan.steps[step].next; }

  bool rounds, outputsToo = false;
  std::vector<std::vector<Tensor>> values;
  SmallVector<int64_t> lastUse; ///< The step behind which a border is not read any more.
  size_t samples = 0;
};

} // namespace

SmallVector<Value> SegmentedNetwork::wantedBehind(int64_t step) const {
  SmallVector<Value> wanted;
  if (outputsToo && step >= 0)
    wanted.push_back(plan.steps[step].layer.contraction->getResult(0));
  for (unsigned border : bordersBehind(step))
    if (!llvm::is_contained(wanted, plan.borders[border]))
      wanted.push_back(plan.borders[border]);
  return wanted;
}

void SegmentedNetwork::keep(unsigned border, size_t sample, Tensor tensor) {
  Tensor &kept = values[border][sample];
  quant::UniformQuantizedType type = plan.types[border];
  if (!rounds || !type) {
    kept = std::move(tensor);
    return;
  }
  llvm::MutableArrayRef<float> floats = tensor.values<float>();
  roundToCodes(floats, type);
  kept = Tensor(tensor.name, ElementType::I8, tensor.shape);
  for (auto [code, value] : llvm::zip_equal(kept.values<int8_t>(), floats))
    code = static_cast<int8_t>(static_cast<int64_t>(value) + type.getZeroPoint());
}

Tensor SegmentedNetwork::codes(unsigned border, size_t sample) const {
  const Tensor &kept = values[border][sample];
  Tensor result(kept.name, ElementType::F32, kept.shape);
  const int64_t zeroPoint = plan.types[border].getZeroPoint();
  for (auto [value, code] : llvm::zip_equal(result.values<float>(), kept.values<int8_t>()))
    value = static_cast<float>(code - zeroPoint);
  return result;
}

Tensor SegmentedNetwork::reals(unsigned border, size_t sample) const {
  if (!rounds || !plan.types[border])
    return values[border][sample];
  Tensor result = codes(border, sample);
  const float scale = plan.types[border].getScale();
  for (float &value : result.values<float>())
    value *= scale;
  return result;
}

void SegmentedNetwork::start(std::vector<std::vector<Tensor>> inputs, bool outputsToo) {
  this->outputsToo = outputsToo;
  samples = inputs.size();
  for (auto &list : values)
    list.resize(samples);
  for (auto [sample, tensors] : llvm::enumerate(inputs))
    for (auto [border, tensor] : llvm::enumerate(tensors))
      keep(border, sample, std::move(tensor));
  for (int64_t step = -1; step < static_cast<int64_t>(plan.steps.size()); ++step) {
    for (unsigned input : findSegmentInputs(plan, wantedBehind(step)))
      lastUse[input] = step;
    if (step < 0)
      continue;
    lastUse[plan.steps[step].input] = std::max(lastUse[plan.steps[step].input], step);
    if (plan.steps[step].residual)
      lastUse[*plan.steps[step].residual] = std::max(lastUse[*plan.steps[step].residual], step);
  }
}

/// Compiles the operations between borders.
static Expected<LoadedModel> compileSegment(ModuleOp module, const SegmentPlan &plan, ArrayRef<Value> wanted,
                                            SmallVectorImpl<unsigned> &inputs) {
  FailureOr<OwningOpRef<ModuleOp>> segment = extractSegment(module, plan, wanted, inputs);
  if (failed(segment))
    return llvm::make_error<Reported>();
  Expected<TemporaryFile> library = TemporaryFile::create("so");
  if (!library)
    return library.takeError();
  if (Error error = compileModule(**segment, library->path(), "native"))
    return std::move(error);
  return LoadedModel::load(library->path(), 0);
}

Error SegmentedNetwork::runBehind(int64_t step, ArrayRef<Value> wanted, VisitOutput visitOutput) {
  SmallVector<unsigned> inputs;
  Expected<LoadedModel> model = compileSegment(module, plan, wanted, inputs);
  if (!model)
    return model.takeError();
  for (size_t sample = 0; sample < samples; ++sample) {
    std::vector<Tensor> arguments;
    for (auto [i, input] : llvm::enumerate(inputs)) {
      arguments.push_back(reals(input, sample));
      arguments.back().name = segmentInputName(i);
    }
    const int64_t batch = arguments.empty() || arguments[0].shape.empty() ? 1 : arguments[0].shape[0];
    std::vector<Tensor> outputs = model->makeOutputs(batch);
    if (Error error = model->run(arguments, outputs))
      return error;
    for (unsigned border : bordersBehind(step))
      keep(border, sample, outputs[llvm::find(wanted, plan.borders[border]) - wanted.begin()]);
    if (visitOutput)
      visitOutput(sample, outputs[0]);
  }
  return Error::success();
}

Error SegmentedNetwork::advance(int64_t step, VisitOutput visitOutput) {
  const SmallVector<Value> wanted = wantedBehind(step);
  if (!wanted.empty())
    if (Error error = runBehind(step, wanted, visitOutput))
      return error;
  for (auto [border, last] : llvm::enumerate(lastUse))
    if (last <= step)
      values[border] = std::vector<Tensor>(samples);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Layer by layer
//===----------------------------------------------------------------------===//

namespace {

/// A layer with what it was fitted to.
struct FittedLayer {
  const LayerStep &step;
  WeightRows weights;                 ///< As they are now.
  const std::vector<float> original;  ///< Of the float network, rows as of `weights`.
  const LayerSums &even, &odd;
  bool hasBias;

  /// Moves the weights and stores them; zeros stay.
  void fit();
  /// Over all samples.
  LayerSums sums() const {
    LayerSums all = even;
    all.merge(odd);
    return all;
  }
};

/// Chooses a layer's codes or zeros.
using Reconstruct = llvm::function_ref<Error(FittedLayer &)>;

} // namespace

void FittedLayer::fit() {
  std::vector<uint8_t> zero(weights.values.size(), 0);
  if (isPruned(step.layer.contraction))
    for (size_t i = 0; i < zero.size(); ++i)
      zero[i] = weights.values[i] == 0;
  weights.values = original;
  fitToTargets(step.layer.contraction->getContext(), even, odd, {weights.values, zero, step.inputType.getScale(), hasBias});
  weights.store();
}

/// What the layer multiplies with: its codes' values, or its weights.
static std::vector<float> effectiveRows(Operation *contraction) {
  if (!contraction->hasAttr(kWeightCodesAttr))
    return WeightRows(contraction).values;
  WeightChannels channels(contraction);
  FailureOr<RoundedWeights> rounded = roundWeights(contraction, {}, channels, {});
  std::vector<float> rows;
  if (failed(rounded))
    return rows;
  std::vector<int64_t> places = channels.places();
  rows.resize(places.size());
  for (size_t i = 0; i < places.size(); ++i)
    rows[places[i]] = rounded->codes[i] * rounded->scales[channels.output[i]];
  return rows;
}

/// The inputs of each run.
static Expected<std::vector<std::vector<Tensor>>> readSamples(ModuleOp module, const SampleRange &samples) {
  const int64_t total = countHessianSamples(samples);
  const int64_t least = leastBatch(module.lookupSymbol<func::FuncOp>("main")).value_or(1);
  std::vector<std::vector<Tensor>> inputs;
  for (int64_t i = 0; i < total; ++i) {
    auto run = readRun(samples, samples.data.inputs().front().shape, samples.begin + i * samples.size() / total, least);
    if (!run)
      return run.takeError();
    inputs.push_back(std::move(*run));
  }
  return inputs;
}

/// What the layer reads now and should give, over the even and the odd samples; the float network is taken behind the layer.
static Error sumLayer(SegmentedNetwork &floats, const SegmentedNetwork &made, int64_t index, LayerSums &even, LayerSums &odd) {
  const LayerStep &step = made.plan.steps[index];
  return floats.advance(index, [&](size_t sample, Tensor &output) {
    const Tensor codes = made.codes(step.input, sample);
    llvm::MutableArrayRef<float> targets = output.values<float>();
    if (step.residual) { // what it lacks is for the layer to add
      const Tensor aims = floats.reals(*step.residual, sample), present = made.reals(*step.residual, sample);
      for (auto [target, aim, now] : llvm::zip_equal(targets, aims.values<float>(), present.values<float>()))
        target += aim - now;
    }
    (sample % 2 ? odd : even).add(codes.values<float>(), codes.shape, targets);
  });
}

/// One layer: its weights, then its bias, which gives its outputs the float network's means.
static Error reconstructLayer(SegmentedNetwork &floats, SegmentedNetwork &made, int64_t index, Reconstruct reconstruct) {
  const LayerStep &step = made.plan.steps[index];
  Operation *contraction = step.layer.contraction;
  WeightRows weights(contraction);
  if (!weights.isValid()) { // halftone-insert-casts says what is wrong with them
    if (Error error = floats.advance(index))
      return error;
    return made.advance(index);
  }
  LayerSums even(step.patches, weights.rows(), step.layer.key), odd = even;
  if (Error error = sumLayer(floats, made, index, even, odd))
    return error;
  OpOperand *bias = findBias(contraction, weights.rows());
  if (bias) // which is corrected here, so by nothing later
    contraction->removeAttr(kChannelMeansAttr);
  std::vector<float> original = weights.values;
  FittedLayer layer{step, std::move(weights), std::move(original), even, odd, bias != nullptr};
  if (Error error = reconstruct(layer))
    return error;
  if (bias) {
    std::vector<double> surplus = missingMeans(layer.sums(), effectiveRows(contraction), step.inputType.getScale());
    for (double &mean : surplus)
      mean = -mean;
    subtractFromBias(*bias, surplus);
  }
  return made.advance(index);
}

/// Borders are kept sample by sample: with an open batch each must have as many rows as there are samples.
static Error refuseRowsOfSamples(ModuleOp module) {
  auto entry = module.lookupSymbol<func::FuncOp>("main");
  const std::optional<int64_t> least = leastBatch(entry);
  OwningOpRef<ModuleOp> copy = least ? copyAtLeastBatch(module) : nullptr;
  if (!copy)
    return Error::success();
  auto fixed = copy->lookupSymbol<func::FuncOp>("main");
  SmallVector<std::string> names;
  for (auto [open, known] : llvm::zip_equal(getContractionInputs(entry), getContractionInputs(fixed))) {
    auto type = cast<RankedTensorType>(open.value.getType()), run = cast<RankedTensorType>(known.value.getType());
    if (takesHessian(open.contraction) && type.isDynamicDim(0) && run.getDimSize(0) != *least)
      names.push_back("'" + locationName(open.contraction->getLoc()) + "'");
  }
  if (names.empty())
    return Error::success();
  return userError("layer by layer the batch has to be fixed, by --dim: of an open one " + llvm::join(names, ", ") +
                   (names.size() == 1 ? " reads" : " read") + " the rows of all samples together");
}

/// Runs both networks; the module is changed.
static Error reconstructAll(ModuleOp module, const SampleRange &range, Reconstruct reconstruct) {
  if (Error error = refuseHugeHessians(getContractionInputs(module.lookupSymbol<func::FuncOp>("main")), /*layerByLayer=*/true))
    return error;
  if (Error error = refuseRowsOfSamples(module))
    return error;
  OwningOpRef<ModuleOp> original = module.clone();
  SegmentedNetwork floats(*original, /*rounds=*/false), made(module, /*rounds=*/true);
  Expected<std::vector<std::vector<Tensor>>> samples = readSamples(module, range);
  if (!samples)
    return samples.takeError();
  floats.start(*samples, /*outputsToo=*/true);
  made.start(std::move(*samples), /*outputsToo=*/false);
  for (SegmentedNetwork *network : {&floats, &made})
    if (Error error = network->advance(-1))
      return error;
  const int64_t layers = made.plan.steps.size();
  Progress progress("reconstructing", "layers", layers);
  for (int64_t i = 0; i < layers; ++i) {
    if (Error error = reconstructLayer(floats, made, i, reconstruct))
      return error;
    progress.update(i + 1);
  }
  return Error::success();
}

/// A file of the layer's Hessian alone.
static Expected<TemporaryFile> writeHessian(ModuleOp module, const FittedLayer &layer) {
  const LayerSums all = layer.sums();
  auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr);
  Hessians hessians{hash ? hash.str() : "", 1, {}};
  hessians.layers.push_back(layer.hasBias ? all.centred() : all.hessian());
  Expected<TemporaryFile> file = TemporaryFile::create("hessians");
  if (!file)
    return file.takeError();
  if (Error error = hessians.write(file->path()))
    return std::move(error);
  return file;
}

/// Of the Hessians that codes are chosen by. The weights have been fitted to the samples already, so that error feedback must not
/// follow them as far as it may from the float weights: 0.01 loses half a dB of 14 on EfficientNet-Lite0 with 4 bits.
static constexpr double kDamping = 0.1;

/// Zeros by the layer's Hessian; what is kept is fitted again, from the weights of the float network.
static Error pruneLayer(ModuleOp module, FittedLayer &layer, PruneWeightsOptions options, StringRef hessians) {
  options.hessians = hessians.str();
  if (Error error = runPass(module, createPruneWeights(options)))
    return error;
  if (!isPruned(layer.step.layer.contraction))
    return Error::success();
  layer.weights = WeightRows(layer.step.layer.contraction);
  layer.fit();
  return Error::success();
}

namespace {

/// The shares of zeros that a recipe gives layers, which are off them until it is their turn: the pass prunes all that have one.
class AssignedShares {
public:
  explicit AssignedShares(ModuleOp module) {
    for (const ContractionInput &input : getContractionInputs(module.lookupSymbol<func::FuncOp>("main")))
      if (Attribute share = input.contraction->removeAttr(kSparsityAttr))
        shares[input.contraction] = share;
  }
  ~AssignedShares() {
    for (auto [contraction, share] : shares)
      contraction->setAttr(kSparsityAttr, share);
  }
  AssignedShares(const AssignedShares &) = delete;
  /// Whether the layer has one now.
  bool giveBack(Operation *contraction) {
    auto share = shares.find(contraction);
    if (share == shares.end())
      return false;
    contraction->setAttr(kSparsityAttr, share->second);
    shares.erase(share);
    return true;
  }

private:
  llvm::MapVector<Operation *, Attribute> shares;
};

} // namespace

/// Codes as attributes.
static Error quantizeLayers(ModuleOp module, const StageSettings &settings, const SampleRange &samples) {
  AssignedShares shares(module);
  PruneWeightsOptions pruning;
  pruning.assigned = true;
  return reconstructAll(module, samples, [&](FittedLayer &layer) -> Error {
    layer.fit();
    Expected<TemporaryFile> file = writeHessian(module, layer);
    if (!file)
      return file.takeError();
    if (shares.giveBack(layer.step.layer.contraction))
      if (Error error = pruneLayer(module, layer, pruning, file->path()))
        return error;
    return runPass(module, createReconstructWeights({file->path().str(), settings.weightScales, settings.sparsity, settings.pattern,
                                                     settings.rounding, kDamping}));
  });
}

Error mlir::halftone::advanceSequentially(ModuleOp module, Stage last, StageSettings settings, const SampleRange &samples) {
  if (Error error = advance(module, Stage::Precision, settings))
    return error;
  if (Error error = quantizeLayers(module, settings, samples))
    return error;
  // What is left has no samples: no sums either.
  settings.rounding = WeightRounding::Diffused;
  settings.hessians.clear();
  return advance(module, last, settings);
}

/// The share of each layer that one ranking over all layers gives, by its key.
static Expected<llvm::StringMap<double>> shareOut(ModuleOp module, PruneWeightsOptions options, const SampleRange &samples) {
  Expected<HessianFile> file = HessianFile::collect(module, samples);
  if (!file)
    return file.takeError();
  options.hessians = file->path;
  options.rounds = 1;
  OwningOpRef<ModuleOp> trial = module.clone();
  if (Error error = runPass(*trial, createPruneWeights(options)))
    return std::move(error);
  llvm::StringMap<double> shares;
  for (const ContractionInput &input : getContractionInputs(trial->lookupSymbol<func::FuncOp>("main")))
    if (auto zeros = input.contraction->getAttrOfType<IntegerAttr>(kZerosAttr))
      shares[input.key] = double(zeros.getInt()) / cast<RankedTensorType>(getWeightOperand(input.contraction).get().getType()).getNumElements();
  return shares;
}

Error mlir::halftone::pruneSequentially(ModuleOp module, const PruneWeightsOptions &options, const SampleRange &samples) {
  llvm::StringMap<double> shares;
  if (options.scope == PruningScope::Global && options.pattern != PruningPattern::NOfM) {
    Expected<llvm::StringMap<double>> found = shareOut(module, options, samples);
    if (!found)
      return found.takeError();
    shares = std::move(*found);
  }
  return reconstructAll(module, samples, [&](FittedLayer &layer) -> Error {
    layer.fit();
    Expected<TemporaryFile> file = writeHessian(module, layer);
    if (!file)
      return file.takeError();
    PruneWeightsOptions own = options;
    own.scope = PruningScope::Layer;
    if (auto share = shares.find(layer.step.layer.key); share != shares.end())
      own.sparsity = share->second;
    return pruneLayer(module, layer, own, file->path());
  });
}
