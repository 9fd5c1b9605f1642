//===- TensorSizes.cpp - What each constant of a model weighs -------------===//
//
// Formats of weights are found again by packing from the int8 values alone, so
// only the packed constant says what a tensor takes.
//
//===----------------------------------------------------------------------===//
#include "TensorSizes.h"
#include "Command.h"
#include "ModelFile.h"
#include "Stages.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Codegen/Passes.h"
#include "halftone/Data/Tensor.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using llvm::Error, llvm::Expected;

/// The weights of contractions before packing.
using Shapes = llvm::DenseMap<Operation *, RankedTensorType>;

static std::string readerName(Value value) {
  for (Operation *user : value.getUsers()) {
    if (std::string name = locationName(user->getLoc()); !name.empty())
      return name;
    if (user->getNumResults())
      if (std::string name = readerName(user->getResult(0)); !name.empty())
        return name;
  }
  return "";
}

static int64_t bytesOf(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return llvm::divideCeil(type.getNumElements() * type.getElementTypeBitWidth(), 8);
}

static std::string nameOf(Type element) {
  return (element.isF32() ? "f" : "i") + std::to_string(element.getIntOrFloatBitWidth());
}

/// "int8", "sparse int8", "4 bits", "4 bits in groups of 32", "4 bits, 4 tables for groups of 8", "f32".
static std::string formatOf(Type element, DictionaryAttr packing, const WeightStorage &storage) {
  if (!element.isInteger(8))
    return nameOf(element);
  if (packing && packing.contains("quads"))
    return "sparse int8";
  if (!storage.isPacked())
    return "int8";
  std::string text = std::to_string(storage.bits) + " bits";
  if (!storage.hasGroups())
    return text;
  text += storage.hasTables() ? ", " + std::to_string(WeightStorage::kTables) + " tables for groups of " : " in groups of ";
  return text + std::to_string(storage.group);
}

/// The weights of a contraction with the constants of its epilogue that scale
/// and cut off.
static TensorSize measureWeights(ContractOp op, RankedTensorType type) {
  TensorSize size;
  size.layer = locationName(op.getLoc());
  size.shape = formatShape(type.getShape());
  size.elements = type.getNumElements();
  WeightStorage storage = op.getPackingAttr() ? WeightStorage::fromAttribute(op.getPackingAttr()) : WeightStorage();
  size.format = formatOf(type.getElementType(), op.getPackingAttr(), storage);
  size.codeBytes = bytesOf(op.getWeights());
  size.tableBytes = storage.levels.size();
  if (storage.hasGroups()) {
    int64_t columns = cast<ShapedType>(op.getOutput().getType()).getShape().back();
    int64_t rows = llvm::divideCeil(size.elements / columns, storage.group) * storage.groupBytes(columns);
    size.codeBytes -= rows;
    (storage.hasTables() ? size.tableBytes : size.scaleBytes) += rows;
  }
  return size;
}

static bool isTensorConstant(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  return constant && isa<RankedTensorType>(constant.getType()) && cast<RankedTensorType>(constant.getType()).getRank() > 0;
}

static std::vector<TensorSize> measureConstants(func::FuncOp main, const Shapes &shapes) {
  std::vector<TensorSize> sizes;
  llvm::DenseMap<Value, size_t> counted; // Constants that several read are there once.
  for (ContractOp op : main.getOps<ContractOp>()) {
    if (!isTensorConstant(op.getWeights()) || !counted.try_emplace(op.getWeights(), sizes.size()).second)
      continue;
    sizes.push_back(measureWeights(op, shapes.lookup(op)));
    bool quantized = shapes.lookup(op).getElementType().isInteger(8);
    for (Value input : op.getEpilogueInputs())
      if (quantized && isTensorConstant(input) && getElementTypeOrSelf(input.getType()).isF32() &&
          counted.try_emplace(input, sizes.size()).second)
        sizes.back().scaleBytes += bytesOf(input);
  }
  for (auto constant : main.getOps<arith::ConstantOp>()) {
    if (!isTensorConstant(constant) || counted.contains(constant))
      continue;
    auto type = cast<RankedTensorType>(constant.getType());
    TensorSize size;
    size.layer = readerName(constant);
    size.shape = formatShape(type.getShape());
    size.format = nameOf(type.getElementType());
    size.elements = type.getNumElements();
    size.codeBytes = bytesOf(constant);
    sizes.push_back(std::move(size));
  }
  return sizes;
}

Expected<std::vector<TensorSize>> mlir::halftone::measureTensorSizes(ModuleOp source, StringRef target, StorageChoice storage) {
  OwningOpRef<ModuleOp> module = source.clone();
  if (stageOf(*module) == Stage::Quantization)
    if (Error error = advance(*module, Stage::Integer, StageSettings()))
      return std::move(error);
  Expected<CpuTarget> cpu = findCpuTarget(target);
  if (!cpu)
    return cpu.takeError();
  PassManager forming(source.getContext()), packing(source.getContext());
  buildContractionPipeline(forming, *cpu);
  packing.addNestedPass<func::FuncOp>(createPackWeights({cpu->isa.str(), storage, KernelChoice().panelVectors, /*dense=*/false, /*sharesPanels=*/false}));
  if (failed(forming.run(*module)))
    return llvm::make_error<Reported>();
  auto main = module->lookupSymbol<func::FuncOp>("main");
  Shapes shapes;
  for (ContractOp op : main.getOps<ContractOp>())
    shapes[op] = cast<RankedTensorType>(op.getWeights().getType());
  if (failed(packing.run(*module)))
    return llvm::make_error<Reported>();
  return measureConstants(main, shapes);
}
