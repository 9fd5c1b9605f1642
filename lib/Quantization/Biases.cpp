//===- Biases.cpp - the constants that contractions add ---------------------===//
#include "halftone/Quantization/Biases.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

OpOperand *mlir::halftone::findBias(Operation *contraction, int64_t channels) {
  Value sums = contraction->getResult(0);
  while (sums.hasOneUse() && isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(*sums.user_begin()))
    sums = sums.user_begin()->getResult(0);
  auto generic = sums.hasOneUse() ? dyn_cast<linalg::GenericOp>(*sums.user_begin()) : linalg::GenericOp();
  if (!generic || generic.isDpsInit(&*sums.use_begin()))
    return nullptr;
  Value element = generic.getMatchingBlockArgument(&*sums.use_begin());
  auto sum = element.hasOneUse() ? dyn_cast<arith::AddFOp>(*element.user_begin()) : arith::AddFOp();
  auto addend = sum ? dyn_cast<BlockArgument>(sum.getLhs() == element ? sum.getRhs() : sum.getLhs()) : BlockArgument();
  if (!addend || addend.getOwner() != generic.getBody())
    return nullptr;
  OpOperand *operand = generic.getMatchingOpOperand(addend);
  auto type = dyn_cast<RankedTensorType>(operand->get().getType());
  return type && type.getRank() == 1 && type.getDimSize(0) == channels && isConstant(operand->get()) ? operand : nullptr;
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

std::vector<float> mlir::halftone::findLeastScales(Operation *contraction, int64_t channels) {
  constexpr double kMostCode = 1 << 30;
  const double step = isInt8(contraction) ? findActivationStep(contraction) : 0;
  OpOperand *bias = step > 0 ? findBias(contraction, channels) : nullptr;
  std::optional<std::vector<float>> scales = bias ? getConstantElements<float>(bias->get()) : std::nullopt;
  if (!scales)
    return {};
  for (float &element : *scales)
    element = std::isfinite(element) ? static_cast<float>(std::abs(element) / step / kMostCode) : 0;
  return std::move(*scales);
}

void mlir::halftone::subtractFromBias(OpOperand &bias, ArrayRef<double> amounts) {
  std::vector<float> elements = *getConstantElements<float>(bias.get());
  for (auto [element, amount] : llvm::zip_equal(elements, amounts))
    element = static_cast<float>(element - amount);
  replaceConstant(bias, elements, "bias");
}
