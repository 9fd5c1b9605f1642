//===- QuantizeOptions.cpp - How a model becomes int8 ---------------------===//
#include "QuantizeOptions.h"
#include "ModelFile.h"
#include "halftone/Codegen/CostTable.h"
#include "halftone/Precision/Recipe.h"
#include "halftone/Quantization/Smoothing.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir::halftone;
namespace cl = llvm::cl;

/// The description of --weights, which LLVM's parser keeps a reference to.
static llvm::StringRef listFormats() {
  static const std::string text =
      "Format of weights (default int8): float, " +
      llvm::join(weightFormatNames(), ", ") +
      ". Depthwise convolutions and convolutions of the model's input keep "
      "int8; --recipe can change that";
  return text;
}

QuantizeOptions::QuantizeOptions(CommandLine &line)
    : estimator(
          "estimator", cl::sub(line.command),
          cl::init(Estimator::MeanSquaredError),
          cl::desc(
              "How ranges are estimated from the statistics (default mse):"),
          estimatorValues()),
      percentile("percentile", cl::sub(line.command), cl::init(99.99),
                 cl::value_desc("p"),
                 cl::desc("With --estimator=percentile: above 50, at most 100 "
                          "(default 99.99)")),
      smooth("smooth", cl::sub(line.command), cl::init("auto"), cl::value_desc("auto|none|alpha"),
             cl::desc("Divide channels of activations, and multiply the weights that read them, so that large channels get "
                      "smaller (SmoothQuant): auto (default, in training none) where that is expected to lower the error; none; or everywhere by an "
                      "exponent from 0 to 1, 1 evens activations out whatever the weights are")),
      weights("weights", cl::sub(line.command), cl::init("int8"),
              cl::value_desc("format"), cl::desc(listFormats())),
      granularity("granularity", cl::sub(line.command), cl::init("channel"),
                  cl::value_desc("g"),
                  cl::desc("What of weights shares a scale: tensor, channel "
                           "(default), or group:N, where N elements of the "
                           "reduction have a multiplier of their own (16 to 256) or, in codebooks of 2 to 5 bits, "
                           "choose one of four tables (8 to 256)")),
      recipe("recipe", cl::sub(line.command), cl::value_desc("FILE"),
             cl::desc("Formats by layer: a YAML list of rules {name | regex | "
                      "kind, weights | levels, granularity, precision, "
                      "activations, sparsity, rounding: diffused, estimator}; the last that matches a layer "
                      "decides")),
      weightScales(
          "weight-scales", cl::sub(line.command),
          cl::init(WeightScales::Automatic),
          cl::desc("How scales of weights are found:"),
          weightScalesValues()),
      rounding("rounding", cl::sub(line.command),
               cl::init(WeightRounding::Diffused),
               cl::desc("How codes of weights are rounded (default diffused):"),
               cl::values(clEnumValN(WeightRounding::Nearest, "nearest",
                                     "to the nearest code"),
                          clEnumValN(WeightRounding::Diffused, "diffused",
                                     "keep the sum over a kernel's taps"),
                          clEnumValN(WeightRounding::GPTQ, "gptq",
                                     "by the layer's error on --data, with error "
                                     "feedback"),
                          clEnumValN(WeightRounding::AdaRound, "adaround",
                                     "gptq, then moving single codes while the "
                                     "layer's error falls"))),
      hessians("hessians", cl::sub(line.command), cl::value_desc("FILE"),
               cl::desc("With --rounding=gptq and adaround, or sparsity: keep the Hessians of --data in this file, and read them where it is there; "
                        "without --data read them from it. A selection keeps those of its search there, and those of --refit in FILE.refit")),
      sequential("sequential", cl::sub(line.command),
                 cl::desc("With --rounding=gptq and adaround: layer by layer, each for what it reads behind the quantized layers before it "
                          "and for what the float network has behind it")),
      sparsity("sparsity", cl::sub(line.command), cl::init(0), cl::value_desc("share"),
               cl::desc("With --rounding=gptq: the share of weights that become zero in the same sweep (SparseGPT)")),
      pattern("pattern", cl::sub(line.command), cl::init("blocks"), cl::value_desc("pattern"),
              cl::desc("With --sparsity: blocks (default) or unstructured, as of `halftone prune`")),
      activations(
          "activations", cl::sub(line.command), cl::init(Activations::Automatic),
          cl::desc("What convolutions and matrix products read (default auto; "
                   "int8 in training and with Hessians):"),
          activationsValues()),
      floatOps("float-ops", cl::sub(line.command), cl::value_desc("regex"),
               cl::desc("Operations that stay float: their names, or kind:KIND "
                        "(contraction, "
                        "avg_pool, ...); may be repeated")) {}

StageSettings QuantizeOptions::settings() const {
  StageSettings settings;
  settings.estimator = estimator;
  settings.percentile = percentile;
  settings.smooth = smooth;
  settings.weights = weights;
  settings.granularity = granularity;
  settings.recipe = recipe;
  settings.weightScales = weightScales;
  settings.rounding = rounding;
  settings.hessians = hessians;
  settings.sequential = sequential;
  settings.sparsity = sparsity;
  settings.pattern = pattern;
  // Hessians are of codes.
  settings.activations = activations == Activations::Automatic && needsHessians(rounding) ? Activations::Int8 : activations;
  settings.floatOps.assign(floatOps.begin(), floatOps.end());
  return settings;
}

bool QuantizeOptions::isGiven() const {
  const cl::Option *const all[] = {&estimator, &percentile, &smooth, &weights, &granularity, &recipe,
                                   &weightScales, &rounding, &hessians, &sequential, &sparsity, &pattern, &activations, std::addressof(floatOps)};
  return llvm::any_of(all, [](const cl::Option *option) { return option->getNumOccurrences() > 0; });
}

llvm::Error QuantizeOptions::check(bool selects, bool formatsPrune) const {
  if (std::string reason = refuseRule(RecipeRule::forContractions(weights, granularity)); !reason.empty())
    return userError("--weights=" + weights + " --granularity=" + granularity +
                     ": " + reason);
  if (selects && (weights != "int8" || granularity != "channel"))
    return userError("a selection chooses the formats of weights: give --formats=int8," + weights +
                     (granularity == "channel" ? "" : "/" + granularity) +
                     " instead of --weights and --granularity, or rules for single layers by --recipe");
  if (sequential && !needsHessians(rounding))
    return userError("--sequential is for --rounding=gptq and adaround");
  if (sequential && hessians.getNumOccurrences() && !selects)
    return userError("--sequential sums the Hessians of each layer behind the quantized ones before it: they are for one format only, "
                     "give no --hessians; a selection keeps those there that it tries formats with");
  if (!(sparsity >= 0 && sparsity < 1) || (pattern != "blocks" && pattern != "unstructured"))
    return userError("--sparsity is a share from 0 to below 1, --pattern one of blocks, unstructured");
  if ((sparsity > 0 || pattern.getNumOccurrences()) && (rounding != WeightRounding::GPTQ || sparsity == 0))
    return userError("--sparsity, with --pattern, is for --rounding=gptq; `halftone prune` makes weights zero for every rounding");
  if (percentile.getNumOccurrences() && estimator != Estimator::Percentile)
    return userError("--percentile is for --estimator=percentile");
  if (!Smoothing::parse(smooth))
    return userError("--smooth needs auto, none, or a number from 0 to 1, as 0.5");
  if (!needsCalibration() && smooth.getNumOccurrences())
    return userError("--smooth is for --activations=int8");
  if (!needsCalibration() && needsHessians(rounding))
    return userError("--rounding=gptq and adaround are for --activations=int8");
  std::vector<RecipeRule> rules;
  if (!recipe.empty())
    if (llvm::Error error = readRecipe(recipe).moveInto(rules))
      return error;
  if (!needsCalibration() && llvm::any_of(rules, [](const RecipeRule &rule) { return rule.activations == "int8"; }))
    return userError("a rule of --recipe has activations int8, whose ranges --activations=dynamic and float do not have; give --data, and the "
                     "others activations dynamic or float by a rule");
  const bool areOfUse = needsHessians(rounding) || prunes(rules) || formatsPrune;
  if (hessians.getNumOccurrences() && (hessians.empty() || !areOfUse))
    return userError("--hessians is a file for --rounding=gptq and adaround, and for recipes and formats with sparsity");
  return llvm::Error::success();
}

llvm::Error QuantizeOptions::checkStage(ModuleOp module) const {
  std::optional<Stage> stage = stageOf(module);
  if (smooth.getNumOccurrences() && stage && *stage > Stage::Import)
    return userError("--smooth works with the ranges: give the source model or a file of the stage 'import'; this one is at '" +
                     stageName(*stage) + "'");
  if (recipe.empty() || !stage || *stage <= Stage::Import)
    return llvm::Error::success();
  auto rules = readRecipe(recipe);
  if (!rules)
    return rules.takeError();
  if (llvm::any_of(*rules, [](const RecipeRule &rule) { return !rule.estimator.empty(); }))
    return userError("--recipe has estimators, which find the ranges: give the source model or a file of the stage 'import'; this one is at '" +
                     stageName(*stage) + "'");
  return llvm::Error::success();
}

/// The description of --target-cpu, which LLVM's parser keeps a reference to.
static llvm::StringRef listTargets() {
  static const std::string text = [] {
    auto names = llvm::map_range(allCpuTargets(), [](const CpuTarget &cpu) {
      return cpu.isReference() ? cpu.name : cpu.isa;
    });
    return "native (default: the best that this CPU can run), or one or "
           "several (cpu,cpu: one library, which takes the best when it is "
           "loaded) of " +
           llvm::join(names, ", ");
  }();
  return text;
}

TargetOption::TargetOption(CommandLine &line)
    : opt("target-cpu", cl::sub(line.command), cl::init("native"),
          cl::value_desc("cpu"), cl::desc(listTargets())) {}

CostOption::CostOption(CommandLine &line)
    : opt("cost", cl::sub(line.command), cl::value_desc("cpu.json"),
          cl::desc("Table of the CPU's costs that code is chosen by (default: "
                   "the built-in one of the target); `halftone bench --tune` "
                   "measures one")) {}

llvm::Error CostOption::attach(ModuleOp module) const {
  if (empty())
    return llvm::Error::success();
  llvm::Expected<CostTable> table = CostTable::read(getValue());
  if (!table)
    return userError(llvm::toString(table.takeError()));
  module->setAttr(kCostTableAttr,
                  StringAttr::get(module.getContext(), table->text()));
  return llvm::Error::success();
}

StorageOption::StorageOption(CommandLine &line)
    : opt("weight-storage", cl::sub(line.command),
          cl::init(StorageChoice::Automatic),
          cl::desc("Whether int8 weights that take few values are stored in "
                   "fewer bits, which the kernels decode:"),
          cl::values(clEnumValN(StorageChoice::Automatic, "auto",
                                "(default) where the layer gets no slower "
                                "by it"),
                     clEnumValN(StorageChoice::Bytes, "bytes", "never"),
                     clEnumValN(StorageChoice::Packed, "packed",
                                "always: the smallest file"))) {}
