//===- PruneCommand.cpp - halftone prune ------------------------------------===//
//
// The pruned model is of the stage import, like its source. With samples the Hessians come from a copy that is
// calibrated and assigned to int8, so they are those of the quantized network.
//
//===----------------------------------------------------------------------===//
#include "Calibrator.h"
#include "HessianCollector.h"
#include "ModelOptions.h"
#include "QuantizeOptions.h"
#include "SequentialReconstruction.h"
#include "SparsityPrediction.h"
#include "TemporaryFile.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Pruning/ChannelClasses.h"
#include "halftone/Pruning/ExcludedLayers.h"
#include "halftone/Pruning/Passes.h"
#include "halftone/Quantization/Biases.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

namespace {
struct PruneOptions {
  explicit PruneOptions(CommandLine &line);
  Error checkMethod() const;
  Expected<PruneWeightsOptions> weightsPass() const;
  Expected<PruneChannelsOptions> channelsPass() const;
  bool removesChannels() const { return pattern == "channels"; }
  Error checkPrediction() const;
  bool needsHessians() const { return method == "obs" || (method.empty() && !data.empty()); }

  ModelOptions model;
  cl::opt<double> sparsity;
  cl::opt<std::string> pattern, method, data;
  cl::opt<PruningScope> scope;
  cl::list<std::string> exclude;
  cl::opt<bool> ends, predict, sequential;
  cl::opt<int64_t> roundChannels;
  cl::opt<bool> keepShapes;
  cl::opt<std::string> cost;
  TargetOption target;
  OutputOption output;
};
} // namespace

PruneOptions::PruneOptions(CommandLine &line)
    : model(line),
      sparsity("sparsity", cl::sub(line.command), cl::init(-1), cl::value_desc("share"),
               cl::desc("Share of weights that become zero, or of channels that go, from 0 to below 1")),
      pattern("pattern", cl::sub(line.command), cl::init("blocks"), cl::value_desc("pattern"),
              cl::desc("What becomes zero together: blocks (default: 4 input channels of one output channel, which the "
                       "sparse kernels need), channels (whole output channels, which are removed: all shapes behind shrink), "
                       "unstructured (single weights), or N:M, as 2:4 (N of M input channels stay)")),
      method("method", cl::sub(line.command), cl::value_desc("name"),
             cl::desc("magnitude (default), or obs (default with --data): by the layers' errors on samples, and what is "
                      "kept makes up for what is gone")),
      data("data", cl::sub(line.command), cl::value_desc("D.npz|folder"), cl::desc("Samples without labels, for obs")),
      scope("scope", cl::sub(line.command), cl::init(PruningScope::Layer), cl::desc("Where the share is met (default layer):"),
            pruningScopeValues()),
      exclude("exclude", cl::sub(line.command), cl::value_desc("regex"),
              cl::desc("Layers that are left alone, by whole names, as '.*head.*'; may be repeated")),
      ends("ends", cl::sub(line.command), cl::desc("Prune the first and the last layer, too (of channels, the first)")),
      predict("predict", cl::sub(line.command),
              cl::desc("Prune nothing: print what each layer is predicted to take, dense and with --sparsity in blocks, and "
                       "from which sparsity on it gains")),
      sequential("sequential", cl::sub(line.command),
                 cl::desc("With --data: layer by layer, each for what it reads behind the pruned layers before it and for what the "
                          "float network has behind it")),
      roundChannels("round-channels", cl::sub(line.command), cl::init(16), cl::value_desc("N"),
                    cl::desc("With --pattern=channels: the number that stays is a multiple of N (default: 16)")),
      keepShapes("keep-shapes", cl::sub(line.command),
                 cl::desc("With --pattern=channels: weights that read the channels become zero, no shape shrinks")),
      cost("cost", cl::sub(line.command), cl::value_desc("cpu.json"),
           cl::desc("With --predict: costs as of `halftone bench --tune` (default: the built-in ones)")),
      target(line), output(line) {}

/// What --predict was given and does not look at, or what it lacks.
Error PruneOptions::checkPrediction() const {
  if (!(sparsity >= 0 && sparsity < 1) || pattern != "blocks")
    return userError("--predict is for blocks: give --sparsity, a share from 0 to below 1, as 0.7, and no --pattern");
  if (output.path.getNumOccurrences() || !data.empty() || !method.empty())
    return userError("--predict prunes nothing: give no -o, --data or --method");
  return Error::success();
}

Error PruneOptions::checkMethod() const {
  if (!method.empty() && method != "magnitude" && method != "obs")
    return userError("--method=" + method + " is none of magnitude, obs");
  if (method == "obs" && data.empty())
    return userError("--method=obs prunes by the layers' errors on samples: give --data");
  if (method == "magnitude" && !data.empty())
    return userError("--method=magnitude looks at no samples: give no --data");
  if (sequential && (removesChannels() || !needsHessians()))
    return userError("--sequential is for --data, and for patterns of zeros, not channels");
  if (!removesChannels() && (roundChannels.getNumOccurrences() || keepShapes))
    return userError("--round-channels and --keep-shapes are for --pattern=channels");
  return Error::success();
}

/// What the pass is told, or what is wrong with the options.
Expected<PruneWeightsOptions> PruneOptions::weightsPass() const {
  PruneWeightsOptions options;
  if (llvm::SmallVector<StringRef> parts; llvm::Regex("^([0-9]+):([0-9]+)$").match(pattern, &parts)) {
    options.pattern = PruningPattern::NOfM;
    if (parts[1].getAsInteger(10, options.keep) || parts[2].getAsInteger(10, options.of) || options.keep < 1 ||
        options.keep >= options.of || options.of > 64)
      return userError("--pattern=" + pattern + " keeps none or all: give N:M with 0 < N < M, M up to 64, as 2:4");
    if (sparsity.getNumOccurrences())
      return userError("--pattern=" + pattern + " says the share of zeros: give no --sparsity");
  } else if (pattern == "blocks" || pattern == "unstructured") {
    options.pattern = pattern == "blocks" ? PruningPattern::Blocks : PruningPattern::Unstructured;
    if (!(sparsity >= 0 && sparsity < 1))
      return userError("--sparsity is needed, a share from 0 to below 1, as 0.7");
    options.sparsity = sparsity;
  } else {
    return userError("--pattern=" + pattern + " is none of blocks, channels, unstructured, N:M");
  }
  options.scope = scope;
  options.exclude.assign(exclude.begin(), exclude.end());
  options.ends = ends;
  return options;
}

Expected<PruneChannelsOptions> PruneOptions::channelsPass() const {
  if (!(sparsity >= 0 && sparsity < 1))
    return userError("--sparsity is needed, a share from 0 to below 1, as 0.4");
  if (roundChannels < 1)
    return userError("--round-channels=" + Twine(roundChannels) + " is no multiple: give 1 or more, as 16");
  PruneChannelsOptions options;
  options.sparsity = sparsity;
  options.round = roundChannels;
  options.shrink = !keepShapes;
  options.scope = scope;
  options.exclude.assign(exclude.begin(), exclude.end());
  options.ends = ends;
  return options;
}

/// Gives the contractions the means of their input channels that those of a calibrated copy have.
static void takeMeans(ModuleOp module, ModuleOp copy) {
  auto inputs = [](ModuleOp of) { return getContractionInputs(of.lookupSymbol<func::FuncOp>("main")); };
  for (auto [mine, calibrated] : llvm::zip_equal(inputs(module), inputs(copy)))
    if (Attribute means = calibrated.contraction->getAttr(kChannelMeansAttr))
      mine.contraction->setAttr(kChannelMeansAttr, means);
}

/// Takes weights, biases and what says that zeros are meant from a copy of the module.
static void takeWeights(ModuleOp module, ModuleOp copy) {
  auto mainOf = [](ModuleOp of) { return of.lookupSymbol<func::FuncOp>("main"); };
  for (auto [to, from] : llvm::zip_equal(getContractionInputs(mainOf(module)), getContractionInputs(mainOf(copy)))) {
    if (auto weights = getConstantElements<float>(getWeightOperand(from.contraction).get()))
      replaceConstant(getWeightOperand(to.contraction), *weights, "weights");
    for (StringRef name : {kPrunedAttr, kZerosAttr})
      if (Attribute attribute = from.contraction->getAttr(name))
        to.contraction->setAttr(name, attribute);
    const int64_t channels = WeightChannels(to.contraction).outputs;
    OpOperand *bias = findBias(to.contraction, channels), *other = findBias(from.contraction, channels);
    if (bias && other)
      replaceConstant(*bias, *getConstantElements<float>(other->get()), "bias");
  }
}

/// A calibrated copy, with formats.
static Expected<OwningOpRef<ModuleOp>> calibrateCopy(ModuleOp module, StringRef data) {
  OwningOpRef<ModuleOp> copy = module.clone();
  Expected<TemporaryFile> statistics = calibrateIntoFile(*copy, data);
  if (!statistics)
    return statistics.takeError();
  StageSettings settings;
  settings.statistics = statistics->path().str();
  if (Error error = advance(*copy, Stage::Precision, settings))
    return std::move(error);
  return copy;
}

/// Layer by layer.
static Error runSequentially(ModuleOp module, const PruneWeightsOptions &options, StringRef data) {
  Expected<OwningOpRef<ModuleOp>> copy = calibrateCopy(module, data);
  if (!copy)
    return copy.takeError();
  Expected<LoadedSamples> samples = LoadedSamples::load(**copy, data);
  if (!samples)
    return samples.takeError();
  if (Error error = pruneSequentially(**copy, options, samples->range()))
    return error;
  takeWeights(module, **copy);
  return Error::success();
}

/// Hessians of the model on the samples, in a file; and the means of what contractions read, as attributes.
static Error writeHessians(ModuleOp module, StringRef data, StringRef path) {
  Expected<OwningOpRef<ModuleOp>> copy = calibrateCopy(module, data);
  if (!copy)
    return copy.takeError();
  takeMeans(module, **copy);
  Expected<LoadedSamples> samples = LoadedSamples::load(**copy, data);
  if (!samples)
    return samples.takeError();
  Expected<Hessians> hessians = collectHessians(**copy, samples->range());
  return hessians ? hessians->write(path) : hessians.takeError();
}

/// A line for each contraction with constant weights, and the sum.
static void printLayers(ModuleOp module, llvm::raw_ostream &os) {
  int64_t zeros = 0, weights = 0;
  os << "layer                                         weights      zeros\n";
  for (const ContractionInput &input : getContractionInputs(module.lookupSymbol<func::FuncOp>("main"))) {
    auto values = getConstantElements<float>(getWeightOperand(input.contraction).get());
    if (!values)
      continue;
    const int64_t count = llvm::count(*values, 0.0f);
    os << llvm::left_justify(locationName(input.contraction->getLoc()), 40)
       << llvm::format("%13zu %9.2f %%", values->size(), 100.0 * count / values->size())
       << (isPruned(input.contraction) ? "\n" : "  left alone\n");
    zeros += count;
    weights += values->size();
  }
  os << llvm::left_justify("all", 40)
     << llvm::format("%13lld %9.2f %%\n", static_cast<long long>(weights), 100.0 * zeros / std::max<int64_t>(weights, 1));
}

/// A line for each contraction with constant weights: its channels before and after, or why all stayed.
static void printChannels(ModuleOp module, bool shrunk, llvm::raw_ostream &os) {
  int64_t before = 0, after = 0;
  os << "layer                                      channels       left\n";
  for (const ContractionInput &input : getContractionInputs(module.lookupSymbol<func::FuncOp>("main"))) {
    auto removed = input.contraction->getAttrOfType<DenseI64ArrayAttr>(kRemovedChannelsAttr);
    auto reason = input.contraction->getAttrOfType<StringAttr>(kChannelsKeptAttr);
    if (!removed && !reason)
      continue; // depthwise: it has the channels that it reads
    int64_t now = 1;
    for (int64_t dim : getOutputChannelDims(input.contraction))
      now *= cast<RankedTensorType>(getWeightOperand(input.contraction).get().getType()).getDimSize(dim);
    const int64_t gone = removed ? removed.size() : 0, was = shrunk ? now + gone : now;
    os << llvm::left_justify(locationName(input.contraction->getLoc()), 40)
       << llvm::format("%12lld %10lld", static_cast<long long>(was), static_cast<long long>(was - gone))
       << (reason ? "  left alone: " + reason.getValue().str() : "") << "\n";
    before += was;
    after += was - gone;
  }
  os << llvm::left_justify("all", 40) << llvm::format("%12lld %10lld\n", static_cast<long long>(before), static_cast<long long>(after));
}

/// A model of the stage import.
static Expected<OwningOpRef<ModuleOp>> loadImported(const PruneOptions &options, CompilerContext &context) {
  Expected<OwningOpRef<ModuleOp>> module = options.model.load(context.get());
  if (module && stageOf(**module) != Stage::Import)
    return userError("prune changes weights before they are quantized: give the source model or a file of the stage "
                     "'import'; this one is at '" + stageName(*stageOf(**module)) + "'");
  return module;
}

/// What --exclude names must be there.
static Error checkExcluded(ModuleOp module, const PruneOptions &options) {
  const std::vector<std::string> exclude(options.exclude.begin(), options.exclude.end());
  if (failed(getPrunableContractions(module.lookupSymbol<func::FuncOp>("main"), exclude, options.ends)))
    return llvm::make_error<Reported>();
  return Error::success();
}

static Error runPrediction(const PruneOptions &options) {
  if (Error error = options.checkPrediction())
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = loadImported(options, context);
  if (!module)
    return module.takeError();
  const std::vector<std::string> exclude(options.exclude.begin(), options.exclude.end());
  return predictSparsity(**module, {options.target, options.cost, options.sparsity, exclude, options.ends}, llvm::outs());
}

Error mlir::halftone::runPrune(CommandLine &line) {
  PruneOptions options(line);
  line.parse();
  if (options.predict)
    return runPrediction(options);
  if (options.cost.getNumOccurrences() || options.target.getNumOccurrences())
    return userError("--cost and --target-cpu are for --predict: zeros depend on no CPU");
  if (Error error = options.checkMethod())
    return error;
  Expected<PruneWeightsOptions> weights = options.removesChannels() ? PruneWeightsOptions() : options.weightsPass();
  if (!weights)
    return weights.takeError();
  Expected<PruneChannelsOptions> channels = options.removesChannels() ? options.channelsPass() : PruneChannelsOptions();
  if (!channels)
    return channels.takeError();
  if (Error error = options.output.check())
    return error;
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = loadImported(options, context);
  if (!module)
    return module.takeError();
  if (Error error = checkExcluded(**module, options)) // before samples are run
    return error;
  std::optional<TemporaryFile> file;
  if (options.sequential) {
    if (Error error = runSequentially(**module, *weights, options.data))
      return error;
  } else if (options.needsHessians()) {
    Expected<TemporaryFile> created = TemporaryFile::create("hessians");
    if (!created)
      return created.takeError();
    file = std::move(*created);
    weights->hessians = channels->hessians = file->path().str();
    if (Error error = writeHessians(**module, options.data, file->path()))
      return error;
  }
  PassManager pm(context.get());
  if (!options.sequential)
    pm.addPass(options.removesChannels() ? createPruneChannels(*channels) : createPruneWeights(*weights));
  if (failed(pm.run(**module)))
    return llvm::make_error<Reported>();
  if (Error error = options.output.write(**module))
    return error;
  llvm::raw_ostream &os = options.output.path == "-" ? llvm::errs() : llvm::outs();
  if (options.removesChannels())
    printChannels(**module, !options.keepShapes, os);
  else
    printLayers(**module, os);
  return Error::success();
}
