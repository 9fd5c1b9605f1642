//===- Biases.cpp - the constants that contractions add ---------------------===//
#include "halftone/Quantization/Biases.h"
#include "halftone/Support/Constants.h"

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

void mlir::halftone::subtractFromBias(OpOperand &bias, ArrayRef<double> amounts) {
  std::vector<float> elements = *getConstantElements<float>(bias.get());
  for (auto [element, amount] : llvm::zip_equal(elements, amounts))
    element = static_cast<float>(element - amount);
  replaceConstant(bias, elements, "bias");
}
