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
  ProblemList problems;
  for (const std::string &line : lines) {
    Expected<Preprocess> steps = Preprocess::parse(line);
    if (!steps) {
      problems.addIfError(steps.takeError());
      continue;
    }
    auto found = llvm::find(names, steps->input);
    if (found == names.end()) {
      problems.add("the model has no input '" + steps->input + "'; it has '" +
                   llvm::join(names, "', '") + "'");
      continue;
    }
    main->setArgAttr(found - names.begin(), kPreprocessAttr,
                     StringAttr::get(module.getContext(), steps->print()));
  }
  return problems.take("--input cannot be used:");
}
