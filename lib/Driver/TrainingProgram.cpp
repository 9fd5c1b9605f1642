//===- TrainingProgram.cpp - a step of training, compiled -------------------===//
#include "TrainingProgram.h"
#include "Command.h"
#include "ModelFile.h"
#include "Stages.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/NamePattern.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

int64_t mlir::halftone::leadingDimension(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  auto first = main && main.getNumArguments() ? dyn_cast<RankedTensorType>(main.getArgumentTypes()[0]) : RankedTensorType();
  return first && first.getRank() ? first.getDimSize(0) : 0;
}

Error mlir::halftone::setBatch(ModuleOp module, int64_t size) {
  SetBatchOptions options;
  options.size = size;
  return runPass(module, createSetBatch(options));
}

Error mlir::halftone::keepWeights(ModuleOp module) { return runPass(module, createKeepWeights()); }

Error mlir::halftone::promoteScales(ModuleOp module) { return runPass(module, createPromoteScales()); }

Error mlir::halftone::promoteLevels(ModuleOp module) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  const unsigned before = main.getNumArguments();
  if (Error error = runPass(module, createPromoteLevels()))
    return error;
  if (main.getNumArguments() == before)
    return userError("--learn-levels finds no weights with a codebook; give --weights=codebook2 to codebook8, or a recipe");
  return Error::success();
}

Error mlir::halftone::exposeWeights(ModuleOp module, bool floats) {
  ExposeWeightsOptions options;
  options.floats = floats;
  return runPass(module, createExposeWeights(options));
}

/// No weight matches --only: says which ones there are. The module is of no use afterwards.
static Error refuseIdle(ModuleOp module, StringRef only) {
  if (Error error = runPass(module, createPromoteConstants({".*"})))
    return error;
  auto main = module.lookupSymbol<func::FuncOp>("main");
  std::vector<std::string> names;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (main.getArgAttr(i, kValueAttr))
      names.push_back(main.getArgAttrOfType<StringAttr>(i, kNameAttr).str());
  return userError("no weight matches --only='" + only + "'" + (names.empty() ? "; the model has none" : "; there are " + listNames(names)));
}

Expected<std::vector<TrainedWeight>> mlir::halftone::promoteWeights(ModuleOp module, StringRef only) {
  if (Error error = runPass(module, createPromoteConstants({only.str()})))
    return std::move(error);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  std::vector<TrainedWeight> weights;
  for (unsigned i = 0; i < main.getNumArguments(); ++i) {
    auto value = main.getArgAttr(i, kValueAttr);
    if (!value)
      continue;
    auto elements = getElements<float>(value);
    std::string name = main.getArgAttrOfType<StringAttr>(i, kNameAttr).str();
    if (!elements)
      return userError("the weight '" + name + "' is not f32");
    Tensor tensor(name, ElementType::F32, cast<RankedTensorType>(main.getArgument(i).getType()).getShape());
    llvm::copy(*elements, tensor.values<float>().begin());
    weights.push_back({name, std::move(tensor)});
  }
  if (weights.empty())
    return refuseIdle(module, only);
  return weights;
}

/// Writes down how many zeros the weights of a pruned contraction have now.
static void countZeros(BlockArgument argument, const TrainedWeight &weight) {
  Operation *contraction = findContraction(argument);
  if (!contraction || !isPruned(contraction))
    return;
  const int64_t zeros = llvm::count(weight.value.values<float>(), 0.0f);
  contraction->setAttr(kZerosAttr, Builder(contraction->getContext()).getI64IntegerAttr(zeros));
  contraction->removeAttr(kPruningAttr);
}

Error mlir::halftone::restoreWeights(ModuleOp module, llvm::ArrayRef<TrainedWeight> weights) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  size_t next = 0;
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    if (main.getArgAttr(i, kValueAttr)) {
      const TrainedWeight &weight = weights[next++];
      auto type = cast<RankedTensorType>(main.getArgument(i).getType());
      assert(weight.name == main.getArgAttrOfType<StringAttr>(i, kNameAttr).getValue() && "both promote the same weights");
      main.setArgAttr(i, kValueAttr, makeConstant(type, weight.value.values<float>(), weight.name));
      countZeros(main.getArgument(i), weight);
    }
  if (Error error = runPass(module, createDemoteScales()))
    return error;
  if (Error error = runPass(module, createDemoteLevels()))
    return error;
  if (Error error = runPass(module, createDemoteArguments()))
    return error;
  if (stageOf(module) != Stage::Quantization)
    return Error::success();
  if (Error error = runPass(module, createStoreWeights()))
    return error;
  return runPass(module, createVerifyQuantization());
}

Error mlir::halftone::adoptTeacher(ModuleOp module, ModuleOp teacher) {
  auto main = teacher.lookupSymbol<func::FuncOp>("main");
  if (!main)
    return userError("the teacher has no function @main");
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  auto copy = cast<func::FuncOp>(builder.clone(*main));
  copy.setSymName("teacher");
  copy.setPrivate();
  return Error::success();
}

Error mlir::halftone::exposeBlocks(ModuleOp module, StringRef only) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  const unsigned before = main.getNumResults();
  ExposeBlocksOptions options;
  options.only = only.str();
  if (Error error = runPass(module, createExposeBlocks(options)))
    return error;
  llvm::errs() << "teacher and model are compared by " << main.getNumResults() - before << " tensors besides the output\n";
  return Error::success();
}

Expected<TrainingProgram> TrainingProgram::compile(ModuleOp module, const TrainingSettings &settings, bool backward,
                                                   int threads) {
  OwningOpRef<ModuleOp> copy = module.clone();
  auto main = copy->lookupSymbol<func::FuncOp>("main");
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    main.removeArgAttr(i, kValueAttr); // the program gets them as inputs
  PassManager pm(copy->getContext());
  buildTrainingPipeline(pm, settings, backward);
  if (failed(pm.run(*copy)))
    return llvm::make_error<Reported>();
  Expected<TemporaryFile> library = TemporaryFile::create("so");
  if (!library)
    return library.takeError();
  if (Error error = compileModule(*copy, library->path(), "native"))
    return std::move(error);
  Expected<LoadedModel> loaded = LoadedModel::load(library->path(), threads);
  if (!loaded)
    return loaded.takeError();
  return TrainingProgram(std::move(*library), std::move(*loaded));
}

TrainingProgram::TrainingProgram(TemporaryFile file, LoadedModel loaded)
    : file(std::move(file)), model(std::move(loaded)) {
  for (const HalftoneTensorInfo &info : model.inputs())
    inputs.emplace_back(info.name, static_cast<ElementType>(info.elementType), shapeAtBatch(info, 1));
  outputs = model.makeOutputs(1);
}

Tensor *TrainingProgram::input(llvm::StringRef name) {
  auto found = llvm::find_if(inputs, [&](const Tensor &tensor) { return tensor.name == name; });
  return found == inputs.end() ? nullptr : &*found;
}

std::optional<float> TrainingProgram::scalar(llvm::StringRef name) const {
  for (const Tensor &tensor : outputs)
    if (tensor.name == name && tensor.shape.empty())
      return tensor.values<float>().front();
  return std::nullopt;
}

std::vector<Tensor *> TrainingProgram::state() {
  std::vector<Tensor *> tensors;
  for (const Tensor &output : outputs)
    if (Tensor *tensor = input(output.name))
      tensors.push_back(tensor);
  return tensors;
}

Error TrainingProgram::run() {
  if (Error error = model.run(inputs, outputs))
    return error;
  for (Tensor &output : outputs)
    if (Tensor *tensor = input(output.name))
      std::swap(tensor->bytes, output.bytes);
  return Error::success();
}
