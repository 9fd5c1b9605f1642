//===- Variants.cpp - One model in several precisions ---------------------===//
#include "Variants.h"
#include "Command.h"
#include "SequentialReconstruction.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Data/AtomicFile.h"
#include "halftone/Quantization/WeightFormats.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// The reasons why operations stay float are the same for all variants: they
/// are told once, for the one that is chosen.
static LogicalResult keepQuiet(Diagnostic &diagnostic) {
  return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
}

Expected<VariantCompiler> VariantCompiler::make(ModuleOp module,
                                                const VariantSettings &settings,
                                                const SampleRange &samples) {
  VariantCompiler compiler(module, settings);
  if (!settings.stages.recipe.empty()) {
    auto rules = readRecipe(settings.stages.recipe);
    if (!rules)
      return rules.takeError();
    compiler.userRules = std::move(*rules);
  }
  ScopedDiagnosticHandler quiet(module.getContext(), keepQuiet);
  auto decided = compiler.decide();
  if (!decided)
    return decided.takeError();
  if (Error error = compiler.findLayers(**decided))
    return std::move(error);
  if (!compiler.usesHessians())
    return compiler;
  auto summed = collectHessians(**decided, samples, settings.stages.hessians);
  if (!summed)
    return summed.takeError();
  auto file = HessianFile::of(*summed, settings.stages.hessians);
  if (!file)
    return file.takeError();
  compiler.allHessians = std::move(*file);
  return compiler;
}

Expected<OwningOpRef<ModuleOp>> VariantCompiler::decide() const {
  ModuleOp source = module;
  OwningOpRef<ModuleOp> decided = source.clone();
  if (Error error = advance(*decided, Stage::Precision, settings.stages))
    return std::move(error);
  return decided;
}

bool VariantCompiler::usesHessians() const {
  return needsHessians(settings.stages.rounding) || prunes(userRules) ||
         llvm::any_of(formats(), [](const LayerFormat &format) { return format.sparsity != 0; });
}

Error VariantCompiler::prepareTrials(const SampleRange &samples) {
  ModuleOp source = module;
  ScopedDiagnosticHandler quiet(source.getContext(), keepQuiet);
  auto decided = decide();
  if (!decided)
    return decided.takeError();
  auto summed = collectHessians(**decided, samples);
  if (!summed)
    return summed.takeError();
  trialHessians = std::move(*summed);
  auto file = HessianFile::of(*trialHessians, /*kept=*/"");
  if (!file)
    return file.takeError();
  trialFile = std::move(*file);
  return Error::success();
}

/// The layers whose weights the precision stage makes codes, to be multiplied
/// with codes; those that share a name cannot be told apart, and stay int8.
Error VariantCompiler::findLayers(ModuleOp decided) {
  auto main = decided.lookupSymbol<func::FuncOp>("main");
  Sandwiches sandwiches(main);
  llvm::StringMap<int> uses;
  std::vector<SelectableLayer> found;
  for (const Sandwich &sandwich : sandwiches.all()) {
    if (!hasQuantizedWeights(sandwich.anchor) || !(isInt8(sandwich.anchor) || isDynamic(sandwich.anchor)))
      continue;
    std::string name = locationName(sandwich.anchor->getLoc());
    ++uses[name];
    auto isNamed = [&](const RecipeRule &rule) {
      return rule.matches(sandwich.members(), sandwich.kind);
    };
    auto type = cast<RankedTensorType>(getWeightOperand(sandwich.anchor).get().getType());
    if (llvm::none_of(userRules, isNamed))
      found.push_back({std::move(name), type.getNumElements(), keepsInt8(sandwich.anchor)});
  }
  for (SelectableLayer &layer : found)
    if (!layer.name.empty() && uses[layer.name] == 1)
      all.push_back(std::move(layer));
  if (all.empty())
    return userError("the model has no layer to choose a precision for: no "
                     "int8 convolution or matrix product with constant "
                     "weights, a name of its own, and no rule of a recipe");
  return Error::success();
}

std::string VariantCompiler::describe() const {
  const StageSettings &stages = settings.stages;
  std::string text;
  llvm::raw_string_ostream os(text);
  os << int(stages.rounding) << " " << int(stages.weightScales) << " ";
  for (const std::string &expression : stages.floatOps)
    os << expression << "\n";
  mlir::halftone::writeRecipe(os, userRules);
  return text;
}

Error VariantCompiler::writeRecipe(StringRef path,
                                   const Assignment &assignment) const {
  std::vector<RecipeRule> rules = userRules;
  for (auto [layer, format] : llvm::zip_equal(all, assignment))
    rules.push_back(formats()[format].ruleFor(layer.name));
  return writeFileAtomically(path, [&](llvm::raw_ostream &os) {
    mlir::halftone::writeRecipe(os, std::move(rules));
    return Error::success();
  });
}

Expected<Variant> mlir::halftone::loadVariant(TemporaryFile file) {
  Expected<LoadedModel> model = LoadedModel::load(file.path(), /*threads=*/1);
  if (!model)
    return model.takeError();
  return Variant{std::move(file), std::move(*model)};
}

Expected<OwningOpRef<ModuleOp>> VariantCompiler::quantize(StageSettings stages, const Assignment &assignment,
                                                               const SampleRange *samples) const {
  Expected<TemporaryFile> recipe = TemporaryFile::create("yaml");
  if (!recipe)
    return recipe.takeError();
  if (Error error = writeRecipe(recipe->path(), assignment))
    return std::move(error);
  stages.recipe = recipe->path().str();
  ModuleOp source = module;
  OwningOpRef<ModuleOp> variant = source.clone();
  ScopedDiagnosticHandler quiet(source.getContext(), keepQuiet);
  if (Error error = samples ? advanceSequentially(*variant, Stage::Integer, stages, *samples) : advance(*variant, Stage::Integer, stages))
    return std::move(error);
  return variant;
}

Expected<Variant> VariantCompiler::compileQuantized(Expected<OwningOpRef<ModuleOp>> variant) const {
  if (!variant)
    return variant.takeError();
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  if (Error error = compileModule(**variant, file->path(), settings.target, "{}", {settings.storage}))
    return std::move(error);
  return loadVariant(std::move(*file));
}

StageSettings VariantCompiler::stagesFor(bool quickly) const {
  StageSettings stages = settings.stages;
  if (needsHessians(stages.rounding) && quickly)
    stages.rounding = WeightRounding::Diffused;
  if (!quickly || prunes(userRules))
    stages.hessians = allHessians.path;
  return stages;
}

Expected<Variant> VariantCompiler::compile(const Assignment &assignment) const {
  return compileQuantized(quantize(stagesFor(/*quickly=*/false), assignment));
}

Expected<Variant> VariantCompiler::compileSequentially(const Assignment &assignment, const SampleRange &samples) const {
  return compileQuantized(quantize(settings.stages, assignment, &samples));
}

Expected<Variant> VariantCompiler::compileQuickly(const Assignment &assignment) const {
  return compileQuantized(quantize(stagesFor(/*quickly=*/true), assignment));
}

Expected<TemporaryFile> VariantCompiler::compileOpen(unsigned format) const {
  StageSettings stages = stagesFor(/*quickly=*/format == 0);
  if (!stages.hessians.empty())
    stages.hessians = trialFile.path;
  auto variant = quantize(std::move(stages), Assignment(all.size(), format));
  if (!variant)
    return variant.takeError();
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  if (Error error = compileOpenModule(**variant, file->path(), settings.target))
    return std::move(error);
  return file;
}

Expected<Variant> VariantCompiler::compileTrial(unsigned layer, unsigned format) const {
  Assignment assignment(all.size(), 0);
  assignment[layer] = format;
  if (!trialHessians || isFloat(format))
    return compileQuickly(assignment);
  Hessians own{trialHessians->sourceHash, trialHessians->samples, {}};
  for (const Hessian &hessian : trialHessians->layers)
    if (prunes(userRules) || StringRef(hessian.key).split(':').second == all[layer].name)
      own.layers.push_back(hessian);
  Expected<HessianFile> file = HessianFile::of(own, /*kept=*/"");
  if (!file)
    return file.takeError();
  StageSettings stages = settings.stages;
  stages.hessians = file->path;
  return compileQuantized(quantize(stages, assignment));
}

Expected<Variant> VariantCompiler::compileFloat() const {
  ModuleOp source = module;
  return compileQuantized(OwningOpRef<ModuleOp>(source.clone()));
}
