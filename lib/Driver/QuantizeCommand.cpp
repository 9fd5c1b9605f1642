//===- QuantizeCommand.cpp - halftone quantize ----------------------------===//
#include "Calibrator.h"
#include "HessianCollector.h"
#include "ModelOptions.h"
#include "OpReport.h"
#include "QuantizeOptions.h"
#include "SelectionOptions.h"
#include "TemporaryFile.h"
#include "halftone/Target/TargetTable.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// The file of statistics given, or of those that the search's share of the
/// data gives.
static Error findStatistics(ModuleOp module, const SelectionOptions &selection,
                            StringRef data, std::string &path,
                            std::optional<TemporaryFile> &temporary) {
  if (!path.empty() || stageOf(module) != Stage::Import)
    return Error::success();
  Expected<TemporaryFile> file =
      calibrateIntoFile(module, data, [&](int64_t samples) { return selection.seenSamples(samples); });
  if (!file)
    return file.takeError();
  temporary = std::move(*file);
  path = temporary->path().str();
  return Error::success();
}

/// Takes the module to the stage precision with what a selection chooses.
static Error selectFormats(ModuleOp module, const SelectionOptions &selection,
                           StringRef data, StringRef target,
                           StorageChoice storage, StageSettings settings,
                           std::optional<ChosenSettings> &chosen) {
  if (*stageOf(module) > Stage::Calibration)
    return userError("precision is selected from the source model or a stage "
                     "file up to 'calibration'; this one is at '" +
                     stageName(*stageOf(module)) + "'");
  std::optional<TemporaryFile> temporary;
  if (Error error = findStatistics(module, selection, data, settings.statistics, temporary))
    return error;
  if (stageOf(module) == Stage::Import)
    if (Error error = runStage(module, Stage::Calibration, settings))
      return error;
  auto selected = selection.select(module, data, settings, target, storage);
  if (!selected)
    return selected.takeError();
  chosen = std::move(*selected);
  return runStage(module, Stage::Precision, chosen->stages);
}

Error mlir::halftone::runQuantize(CommandLine &line) {
  namespace cl = llvm::cl;
  ModelOptions model(line);
  EqualizeOption equalize(line);
  QuantizeOptions options(line);
  SelectionOptions selection(line);
  TargetOption target(line);
  CostOption cost(line);
  StorageOption storage(line);
  cl::opt<std::string> data(
      "data", cl::sub(line.command), cl::value_desc("D.npz|folder"),
      cl::desc("Samples to select precision with: two thirds for the search "
               "(and, without --stats, for calibration), the last third for "
               "verification; or samples for --rounding=gptq and adaround, and "
               "for recipes with sparsity"));
  cl::opt<std::string> statistics(
      "stats", cl::sub(line.command), cl::value_desc("STATS"),
      cl::desc("Statistics file of `halftone calibrate`; not needed "
               "for a stage file behind calibration"));
  StageOption stopAfter(line, Stage::Calibration, Stage::Integer,
                        Stage::Quantization);
  OutputOption output(line);
  line.parse();
  if (Error error = output.check())
    return error;
  Expected<Stage> last = stopAfter.stage();
  if (!last)
    return last.takeError();
  Expected<bool> selects = selection.isAsked();
  if (!selects)
    return selects.takeError();
  if (Error error = options.check(*selects, selection.prunes()))
    return error;
  if (!options.needsCalibration() && (*selects || !data.empty() || !statistics.empty()))
    return userError("--activations=dynamic and float need no samples and no ranges: give no --data, "
                     "no --stats and no budget");
  if (*selects && data.empty())
    return userError("selecting precision needs --data");
  if (!*selects && storage.getNumOccurrences())
    return userError("--weight-storage says how a selection counts bytes; without --max-drop, --max-bytes or "
                     "--max-latency it is an option of compile");
  if (!*selects && target.getNumOccurrences())
    return userError("--target-cpu is the CPU that a selection measures on; without --max-drop, --max-bytes or "
                     "--max-latency it is an option of compile");
  Expected<bool> sums = usesHessians(options.settings());
  if (!sums)
    return sums.takeError();
  if (!*selects && !data.empty() && !*sums)
    return userError("--data is for selecting precision or for Hessians: give "
                     "--max-drop, --max-bytes or --max-latency, "
                     "--rounding=gptq or adaround, or a recipe with sparsity");
  if (selection.heldOutSamples() && data.empty())
    return userError("--held-out is a part of --data");
  if (*selects && *last < Stage::Precision)
    return userError("--stop-after=" + stageName(*last) +
                     " ends before precision is selected");
  if (Error error = findCpuTargets(target).takeError())
    return error;
  CompilerContext context;
  const bool quantizes = options.isGiven() || *selects || !data.empty() || !statistics.empty();
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get(), quantizes);
  if (!module)
    return module.takeError();
  if (Error error = cost.attach(**module))
    return error;
  if (*stageOf(**module) >= Stage::Quantization && quantizes)
    return model.isQuantizedAlready("give no --data, no --stats, no budget and no option of quantization, or start from the float model to "
                                    "quantize it anew");
  if (Error error = options.checkStage(**module))
    return error;
  if (Error error = equalize.apply(**module))
    return error;
  if (stageOf(**module) == Stage::Import && statistics.empty() && !*selects &&
      options.needsCalibration())
    return userError(
        "quantize needs --stats, or a stage file behind calibration; `halftone "
        "calibrate MODEL --data D.npz -o STATS` makes them");
  StageSettings settings = options.settings();
  settings.statistics = statistics;
  settings.heldOut = selection.heldOutSamples();
  std::optional<ChosenSettings> chosen;
  if (*selects)
    if (Error error = selectFormats(**module, selection, data, target, storage, settings, chosen))
      return error;
  if (Error error = advanceWithHessians(**module, *last, chosen ? chosen->stages : settings, chosen ? chosen->data : data.getValue()))
    return error;
  return output.write(**module);
}
