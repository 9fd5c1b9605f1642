//===- Biases.cpp - the constants that contractions add ---------------------===//
#include "halftone/Quantization/Biases.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

OpOperand *mlir::halftone::findBias(const Sandwich &sandwich, int64_t channels) {
  for (Operation *op : sandwich.simpleTail()) {
    auto generic = dyn_cast<linalg::GenericOp>(op);
    if (!generic)
      continue;
    for (OpOperand *operand : generic.getDpsInputOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand->get().getType());
      if (type && type.getRank() == 1 && type.getDimSize(0) == channels && isConstant(operand->get()))
        return operand;
    }
  }
  return nullptr;
}

/// The step of the codes that an int8 contraction reads; 0 if there is neither a range nor a cast.
static double findActivationStep(Operation *contraction) {
  Value input = traceRoot(getActivationOperand(contraction).get());
  quant::UniformQuantizedType type;
  if (auto dequantize = input.getDefiningOp<DequantizeOp>())
    type = dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(dequantize.getInput().getType()));
  else if (auto range = getRange(input))
    type = getActivationType(contraction->getContext(), range->first, range->second);
  return type ? type.getScale() : 0;
}

/// What is added to the sums before anything else, a constant for each output channel; empty if there is none.
static std::vector<float> findAddend(Operation *contraction, int64_t channels) {
  Value value = contraction->getResult(0);
  while (value.hasOneUse() && isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(*value.user_begin()))
    value = value.user_begin()->getResult(0);
  auto generic = value.hasOneUse() ? dyn_cast<linalg::GenericOp>(*value.user_begin()) : linalg::GenericOp();
  if (!generic)
    return {};
  for (Value input : generic.getDpsInputs()) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    if (type && type.getRank() == 1 && type.getDimSize(0) == channels)
      if (auto elements = getConstantElements<float>(input))
        return std::move(*elements);
  }
  return {};
}

std::vector<float> mlir::halftone::findLeastScales(Operation *contraction, int64_t channels) {
  constexpr double kMostCode = 1 << 30;
  const double step = isInt8(contraction) ? findActivationStep(contraction) : 0;
  if (step <= 0)
    return {};
  std::vector<float> scales = findAddend(contraction, channels);
  for (float &element : scales)
    element = std::isfinite(element) ? static_cast<float>(std::abs(element) / step / kMostCode) : 0;
  return scales;
}

void mlir::halftone::subtractFromBias(OpOperand &bias, ArrayRef<double> amounts) {
  std::vector<float> elements = *getConstantElements<float>(bias.get());
  for (auto [element, amount] : llvm::zip_equal(elements, amounts))
    element = static_cast<float>(element - amount);
  replaceConstant(bias, elements, "bias");
}
