//===- BuildCommand.cpp - halftone build ----------------------------------===//
//
// All stages with the defaults that are right: import, calibration, precision,
// quantization, integer, compile. Without data there is nothing to quantize
// with: the model is compiled in floats.
//
//===----------------------------------------------------------------------===//
#include "Calibrator.h"
#include "HessianCollector.h"
#include "LoadedModel.h"
#include "ModelOptions.h"
#include "OpReport.h"
#include "QuantizeOptions.h"
#include "SelectionOptions.h"
#include "TemporaryFile.h"
#include "halftone/Codegen/IsaTable.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

namespace {
struct BuildOptions {
  explicit BuildOptions(CommandLine &line);
  Error check(Stage last) const;
  Error checkLists(Stage last) const;
  Error checkOutput(Stage last) const;
  /// As in adoptCasts().
  bool quantizes() const { return !data.empty() || wholeFloat || quantize.isGiven(); }

  ModelOptions model;
  EqualizeOption equalize;
  cl::opt<std::string> data;
  QuantizeOptions quantize;
  SelectionOptions selection;
  TargetOption target;
  CostOption cost;
  StorageOption storage;
  StageOption stopAfter;
  OutputOption output;
  cl::opt<std::string> statistics;
  cl::opt<bool> wholeFloat;
};
} // namespace

BuildOptions::BuildOptions(CommandLine &line)
    : model(line, /*several=*/false, /*takesLists=*/true), equalize(line),
      data("data", cl::sub(line.command), cl::value_desc("D.npz|folder"),
           cl::desc("Samples to calibrate with: .npz keyed by input name with "
                    "a leading sample "
                    "axis, a folder of .npy, or pictures with --input. "
                    "Without, the model is "
                    "compiled in floats")),
      quantize(line), selection(line), target(line), cost(line),
      storage(line),
      stopAfter(line, Stage::Import, Stage::Target, Stage::Target),
      output(line),
      statistics("save-stats", cl::sub(line.command), cl::value_desc("STATS"),
                 cl::desc("Keep the calibration statistics")),
      wholeFloat(
          "float", cl::sub(line.command),
          cl::desc("Compile the whole model in floats, for comparison")) {}

/// Whether the result can be written, and its kind.
Error BuildOptions::checkOutput(Stage last) const {
  if (last < Stage::Target)
    return output.check();
  if (output.path == "-")
    return userError("build needs -o M.so");
  if (Error error = checkWritable(output.path))
    return error;
  return checkCompilation(output.path, target);
}

/// Everything that can be known before long work.
Error BuildOptions::check(Stage last) const {
  Expected<bool> selects = selection.isAsked();
  if (!selects)
    return selects.takeError();
  if (!quantize.needsCalibration() && (*selects || !data.empty() || wholeFloat || !statistics.empty()))
    return userError("--activations=dynamic and float need no samples and no ranges: give no --data, "
                     "no --save-stats, no budget and no --float");
  if (*selects && (data.empty() || wholeFloat))
    return userError("selecting precision needs --data, and no --float");
  if (selection.heldOutSamples() && (data.empty() || wholeFloat))
    return userError("--held-out is a part of --data");
  if (Error error = quantize.check(*selects, selection.prunes()))
    return error;
  if (Error error = checkOutput(last))
    return error;
  if (statistics.empty())
    return Error::success();
  if (data.empty() || wholeFloat)
    return userError(
        "--save-stats needs a calibration: --data, and no --float");
  return checkWritable(statistics);
}

/// What several sizes of dimensions do not go with.
Error BuildOptions::checkLists(Stage last) const {
  if (last < Stage::Target)
    return userError("a stage file is of one size: give --dim no list of sizes with --stop-after");
  if (quantize.settings().sequential)
    return userError("--sequential rounds the weights for the samples of one size: leave it out, or give --dim no list of sizes");
  return Error::success();
}

/// Bytes of the file, or 0.
static uint64_t fileBytes(StringRef path) {
  uint64_t bytes = 0;
  return llvm::sys::fs::file_size(path, bytes) ? 0 : bytes;
}

/// Layers that the target has faster kernels for, which their weights are too large for.
static int64_t countUnbounded(const LoadedModel &model) {
  const Isa *isa = findIsaOfTarget(model.info().target);
  if (!isa || isa->narrow.empty())
    return 0;
  return llvm::count_if(model.layers(), [&](const HalftoneLayerInfo *layer) {
    return layer->kernel == isa->bytes.name && !StringRef(layer->kind).starts_with("depthwise");
  });
}

/// What the library says of itself.
static void printSizes(const BuildOptions &options, int64_t floatBytes) {
  llvm::raw_ostream &os = llvm::outs();
  Expected<LoadedModel> model = LoadedModel::load(options.output.path, 1);
  if (!model) {
    os << "sizes are not shown: " << llvm::toString(model.takeError()) << "\n";
    return;
  }
  const HalftoneModel &info = model->info();
  os << "constants " << info.constantBytes << " bytes";
  if (floatBytes)
    os << llvm::format(" (%.3f of the float model's %lld)",
                       double(info.constantBytes) / floatBytes,
                       (long long)floatBytes);
  os << ", workspace " << info.workspaceBytes << " bytes, target "
     << info.target << "\n";
  if (int64_t count = !options.data.empty() && options.quantize.weightFormat() == "int8" ? countUnbounded(*model) : 0)
    os << "most of " << count << " layers would take fewer instructions on this target with --weights=int8pair\n";
}

/// What was made, in numbers.
static void printSummary(const BuildOptions &options, int64_t sourceBytes, int64_t floatBytes,
                         const OpReport &report) {
  llvm::raw_ostream &os = llvm::outs();
  os << "wrote " << options.output.path << ": "
     << fileBytes(options.output.path) << " bytes (the source model has "
     << sourceBytes << ")\n";
  llvm::SmallString<128> header(options.output.path);
  llvm::sys::path::replace_extension(header, ".h");
  const StringRef extension = llvm::sys::path::extension(options.output.path);
  if (extension == ".so")
    printSizes(options, floatBytes);
  else if (extension == ".o")
    os << "its inputs, outputs and the function that returns its table: " << header << "\n";
  report.printSummary(os, FloatList::Reasons);
}

/// Calibrates and leaves the statistics in a file, which the passes read.
static Error calibrateInto(ModuleOp module, StringRef data, StringRef path,
                           ShareOfSamples share) {
  Expected<Statistics> statistics = calibrate(module, data, share);
  if (!statistics)
    return statistics.takeError();
  return statistics->write(path);
}

namespace {
/// How the model is quantized, with the files that hold it.
struct Decisions {
  StageSettings settings;
  std::string data; ///< That Hessians are summed over, or "".
  std::optional<TemporaryFile> statistics;
  std::optional<ChosenSettings> chosen;
  std::optional<HessianFile> hessians;
};
} // namespace

/// From import to precision: the ranges from data, then the decision, which a
/// selection makes with a part of the data kept aside.
static Error decidePrecision(ModuleOp module, const BuildOptions &options,
                             Stage last, Decisions &decisions) {
  StageSettings &settings = decisions.settings;
  if (stageOf(module) != Stage::Import || last == Stage::Import)
    return Error::success();
  if (!options.quantize.needsCalibration())
    return advance(module, std::min(last, Stage::Precision), settings);
  settings.statistics = options.statistics;
  if (options.statistics.empty()) {
    Expected<TemporaryFile> file = TemporaryFile::create("stats");
    if (!file)
      return file.takeError();
    settings.statistics = file->path().str();
    decisions.statistics = std::move(*file);
  }
  Expected<bool> selects = options.selection.isAsked();
  if (!selects)
    return selects.takeError();
  if (Error error = calibrateInto(module, options.data, settings.statistics,
                                  [&](int64_t samples) { return options.selection.seenSamples(samples); }))
    return error;
  if (*selects && last >= Stage::Precision) {
    if (Error error = advance(module, Stage::Calibration, settings))
      return error;
    auto selected = options.selection.select(module, options.data, settings, options.target, options.storage);
    if (!selected)
      return selected.takeError();
    decisions.chosen = std::move(*selected);
    settings = decisions.chosen->stages;
    decisions.data = decisions.chosen->data;
    return runStage(module, Stage::Precision, settings);
  }
  return advance(module, std::min(last, Stage::Precision), settings);
}

/// Sums the Hessians for all sizes: those of the samples' one, whose layers the others have.
static Error sumHessians(ModuleOp module, Decisions &decisions) {
  Expected<bool> areOfUse = usesHessians(decisions.settings);
  if (!areOfUse || !*areOfUse || decisions.data.empty())
    return areOfUse.takeError();
  Expected<LoadedSamples> samples = LoadedSamples::load(module, decisions.data, decisions.settings.heldOut);
  if (!samples)
    return samples.takeError();
  Expected<HessianFile> file = HessianFile::collect(module, samples->range(), decisions.settings.hessians);
  if (!file)
    return file.takeError();
  decisions.settings.hessians = file->path;
  decisions.hessians = std::move(*file);
  decisions.data.clear();
  return Error::success();
}

/// Writes a stage file, or compiles.
static Error finish(ModuleOp module, const BuildOptions &options, Stage last,
                    const OpReport &report) {
  StorageChoice storage = options.selection.storage(options.storage);
  if (last == Stage::Codegen)
    if (Error error = generateCode(module, options.target, {storage}))
      return error;
  if (last < Stage::Target)
    return options.output.write(module);
  return compileModule(module, options.output.path, options.target,
                       report.toJSON(), {storage});
}

/// The model in one size, before anything is decided.
static Expected<OwningOpRef<ModuleOp>> readSize(MLIRContext *context, const BuildOptions &options, const ModelSize &size) {
  Expected<OwningOpRef<ModuleOp>> module = options.model.load(context, size, options.quantizes());
  if (!module)
    return module;
  if (Error error = options.cost.attach(**module))
    return std::move(error);
  if (Error error = options.equalize.apply(**module))
    return std::move(error);
  return module;
}

/// Which of several sizes decides how all are quantized: the one that the samples have. All are tried out before long work.
static Expected<size_t> findDecidingSize(const BuildOptions &options, Stage last, std::vector<ModelSize> &sizes) {
  if (Error error = options.checkLists(last))
    return std::move(error);
  auto signatures = checkSizes(sizes, options.output.path,
                               [&](MLIRContext *context, const ModelSize &size) { return options.model.load(context, size, options.quantizes()); });
  if (!signatures)
    return signatures.takeError();
  if (options.data.empty())
    return 0;
  std::vector<InputInterface> interfaces;
  for (auto [size, signature] : llvm::zip(sizes, *signatures)) {
    interfaces.push_back(signature.interface);
    interfaces.back().size = size.name;
  }
  return findSizeOfData(options.data, interfaces);
}

/// Compiles all sizes of the model as it was decided with the samples of one of them, which is at the stage that this led to.
static Error compileSizes(ArrayRef<ModelSize> sizes, size_t decided, OwningOpRef<ModuleOp> module, const BuildOptions &options,
                          const std::optional<StageSettings> &settings) {
  TargetWriter writer(options.output.path, sizes.size());
  for (auto [i, size] : llvm::enumerate(sizes)) {
    CompilerContext context;
    std::optional<ScopedDiagnosticHandler> quiet;
    OwningOpRef<ModuleOp> other;
    if (i != decided) {
      quiet.emplace(context.get(), isRemark);
      Expected<OwningOpRef<ModuleOp>> read = readSize(context.get(), options, size);
      if (!read)
        return read.takeError();
      other = std::move(*read);
    }
    ModuleOp current = other ? *other : *module;
    OpReport report = OpReport::of(current);
    if (settings) {
      if (Error error = advance(current, std::max(*stageOf(current), Stage::Precision), *settings))
        return errorOfSize(std::move(error), size);
      report = OpReport::of(current);
      if (Error error = advance(current, Stage::Integer, *settings))
        return errorOfSize(std::move(error), size);
    }
    if (Error error = compileSize(writer, current, size.name, options.target, report.toJSON(), {options.selection.storage(options.storage)}))
      return errorOfSize(std::move(error), size);
    if (!other)
      module = nullptr;
  }
  printConstantSizes(writer.constantSizes(), sizes.size());
  return Error::success();
}

/// Nothing is left to choose in a model that has its scales.
static Error checkQuantized(const BuildOptions &options) {
  if (options.data.empty() && !options.wholeFloat && options.statistics.empty() && !options.quantize.isGiven())
    return Error::success();
  return options.model.isQuantizedAlready("give no --data, no --save-stats, no --float and no option of quantization, or start from the "
                                          "float model to quantize it anew");
}

Error mlir::halftone::runBuild(CommandLine &line) {
  BuildOptions options(line);
  line.parse();
  Expected<Stage> last = options.stopAfter.stage();
  if (!last)
    return last.takeError();
  if (Error error = options.check(*last))
    return error;

  Expected<std::vector<ModelSize>> sizes = options.model.sizes();
  if (!sizes)
    return sizes.takeError();
  const bool hasSizes = sizes->size() > 1;
  Expected<size_t> decided = hasSizes ? findDecidingSize(options, *last, *sizes) : 0;
  if (!decided)
    return decided.takeError();

  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = readSize(context.get(), options, (*sizes)[*decided]);
  if (!module)
    return module.takeError();
  if (Error error = options.quantize.checkStage(**module))
    return error;
  bool isQuantized = *stageOf(**module) >= Stage::Quantization;
  if (isQuantized)
    if (Error error = checkQuantized(options))
      return error;
  int64_t floatBytes = isQuantized ? 0 : floatConstantBytes(**module), sourceBytes = fileBytes(options.model.path());
  if (auto external = (**module)->getAttrOfType<IntegerAttr>(kExternalBytesAttr); external && options.model.isOnnx())
    sourceBytes += external.getInt();
  if (*options.selection.isAsked() && stageOf(**module) != Stage::Import)
    return userError("precision is selected from the source model or a stage "
                     "file of 'import'; this one is at '" +
                     stageName(*stageOf(**module)) + "'");
  bool isFloat = options.wholeFloat ||
                 (options.data.empty() && options.quantize.needsCalibration() &&
                  stageOf(**module) == Stage::Import);
  if (isFloat && *last > Stage::Import && *last < Stage::Codegen)
    return userError("the stage '" + stageName(*last) +
                     "' needs samples: give --data, and no "
                     "--float");
  if (isFloat && options.quantize.isGiven())
    return userError("options of quantization need --data, and no --float: a model without samples is built in floats");
  OpReport report = OpReport::of(**module);
  Decisions decisions{options.quantize.settings(), options.data, {}, {}, {}};
  decisions.settings.heldOut = options.selection.heldOutSamples();
  if (!isFloat) {
    if (Error error = decidePrecision(**module, options, *last, decisions))
      return error;
    report = OpReport::of(**module);
    if (Error error = hasSizes ? sumHessians(**module, decisions)
                               : advanceWithHessians(**module, std::min(*last, Stage::Integer), decisions.settings, decisions.data))
      return error;
  }
  if (Error error = hasSizes ? compileSizes(*sizes, *decided, std::move(*module), options,
                                            isFloat ? std::nullopt : std::optional(decisions.settings))
                             : finish(**module, options, *last, report))
    return error;
  const bool hasIntegers = isFloat && report.integerMacs(); // MatMulInteger and ConvInteger of the source
  if (*last == Stage::Target)
    printSummary(options, sourceBytes, hasIntegers ? 0 : floatBytes, report);
  if (isQuantized && options.model.isOnnx())
    llvm::outs() << "the source model is quantized: its own scales were used, no samples are needed\n";
  if (hasIntegers)
    llvm::outs() << "the source model is quantized: its products of integers run as they are, no samples are needed\n";
  else if (isFloat && !options.wholeFloat)
    llvm::outs() << "built in floats; --data SAMPLES would calibrate and build "
                    "it in int8: about a "
                    "quarter of the bytes, and faster\n";
  return Error::success();
}
