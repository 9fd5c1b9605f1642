//===- InfoCommand.cpp - halftone info ------------------------------------===//
#include "LoadedModel.h"
#include "ModelOptions.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/InterfaceType.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// One line: kind, name, type, and the bounds of its dynamic dimensions.
static void printTensor(StringRef kind, unsigned index, Type type,
                        DictionaryAttr attributes) {
  llvm::outs() << kind << " ";
  auto name =
      attributes ? attributes.getAs<StringAttr>(kNameAttr) : StringAttr();
  if (name)
    llvm::outs() << "'" << name.getValue() << "'";
  else
    llvm::outs() << index;
  llvm::outs() << ": " << interfaceType(type, attributes);
  if (auto dims =
          attributes ? attributes.getAs<ArrayAttr>(kDimsAttr) : ArrayAttr())
    for (auto dim : dims.getAsRange<Attribute>())
      if (auto bounds = dyn_cast<DimAttr>(dim))
        llvm::outs() << ", " << bounds.getSymbol() << " = " << bounds.getLow()
                     << ".." << bounds.getHigh();
  if (auto line = attributes ? attributes.getAs<StringAttr>(kPreprocessAttr)
                             : StringAttr())
    llvm::outs() << ", preprocessing: " << line.getValue();
  llvm::outs() << "\n";
}

static Error printModuleInfo(ModuleOp module) {
  std::optional<Stage> stage = stageOf(module);
  llvm::outs() << "stage: "
               << (stage ? stageName(*stage) : "none (MLIR from elsewhere)")
               << "\n";
  if (auto hash = module->getAttrOfType<StringAttr>(kSourceHashAttr))
    llvm::outs() << "source hash: " << hash.getValue() << "\n";
  if (stage == Stage::Codegen) {
    llvm::outs() << "inputs and outputs are memory by now: the compiled model, or a file of an earlier stage, says what they are\n";
    return Error::success();
  }
  auto main = module.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return userError("the module has no function @main");
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    printTensor("input", i, main.getArgumentTypes()[i], main.getArgAttrDict(i));
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    printTensor("output", i, main.getResultTypes()[i],
                main.getResultAttrDict(i));
  return Error::success();
}

static void printTensor(StringRef kind, const HalftoneTensorInfo &tensor) {
  llvm::outs() << kind << " '" << tensor.name
               << "': " << halftone_element_name(tensor.elementType) << " "
               << formatShape({tensor.shape, static_cast<size_t>(tensor.rank)});
  if (*tensor.preprocess)
    llvm::outs() << ", preprocessing: " << tensor.preprocess;
  llvm::outs() << "\n";
}

/// Of a library for several instruction sets, which ones, in the order in which
/// they are tried.
static void printVariants(const HalftoneModel &selected) {
  if (selected.structBytes < offsetof(HalftoneModel, costTable))
    return;
  for (const HalftoneModel *variant :
       ArrayRef(selected.variants, selected.numVariants))
    llvm::outs() << "variant: " << variant->target << " ("
                 << variant->cpuFeatures << ")"
                 << (variant == &selected ? ", selected" : "") << "\n";
}

static void printInterface(const HalftoneModel &model) {
  for (const HalftoneTensorInfo &input : ArrayRef(model.inputs, model.numInputs))
    printTensor("input", input);
  for (const HalftoneTensorInfo &output : ArrayRef(model.outputs, model.numOutputs))
    printTensor("output", output);
}

static Error printArtefactInfo(StringRef path) {
  Expected<LoadedModel> model = LoadedModel::load(path, 1);
  if (!model)
    return model.takeError();
  const HalftoneModel &info = model->info();
  llvm::outs() << "compiled model '" << info.name << "', ABI version "
               << info.abiVersion << "\ncompiler: " << info.compilerVersion
               << "\nsource hash: " << info.sourceHash
               << "\ntarget: " << info.target << "\nneeds of the CPU: "
               << (*info.cpuFeatures ? info.cpuFeatures : "nothing special")
               << "\n";
  if (info.structBytes >= offsetof(HalftoneModel, samples) && *info.costTable)
    llvm::outs() << "cost table: " << info.costTable << "\n";
  printVariants(info);
  std::vector<const HalftoneModel *> sizes = model->sizes();
  for (const HalftoneModel *size : sizes) {
    if (sizes.size() > 1)
      llvm::outs() << "size: " << size->size << "\n";
    printInterface(*size);
    llvm::outs() << "batch: " << size->minBatch << ".." << size->maxBatch << "\nconstants: " << size->constantBytes << " bytes\nworkspace: "
                 << size->workspaceBytes << " bytes\n";
  }
  return Error::success();
}

Error mlir::halftone::runInfo(CommandLine &line) {
  ModelOptions model(line);
  line.parse();
  Expected<FileKind> kind = fileKind(model.path());
  if (!kind)
    return kind.takeError();
  if (*kind == FileKind::Artefact)
    return printArtefactInfo(model.path());
  CompilerContext context;
  Expected<OwningOpRef<ModuleOp>> module = model.load(context.get());
  if (!module)
    return module.takeError();
  return printModuleInfo(**module);
}
