//===- SelectionOptions.cpp - Budgets of a model, from the command line ---===//
#include "SelectionOptions.h"
#include "DataOptions.h"
#include "ModelFile.h"
#include "halftone/Codegen/IsaTable.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Regex.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;
namespace cl = llvm::cl;

/// What is chosen among unless --formats says it: few bits under a budget of bytes, those that take fewer instructions under one of time, floats where
/// bytes are free or time has a budget.
static std::string defaultFormats(bool limitsBytes, bool limitsTime, bool hasNarrow) {
  std::string few = limitsTime && hasNarrow ? ",int8pair,int7pair,int6" : "";
  few += limitsBytes ? ",codebook6,codebook5,codebook4,codebook3" : "";
  return "int8" + few + (limitsTime || !limitsBytes ? ",float" : "");
}

/// Whether a target has kernels for small weights. One that is not known is reported where it is compiled for.
static bool hasNarrowKernels(StringRef target) {
  const Isa *isa = findIsaOfTarget(target);
  return isa && !isa->narrow.empty();
}

/// The description of --formats, which LLVM's parser keeps a reference to.
static StringRef listDefaults() {
  static const std::string text =
      "Formats of weights to choose among, as in int8,int4/group:32,int8/sparsity:0.7,float; sparsity is the share of blocks of "
      "weights that are zero (default " + defaultFormats(false, false, false) + "; with --max-bytes " + defaultFormats(true, false, false) +
      ", and float if --max-latency is given, too; with --max-latency also int8pair, int7pair and int6 for targets with AVX2 or AVX-512 and no dots of "
      "bytes, where they take fewer instructions)";
  return text;
}

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
                             "is better; --max-drop is in its points. What the "
                             "model and float gave for the samples is in the "
                             ".npz files $HALFTONE_OUTPUTS and $HALFTONE_REFERENCE, "
                             "which samples of --data in $HALFTONE_SAMPLES (BEGIN:END)")),
      formats("formats", cl::sub(line.command), cl::value_desc("F,F/G,F/sparsity:S,..."),
              cl::desc(listDefaults())),
      measurements("measurements", cl::sub(line.command),
                   cl::value_desc("FILE"),
                   cl::desc("Keep what each format costs each layer in FILE, "
                            "and do not measure again what it has: for other "
                            "budgets, or after an interruption")),
      saveChoice("save-choice", cl::sub(line.command), cl::value_desc("FILE"),
                 cl::desc("Write the choice as a recipe: --recipe=FILE makes "
                          "the same model again without a search")),
      heldOut("held-out", cl::sub(line.command), cl::init(0), cl::value_desc("N"),
              cl::desc("The last N samples of --data: a selection verifies on them (default: on a third), and nothing else sees them. "
                       "With --recipe, those that its selection verified on")),
      refit("refit", cl::sub(line.command), cl::init(cl::BOU_UNSET), cl::ValueOptional,
            cl::desc("With --rounding=gptq and adaround, and formats with sparsity: round what a selection chose by all samples of --data, "
                     "those that verified it too (default, unless --max-drop or --held-out is given; --refit=false: by the search's alone)")) {}

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
  request.measurements = measurements;
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

Expected<std::vector<LayerFormat>> SelectionOptions::candidates(bool hasNarrow) const {
  if (formats.empty())
    return LayerFormat::parseList(defaultFormats(!maxBytes.empty(), !maxLatency.empty(), hasNarrow));
  auto list = LayerFormat::parseList(formats);
  if (!list)
    return userError("--formats: " + llvm::toString(list.takeError()));
  return list;
}

StorageChoice SelectionOptions::storage(StorageChoice asked) const {
  return !maxBytes.empty() && asked == StorageChoice::Automatic ? StorageChoice::Packed : asked;
}

Expected<bool> SelectionOptions::isAsked() const {
  Expected<SelectionRequest> parsed = request();
  if (!parsed)
    return parsed.takeError();
  if (Error error = candidates().takeError())
    return std::move(error);
  if (heldOut.getNumOccurrences() && heldOut < 1)
    return userError("--held-out is a number of samples, 1 or more");
  if (hasBudget()) {
    for (const std::string &path : {saveChoice.getValue(), measurements.getValue()})
      if (!path.empty())
        if (Error error = checkWritable(path))
          return std::move(error);
    return true;
  }
  if (objective != Objective::Automatic || metric != MetricKind::Automatic ||
      !metricCommand.empty() || !formats.empty() || !measurements.empty() || !saveChoice.empty() || refit != cl::BOU_UNSET)
    return userError("--objective, --metric, --metric-command, --formats, "
                     "--measurements, --save-choice and --refit are of a selection: "
                     "give --max-drop, --max-bytes or --max-latency");
  return false;
}

bool SelectionOptions::isRefitting() const {
  return refit == cl::BOU_UNSET ? maxDrop.empty() && !heldOut : refit == cl::BOU_TRUE;
}

bool SelectionOptions::prunes() const {
  return llvm::any_of(*candidates(), [](const LayerFormat &format) { return format.sparsity != 0; });
}

Expected<int64_t> SelectionOptions::seenSamples(int64_t samples) const {
  constexpr int64_t least = 4; // and 2 to verify on
  if (!heldOut && hasBudget() && samples < 6)
    return userError("selecting precision needs 6 samples or more: a third of "
                     "them is kept for verification");
  const int64_t kept = heldOut || !hasBudget() ? int64_t(heldOut) : samples / 3, seen = samples - kept;
  if (seen < 1)
    return heldOutTooMany(kept, samples);
  if (hasBudget() && seen < least)
    return userError("--held-out=" + Twine(kept) + " leaves " + Twine(seen) + " of the " + Twine(samples) +
                     " samples to the search, which needs " + Twine(least));
  return seen;
}

/// On stderr: stdout may be the stage file.
static void printRow(const char *name, const Measured &measured) {
  llvm::errs() << llvm::format("  %-12s %12lld bytes %10.1f us   drop %.6g\n", name,
                               (long long)measured.constantBytes,
                               measured.microseconds, measured.drop);
}

/// Of the weights' values that are chosen for, how many have each format.
static void printShares(const VariantCompiler &compiler, const Assignment &assignment) {
  std::vector<int64_t> elements(compiler.formats().size(), 0);
  int64_t all = 0;
  for (auto [layer, format] : llvm::zip_equal(compiler.layers(), assignment)) {
    elements[format] += layer.elements;
    all += layer.elements;
  }
  llvm::errs() << "  weights:";
  for (auto [format, count] : llvm::zip_equal(compiler.formats(), elements))
    if (count)
      llvm::errs() << llvm::format(" %.1f %% ", 100.0 * count / all) << format.name();
  llvm::errs() << "\n";
}

/// What --sequential gained, or that it did not.
static void printRounding(const Selection &selection) {
  if (!selection.other)
    return;
  const Measured &with = selection.isSequential ? selection.chosen : *selection.other;
  const Measured &without = selection.isSequential ? *selection.other : selection.chosen;
  llvm::errs() << llvm::format("  layer by layer: drop %.6g, distance %.4g; without --sequential: drop %.6g, distance %.4g%s\n", with.drop,
                               with.loss, without.drop, without.loss, selection.isSequential ? "" : ": kept without, which is better here");
}

static void printSelection(const VariantCompiler &compiler,
                           const Selection &selection, const SampleRange &verify) {
  llvm::errs() << "selected precision, verified on " << verify.size()
               << " samples that the search never saw:\n";
  printRow("float", selection.wholeFloat);
  printRow("plain int8", selection.plainInt8);
  printRow("selected", selection.chosen);
  printRounding(selection);
  if (selection.summed)
    llvm::errs() << llvm::format("  one format throughout is nearer to float (distance %.4g) than what the losses of single layers chose (%.4g)\n",
                                 selection.chosen.loss, selection.summed->loss);
  printShares(compiler, selection.assignment);
  for (auto [layer, format] : llvm::zip_equal(compiler.layers(), selection.assignment))
    if (format != 0)
      llvm::errs() << "  " << compiler.formats()[format].name() << ": " << layer.name << "\n";
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

/// The settings that make the chosen model, in files of their own.
static Expected<ChosenSettings> keepChoice(const VariantCompiler &compiler, const Selection &selection,
                                           const StageSettings &stages, StringRef data, int64_t heldOut, bool refits) {
  auto recipe = TemporaryFile::create("yaml");
  if (!recipe)
    return recipe.takeError();
  if (Error error = compiler.writeRecipe(recipe->path(), selection.assignment))
    return std::move(error);
  // What is kept is of the search's samples alone.
  ChosenSettings chosen{stages, std::move(*recipe), refits ? HessianFile() : compiler.hessianFile(), refits || selection.isSequential ? data.str() : ""};
  chosen.stages.recipe = chosen.recipe.path().str();
  chosen.stages.sequential = selection.isSequential;
  chosen.stages.heldOut = refits ? 0 : heldOut;
  // Those of all samples are kept, too: other budgets choose from the same layers.
  const bool keepsOthers = refits && !stages.hessians.empty();
  chosen.stages.hessians = keepsOthers ? stages.hessians + ".refit" : chosen.hessians.path;
  return chosen;
}

Expected<ChosenSettings>
SelectionOptions::select(ModuleOp module, StringRef path,
                         const StageSettings &settings, StringRef target,
                         StorageChoice asked) const {
  Expected<SelectionRequest> parsed = request();
  if (!parsed)
    return parsed.takeError();
  auto list = candidates(hasNarrowKernels(target));
  if (!list)
    return list.takeError();
  auto data = loadDatasetFor(module, path);
  if (!data)
    return data.takeError();
  Expected<int64_t> split = seenSamples((*data)->size());
  if (!split)
    return split.takeError();
  // The search works in a context of its own: in the module's, it would leave
  // names of weights, and the chosen model would have others than one that is
  // made without a search.
  CompilerContext context;
  auto copy = copyModule(module, context.get());
  if (!copy)
    return copy.takeError();
  SampleRange search{**data, 0, *split}, verify{**data, *split, (*data)->size()};
  auto compiler = VariantCompiler::make(**copy, {settings, target.str(), storage(asked), *list}, search);
  if (!compiler)
    return compiler.takeError();
  if (refit == cl::BOU_TRUE && !compiler->usesHessians())
    return userError("--refit is for --rounding=gptq and adaround, and for formats with sparsity: nothing else is rounded by samples");
  auto selection = selectPrecision(*compiler, *parsed, search, verify);
  if (!selection)
    return selection.takeError();
  printSelection(*compiler, *selection, verify);
  if (!saveChoice.empty())
    if (Error error = compiler->writeRecipe(saveChoice, selection->assignment))
      return std::move(error);
  const bool refits = compiler->usesHessians() && isRefitting();
  if (refits)
    llvm::errs() << "  rounded again by all " << (*data)->size() << " samples: what is written is not what was verified, its formats are\n";
  return keepChoice(*compiler, *selection, settings, path, verify.size(), refits);
}
