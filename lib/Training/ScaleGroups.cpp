//===- ScaleGroups.cpp - quantized values with one scale --------------------===//
#include "ScaleGroups.h"
#include "halftone/Analysis/EntryForm.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace mlir::halftone;

static bool isUniform(Value value) {
  return isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(value.getType()));
}

/// The codes that a float operand shows, behind movement; null if it is something else.
static Value codesBehind(Value value) {
  while (!isUniform(value)) {
    Operation *op = value.getDefiningOp();
    if (!op || (!isa<DequantizeOp>(op) && classify(op) != OpKind::Movement))
      return {};
    value = op->getOperand(0);
  }
  return value;
}

namespace {

/// Numbers the quantized values in program order, and joins them.
struct Joiner {
  llvm::MapVector<Value, unsigned> numbers;
  llvm::IntEqClasses classes;

  void number(Value value) {
    if (isUniform(value))
      numbers.insert({value, numbers.size()});
  }
  void join(ArrayRef<Value> values) {
    Value first;
    for (Value value : values)
      if (value && isUniform(value)) {
        if (first)
          classes.join(numbers.lookup(first), numbers.lookup(value));
        else
          first = value;
      }
  }
};

} // namespace

/// Everything of one operation that has to have one type.
static SmallVector<Value> joinedBy(Operation *op) {
  SmallVector<Value> values;
  if (isa<QuantizeOp, DequantizeOp, quant::StorageCastOp>(op))
    return values;
  if (isa<tensor::ConcatOp, linalg::PoolingNhwcMaxOp>(op) && !isUniform(op->getResult(0))) {
    for (Value operand : op->getOperands().take_front(isa<tensor::ConcatOp>(op) ? op->getNumOperands() : 1))
      values.push_back(codesBehind(operand));
    for (Operation *user : op->getUsers())
      if (isa<QuantizeOp>(user))
        values.push_back(user->getResult(0));
    return values;
  }
  llvm::append_range(values, op->getOperands());
  llvm::append_range(values, op->getResults());
  for (Region &region : op->getRegions())
    llvm::append_range(values, region.getArguments());
  return values;
}

/// Whether the codes come from elsewhere, or go where their type is known.
static bool isFixed(Value value, func::FuncOp entry) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    if (argument.getOwner()->getParentOp() == entry)
      return true;
  return isa_and_nonnull<quant::StorageCastOp>(value.getDefiningOp()) ||
         llvm::any_of(value.getUsers(), llvm::IsaPred<func::ReturnOp, quant::StorageCastOp>);
}

SmallVector<ScaleGroup> mlir::halftone::findScaleGroups(func::FuncOp entry) {
  Joiner joiner;
  auto numberAll = [&](ValueRange values) {
    for (Value value : values)
      joiner.number(value);
  };
  entry.walk<WalkOrder::PreOrder>([&](Operation *op) {
    numberAll(op->getResults());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        numberAll(block.getArguments());
  });
  joiner.classes.grow(joiner.numbers.size());
  entry.getBody().walk([&](Operation *op) { joiner.join(joinedBy(op)); });
  joiner.classes.compress();

  SmallVector<ScaleGroup> groups(joiner.classes.getNumClasses());
  for (auto [value, number] : joiner.numbers) {
    ScaleGroup &group = groups[joiner.classes[number]];
    group.values.push_back(value);
    if (auto source = value.getDefiningOp<QuantizeOp>())
      group.sources.push_back(source);
  }
  llvm::erase_if(groups, [&](ScaleGroup &group) {
    // The axis of a type is one of a tensor: it does not move along.
    bool moved = isa<quant::UniformQuantizedPerAxisType>(group.type()) && group.values.size() > 1;
    return moved || group.sources.empty() || llvm::any_of(group.values, [&](Value v) { return isFixed(v, entry); }) ||
           llvm::any_of(group.values, [&](Value v) { return getElementTypeOrSelf(v.getType()) != group.type(); });
  });
  return groups;
}

SmallVector<float> mlir::halftone::getScales(quant::QuantizedType type) {
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    return SmallVector<float>(perAxis.getScales());
  return {static_cast<float>(cast<quant::UniformQuantizedType>(type).getScale())};
}

quant::QuantizedType mlir::halftone::withScales(quant::QuantizedType type, ArrayRef<float> scales) {
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    return quant::UniformQuantizedPerAxisType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(),
                                                   SmallVector<double>(scales), perAxis.getZeroPoints(),
                                                   perAxis.getQuantizedDimension(), type.getStorageTypeMin(),
                                                   type.getStorageTypeMax());
  auto uniform = cast<quant::UniformQuantizedType>(type);
  return quant::UniformQuantizedType::get(type.getFlags(), type.getStorageType(), type.getExpressedType(), scales.front(),
                                          uniform.getZeroPoint(), type.getStorageTypeMin(), type.getStorageTypeMax());
}

BlockArgument mlir::halftone::findArgument(func::FuncOp entry, StringAttr name) {
  for (BlockArgument argument : entry.getArguments())
    if (entry.getArgAttr(argument.getArgNumber(), kNameAttr) == name)
      return argument;
  return {};
}
