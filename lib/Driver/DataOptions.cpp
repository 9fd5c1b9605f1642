//===- DataOptions.cpp - Samples for a model, from the command line -------===//
#include "DataOptions.h"
#include "Command.h"
#include "halftone/Data/ProblemList.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/InterfaceType.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

std::optional<ElementType> mlir::halftone::elementTypeOf(Type type) {
  if (type.isF32())
    return ElementType::F32;
  if (type.isInteger(1))
    return ElementType::Bool;
  if (type.isUnsignedInteger(8))
    return ElementType::U8;
  if (type.isInteger(8))
    return ElementType::I8;
  if (type.isInteger(32))
    return ElementType::I32;
  if (type.isInteger(64))
    return ElementType::I64;
  return std::nullopt;
}

static std::string argumentName(func::FuncOp main, unsigned index) {
  if (auto name = main.getArgAttrOfType<StringAttr>(index, kNameAttr))
    return name.str();
  return "input" + std::to_string(index);
}

std::string mlir::halftone::resultName(func::FuncOp main, unsigned index) {
  if (auto name = main.getResultAttrOfType<StringAttr>(index, kNameAttr))
    return name.str();
  return "output" + std::to_string(index);
}

static Expected<func::FuncOp> entryOf(ModuleOp module) {
  if (auto main = module.lookupSymbol<func::FuncOp>("main"))
    return main;
  return userError("the module has no function @main");
}

Expected<InputInterface> InputInterface::of(ModuleOp module) {
  Expected<func::FuncOp> main = entryOf(module);
  if (!main)
    return main.takeError();
  InputInterface result;
  ProblemList problems;
  for (auto [index, type] : llvm::enumerate(main->getArgumentTypes())) {
    auto shaped = dyn_cast<RankedTensorType>(
        interfaceType(type, main->getArgAttrDict(index)));
    auto element =
        shaped ? elementTypeOf(shaped.getElementType()) : std::nullopt;
    std::string name = argumentName(*main, index);
    if (!element) {
      problems.add("input '" + name + "' has a type that data cannot have");
      continue;
    }
    Shape shape(shaped.getShape());
    std::replace(shape.begin(), shape.end(), ShapedType::kDynamic, int64_t(-1));
    result.inputs.push_back({name, *element, shape});
    auto line = main->getArgAttrOfType<StringAttr>(index, kPreprocessAttr);
    if (!line)
      continue;
    Expected<Preprocess> steps = Preprocess::parse(line.getValue());
    if (problems.addIfError(steps.takeError()))
      result.preprocess.push_back(*steps);
  }
  if (Error error = problems.take("the model's inputs cannot be fed:"))
    return std::move(error);
  return result;
}

Expected<InputInterface>
InputInterface::of(llvm::ArrayRef<HalftoneTensorInfo> inputs) {
  InputInterface result;
  for (const HalftoneTensorInfo &input : inputs) {
    result.inputs.push_back({input.name,
                             static_cast<ElementType>(input.elementType),
                             Shape(input.shape, input.shape + input.rank)});
    if (!*input.preprocess)
      continue;
    Expected<Preprocess> steps = Preprocess::parse(input.preprocess);
    if (!steps)
      return steps.takeError();
    result.preprocess.push_back(*steps);
  }
  return result;
}

Expected<std::vector<InputInterface>> InputInterface::ofSizes(llvm::ArrayRef<const HalftoneModel *> sizes) {
  std::vector<InputInterface> all;
  for (const HalftoneModel *model : sizes) {
    Expected<InputInterface> interface = of(llvm::ArrayRef(model->inputs, model->numInputs));
    if (!interface)
      return interface.takeError();
    if (sizes.size() > 1)
      interface->size = model->size;
    all.push_back(std::move(*interface));
  }
  return all;
}

/// Lines of steps, each for one of the named inputs.
static Expected<std::vector<Preprocess>>
parseLines(llvm::ArrayRef<std::string> lines,
           llvm::ArrayRef<std::string> names) {
  std::vector<Preprocess> all;
  ProblemList problems;
  for (const std::string &line : lines) {
    Expected<Preprocess> steps = Preprocess::parse(line);
    if (!steps)
      problems.addIfError(steps.takeError());
    else if (!llvm::is_contained(names, steps->input))
      problems.add("the model has no input '" + steps->input + "'; it has '" +
                   llvm::join(names, "', '") + "'");
    else
      all.push_back(std::move(*steps));
  }
  if (Error error = problems.take("--input cannot be used:"))
    return std::move(error);
  return all;
}

Error mlir::halftone::recordPreprocessing(ModuleOp module,
                                          llvm::ArrayRef<std::string> lines) {
  if (lines.empty())
    return Error::success();
  Expected<func::FuncOp> main = entryOf(module);
  if (!main)
    return main.takeError();
  std::vector<std::string> names;
  for (unsigned i = 0; i < main->getNumArguments(); ++i)
    names.push_back(argumentName(*main, i));
  Expected<std::vector<Preprocess>> all = parseLines(lines, names);
  if (!all)
    return all.takeError();
  for (const Preprocess &steps : *all)
    main->setArgAttr(llvm::find(names, steps.input) - names.begin(),
                     kPreprocessAttr,
                     StringAttr::get(module.getContext(), steps.print()));
  return Error::success();
}

Error InputInterface::setPreprocessing(llvm::ArrayRef<std::string> lines) {
  std::vector<std::string> names;
  for (const InputSpec &input : inputs)
    names.push_back(input.name);
  Expected<std::vector<Preprocess>> all = parseLines(lines, names);
  if (!all)
    return all.takeError();
  std::vector<Preprocess> recorded = std::move(preprocess);
  preprocess = std::move(*all);
  adoptPreprocessing(recorded);
  return Error::success();
}

void InputInterface::adoptPreprocessing(llvm::ArrayRef<Preprocess> others) {
  for (const Preprocess &steps : others) {
    auto isFor = [&](llvm::StringRef name) { return name == steps.input; };
    bool exists = llvm::any_of(
        inputs, [&](const InputSpec &input) { return isFor(input.name); });
    bool isSet = llvm::any_of(
        preprocess, [&](const Preprocess &own) { return isFor(own.input); });
    if (exists && !isSet)
      preprocess.push_back(steps);
  }
}

Expected<size_t> mlir::halftone::findSizeOfData(StringRef path, llvm::ArrayRef<InputInterface> sizes) {
  if (sizes.size() == 1)
    return 0;
  for (auto [i, size] : llvm::enumerate(sizes))
    if (hasInputs(path, size.inputs, size.preprocess))
      return i;
  auto names = llvm::map_range(sizes, [](const InputInterface &size) { return size.size; });
  Error reason = loadDataset(path, sizes.front().inputs, sizes.front().preprocess).takeError();
  return userError("the data '" + path + "' has none of the sizes " + llvm::join(names, "; ") + ". For " + sizes.front().size + ": " +
                   llvm::toString(std::move(reason)));
}

Expected<std::unique_ptr<Dataset>> mlir::halftone::loadDatasetFor(llvm::ArrayRef<InputInterface> sizes, StringRef path) {
  Expected<size_t> size = findSizeOfData(path, sizes);
  if (!size)
    return size.takeError();
  return loadDataset(path, sizes[*size].inputs, sizes[*size].preprocess);
}

llvm::Expected<std::unique_ptr<Dataset>>
mlir::halftone::loadDatasetFor(ModuleOp module, StringRef path) {
  Expected<InputInterface> interface = InputInterface::of(module);
  if (!interface)
    return interface.takeError();
  return loadDataset(path, interface->inputs, interface->preprocess);
}
