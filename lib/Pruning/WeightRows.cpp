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
  place = channels.places();
  values.resize(constant->size());
  for (size_t i = 0; i < constant->size(); ++i)
    values[place[i]] = (*constant)[i];
}

void WeightRows::store() const {
  std::vector<float> elements(values.size());
  for (size_t i = 0; i < elements.size(); ++i)
    elements[i] = values[place[i]];
  replaceConstant(getWeightOperand(contraction), elements, "weights");
}
