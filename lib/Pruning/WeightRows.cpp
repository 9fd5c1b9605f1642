//===- WeightRows.cpp - weights as one row for each output channel ----------===//
#include "halftone/Pruning/WeightRows.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"

using namespace mlir;
using namespace mlir::halftone;

WeightRows::WeightRows(Operation *contraction) : contraction(contraction) {
  OpOperand &operand = getWeightOperand(contraction);
  std::optional<std::vector<float>> constant = getConstantElements<float>(operand.get());
  if (!constant || !llvm::all_of(*constant, [](float value) { return std::isfinite(value); }))
    return;
  WeightChannels channels(contraction);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(operand.get().getType()).getShape();
  numRows = channels.outputs;
  numChannels = shape[getInputChannelDims(contraction).back()];
  const int64_t width = constant->size() / numRows;
  std::vector<int64_t> used(numRows, 0);
  values.resize(constant->size());
  place.resize(constant->size());
  for (size_t i = 0; i < constant->size(); ++i) {
    place[i] = channels.output[i] * width + used[channels.output[i]]++;
    values[place[i]] = (*constant)[i];
  }
}

void WeightRows::store() const {
  OpOperand &operand = getWeightOperand(contraction);
  std::vector<float> elements(values.size());
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = values[place[i]];
  Operation *old = operand.get().getDefiningOp();
  Location loc = operand.get().getLoc();
  std::string name = locationName(loc);
  auto type = cast<RankedTensorType>(operand.get().getType());
  OpBuilder builder(contraction);
  operand.set(arith::ConstantOp::create(builder, loc, makeConstant<float>(type, elements, name.empty() ? "weights" : name)));
  if (old->use_empty())
    old->erase();
}
