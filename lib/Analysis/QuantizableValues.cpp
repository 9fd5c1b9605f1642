//===- QuantizableValues.cpp - the values worth observing -------------------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

/// The source model's name of an argument, else its location's.
static std::string argumentName(func::FuncOp function, BlockArgument argument) {
  if (auto name = function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr))
    return name.getValue().str();
  return locationName(argument.getLoc());
}

namespace {
/// Numbers rows of statistics.
class Rows {
public:
  /// The row of what `op` makes; null: a row of its own.
  int64_t find(Operation *op) {
    auto steps = op ? op->getAttrOfType<StringAttr>(kStepsAttr) : StringAttr();
    return steps ? known.try_emplace(steps, known.size() + single).first->second : known.size() + single++;
  }

private:
  DenseMap<StringAttr, int64_t> known;
  int64_t single = 0;
};
} // namespace

SmallVector<QuantizableValue> mlir::halftone::getQuantizableValues(func::FuncOp function) {
  SmallVector<QuantizableValue> values;
  Rows rows;
  auto add = [&](Value value, const std::string &name) {
    values.push_back({value, std::to_string(values.size()) + ":" + name, rows.find(value.getDefiningOp())});
  };
  for (BlockArgument argument : function.getArguments())
    if (isFloatTensor(argument))
      add(argument, argumentName(function, argument));
  Sandwiches sandwiches(function);
  for (Operation &op : function.getBody().front()) {
    OpKind kind = classify(&op);
    if (kind == OpKind::Initial || kind == OpKind::MaxPool || op.getNumResults() != 1 || !isFloatTensor(op.getResult(0)))
      continue;
    if (isa<DequantizeOp>(op)) // The value is the one that was quantized: keys are those of the entry form.
      continue;
    const Sandwich *sandwich = sandwiches.find(&op);
    if (sandwich && isa<linalg::GenericOp>(op) && sandwich->anchor == &op && op.hasAttr(kChannelFactorsAttr)) // a copy, which the entry form lacks
      continue;
    // The groups of a grouped convolution are joined at the end of its sandwich; other movement has the range of what it moves.
    if (sandwich ? sandwich->last() == &op : kind != OpKind::Movement)
      add(op.getResult(0), locationName(op.getLoc()));
  }
  return values;
}

SmallVector<ContractionInput> mlir::halftone::getContractionInputs(func::FuncOp function) {
  SmallVector<ContractionInput> inputs;
  SmallVector<std::string> rowKeys;
  Rows rows;
  for (Operation &op : function.getBody().front()) {
    if (classify(&op) != OpKind::Contraction || !isConstant(getWeightOperand(&op).get()))
      continue;
    Value value = getActivationOperand(&op).get();
    bool grouped = isa<linalg::Conv2DNhwgcGfhwcOp>(op);
    while (Operation *movement = value.getDefiningOp()) {
      if (!isa<tensor::PadOp>(movement) && !(grouped && isa<tensor::ExpandShapeOp>(movement)))
        break;
      value = movement->getOperand(0);
    }
    if (ShapedType::isDynamic(cast<RankedTensorType>(value.getType()).getShape().back()))
      continue;
    std::string key = std::to_string(inputs.size()) + ":" + locationName(op.getLoc());
    const int64_t row = rows.find(&op);
    if (row == static_cast<int64_t>(rowKeys.size()))
      rowKeys.push_back(key);
    inputs.push_back({&op, value, key, row, rowKeys[row]});
  }
  return inputs;
}
