//===- SelectionOptions.cpp - Budgets of a model, from the command line ---===//
#include "SelectionOptions.h"
#include "DataOptions.h"
#include "ModelFile.h"
#include "halftone/Data/AtomicFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

SelectionOptions::SelectionOptions(CommandLine &line)
    : maxDrop("max-drop", cl::sub(line.command), cl::value_desc("X"),
              cl::desc("Select the precision of every layer so that the model "
                       "is at most that much worse than float, in points of "
                       "the metric, on samples that the search never saw")),
      maxBytes("max-bytes", cl::sub(line.command), cl::value_desc("N|P%"),
               cl::desc("The same for the constants of the compiled model, or "
                        "percent of the float model's")),
      maxLatency("max-latency", cl::sub(line.command), cl::value_desc("US|P%"),
                 cl::desc("The same for the microseconds of one run, or "
                          "percent of the model that is int8 throughout")),
      objective("objective", cl::sub(line.command),
                cl::init(Objective::Automatic),
                cl::desc("What is made least within the budgets (default: the "
                         "error; with --max-drop the size):"),
                cl::values(clEnumValN(Objective::Size, "size", "bytes"),
                           clEnumValN(Objective::Latency, "latency", "time"),
                           clEnumValN(Objective::Error, "error",
                                      "error of the outputs"))),
      metric("metric", cl::sub(line.command), cl::init(MetricKind::Automatic),
             cl::desc("What --max-drop counts (default top1 for classifiers):"),
             cl::values(clEnumValN(MetricKind::Top1, "top1",
                                   "percent of samples with another top-1 than float"),
                        clEnumValN(MetricKind::Sqnr, "sqnr",
                                   "dB below 100 dB of signal to error"),
                        clEnumValN(MetricKind::Cosine, "cosine", "1 - cosine"))),
      metricCommand("metric-command", cl::sub(line.command),
                    cl::value_desc("CMD"),
                    cl::desc("A command that gets the path of a compiled model "
                             "as its last argument and prints a number, more "
                             "is better; --max-drop is in its points")),
      saveChoice("save-choice", cl::sub(line.command), cl::value_desc("FILE"),
                 cl::desc("Write the choice as options: `halftone quantize "
                          "MODEL --stats STATS @FILE` makes the same model "
                          "again without a search")) {}

/// "N" or "P%".
static Error parseBudget(StringRef option, StringRef text, std::optional<Budget> &budget) {
  if (text.empty())
    return Error::success();
  Budget parsed;
  parsed.isPercent = text.consume_back("%");
  if (text.getAsDouble(parsed.value) || !(parsed.value > 0) || !std::isfinite(parsed.value))
    return userError(option + " takes a number above 0, or percent as in 20%");
  budget = parsed;
  return Error::success();
}

Expected<SelectionRequest> SelectionOptions::request() const {
  SelectionRequest request;
  request.objective = objective;
  request.metric = metric;
  request.metricCommand = metricCommand;
  double drop = 0;
  if (!maxDrop.empty()) {
    if (StringRef(maxDrop).getAsDouble(drop) || !std::isfinite(drop))
      return userError("--max-drop takes a number in the points of the metric");
    request.maxDrop = drop;
  }
  if (Error error = parseBudget("--max-bytes", maxBytes, request.maxBytes))
    return std::move(error);
  if (Error error = parseBudget("--max-latency", maxLatency, request.maxLatency))
    return std::move(error);
  return request;
}

Expected<bool> SelectionOptions::isAsked() const {
  Expected<SelectionRequest> parsed = request();
  if (!parsed)
    return parsed.takeError();
  if (parsed->maxDrop || parsed->maxBytes || parsed->maxLatency) {
    if (!saveChoice.empty())
      if (Error error = checkWritable(saveChoice))
        return std::move(error);
    return true;
  }
  if (objective != Objective::Automatic || metric != MetricKind::Automatic ||
      !metricCommand.empty() || !saveChoice.empty())
    return userError("--objective, --metric, --metric-command and --save-choice "
                     "are of a selection: give --max-drop, --max-bytes or "
                     "--max-latency");
  return false;
}

Expected<int64_t> SelectionOptions::searchSamples(int64_t samples) {
  if (samples < 6)
    return userError("selecting precision needs 6 samples or more: a third of "
                     "them is kept for verification");
  return samples - samples / 3;
}

/// On stderr: stdout may be the stage file.
static void printRow(const char *name, const Measured &measured) {
  llvm::errs() << llvm::format("  %-12s %12lld bytes %10.1f us   drop %.6g\n", name,
                               (long long)measured.constantBytes,
                               measured.microseconds, measured.drop);
}

static void printSelection(const VariantCompiler &compiler,
                           const Selection &selection, const SampleRange &verify) {
  llvm::errs() << "selected precision, verified on " << verify.end - verify.begin
               << " samples that the search never saw:\n";
  printRow("float", selection.wholeFloat);
  printRow("plain int8", selection.plainInt8);
  printRow("selected", selection.chosen);
  for (auto [layer, format] : llvm::zip(compiler.layers(), selection.assignment))
    if (format != LayerFormat::Int8)
      llvm::errs() << "  " << formatName(format) << ": " << layer.name << "\n";
}

/// One option a line, quoted as response files are.
static Error writeChoice(StringRef path, const StageSettings &settings) {
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    for (const std::string &text : settings.floatOps) {
      os << "\"--float-ops=";
      for (char c : text)
        os << (c == '"' || c == '\\' ? "\\" : "") << c;
      os << "\"\n";
    }
    return Error::success();
  });
}

static Expected<OwningOpRef<ModuleOp>> copyModule(ModuleOp module,
                                                  MLIRContext *context) {
  Expected<TemporaryFile> file = TemporaryFile::create("mlirbc");
  if (!file)
    return file.takeError();
  if (Error error = writeModule(module, file->path(), /*elideWeights=*/false))
    return std::move(error);
  return readModule(file->path(), context);
}

Expected<StageSettings>
SelectionOptions::select(ModuleOp module, StringRef path,
                         const StageSettings &settings, StringRef target) const {
  Expected<SelectionRequest> parsed = request();
  if (!parsed)
    return parsed.takeError();
  auto data = loadDatasetFor(module, path);
  if (!data)
    return data.takeError();
  Expected<int64_t> split = searchSamples((*data)->size());
  if (!split)
    return split.takeError();
  // The search works in a context of its own: in the module's, it would leave
  // names of weights, and the chosen model would have others than one that is
  // made without a search.
  CompilerContext context;
  auto copy = copyModule(module, context.get());
  if (!copy)
    return copy.takeError();
  auto compiler = VariantCompiler::make(**copy, settings, target);
  if (!compiler)
    return compiler.takeError();
  SampleRange search{**data, 0, *split}, verify{**data, *split, (*data)->size()};
  auto selection = selectPrecision(*compiler, *parsed, search, verify);
  if (!selection)
    return selection.takeError();
  printSelection(*compiler, *selection, verify);
  StageSettings chosen = compiler->settingsOf(selection->assignment);
  if (!saveChoice.empty())
    if (Error error = writeChoice(saveChoice, chosen))
      return std::move(error);
  return chosen;
}
