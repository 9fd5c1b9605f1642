//===- Variants.cpp - One model in several precisions ---------------------===//
#include "Variants.h"
#include "Command.h"
#include "halftone/Analysis/EntryForm.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Regex.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

StringRef mlir::halftone::formatName(LayerFormat format) {
  return format == LayerFormat::Float ? "float" : "int8";
}

Expected<VariantCompiler> VariantCompiler::make(ModuleOp module,
                                                const StageSettings &settings,
                                                StringRef target) {
  VariantCompiler compiler(module, settings, target);
  if (Error error = compiler.findLayers())
    return std::move(error);
  return compiler;
}

/// The layers that the precision stage makes int8; those that share a name
/// cannot be told apart, and stay int8.
Error VariantCompiler::findLayers() {
  OwningOpRef<ModuleOp> decided = module.clone();
  if (Error error = advance(*decided, Stage::Precision, settings))
    return error;
  auto main = decided->lookupSymbol<func::FuncOp>("main");
  llvm::StringMap<int> uses;
  std::vector<SelectableLayer> found;
  for (Operation &op : main.getBody().front()) {
    if (classify(&op) != OpKind::Contraction || !isInt8(&op))
      continue;
    OpOperand &weights = getWeightOperand(&op);
    auto type = cast<RankedTensorType>(weights.get().getType());
    int64_t channels = 1;
    for (int64_t dim : getOutputChannelDims(&op))
      channels *= type.getDimSize(dim);
    std::string name = locationName(op.getLoc());
    ++uses[name];
    found.push_back({name, type.getNumElements(), channels});
  }
  for (SelectableLayer &layer : found)
    if (!layer.name.empty() && uses[layer.name] == 1)
      all.push_back(std::move(layer));
  if (all.empty())
    return userError("the model has no layer to choose a precision for: no "
                     "int8 convolution or matrix product with constant weights "
                     "and a name of its own");
  return Error::success();
}

StageSettings VariantCompiler::settingsOf(const Assignment &assignment) const {
  StageSettings result = settings;
  for (auto [layer, format] : llvm::zip(all, assignment))
    if (format == LayerFormat::Float)
      result.floatOps.push_back(llvm::Regex::escape(layer.name));
  return result;
}

static Expected<Variant> compileVariant(OwningOpRef<ModuleOp> module,
                                        StringRef target) {
  Expected<TemporaryFile> file = TemporaryFile::create("so");
  if (!file)
    return file.takeError();
  if (Error error = compileModule(*module, file->path(), target))
    return std::move(error);
  Expected<LoadedModel> model = LoadedModel::load(file->path(), /*threads=*/1);
  if (!model)
    return model.takeError();
  return Variant{std::move(*file), std::move(*model)};
}

Expected<Variant> VariantCompiler::compile(const Assignment &assignment) const {
  ModuleOp source = module;
  OwningOpRef<ModuleOp> variant = source.clone();
  // The reasons why operations stay float are the same for all variants: they
  // are told once, for the one that is chosen.
  ScopedDiagnosticHandler quiet(source.getContext(), [](Diagnostic &diagnostic) {
    return success(diagnostic.getSeverity() == DiagnosticSeverity::Remark);
  });
  if (Error error = advance(*variant, Stage::Integer, settingsOf(assignment)))
    return std::move(error);
  return compileVariant(std::move(variant), target);
}

Expected<Variant> VariantCompiler::compileFloat() const {
  ModuleOp source = module;
  return compileVariant(source.clone(), target);
}
