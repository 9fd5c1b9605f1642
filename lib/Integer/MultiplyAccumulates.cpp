//===- MultiplyAccumulates.cpp - how much of a model runs in integers -------===//
#include "halftone/Integer/MultiplyAccumulates.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

int64_t mlir::halftone::elementsPerSample(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= ShapedType::isDynamic(extent) ? 1 : extent;
  return result;
}

/// How many entries of the dynamic dimension of a tensor a sample has: more than one where dimensions are joined with the batch.
static int64_t entriesPerSample(Value value) {
  auto isDynamic = [](Value x) {
    auto type = dyn_cast<RankedTensorType>(x.getType());
    return type && !type.hasStaticShape();
  };
  auto known = [](Value x) { return elementsPerSample(cast<RankedTensorType>(x.getType()).getShape()); };
  double entries = 1; // a ratio on the way
  while (Operation *op = value.getDefiningOp()) {
    auto source = llvm::find_if(op->getOperands(), isDynamic);
    if (source == op->operand_end() || !isDynamic(value))
      break;
    if (isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
      entries *= static_cast<double>(known(*source)) / known(value);
    value = *source;
  }
  return std::max<int64_t>(1, std::llround(entries));
}

int64_t mlir::halftone::countMultiplyAccumulates(linalg::LinalgOp op) {
  bool multiplies =
      op.getNumReductionLoops() > 0 &&
      llvm::any_of(*op.getBlock(),
                   llvm::IsaPred<arith::MulFOp, arith::MulIOp, math::FmaOp>);
  if (!multiplies)
    return 0;
  bool joins = op.hasPureTensorSemantics() && ShapedType::isDynamicShape(op.getStaticLoopRanges());
  return elementsPerSample(op.getStaticLoopRanges()) * (joins ? entriesPerSample(op->getResult(0)) : 1);
}

MultiplyAccumulates mlir::halftone::countMultiplyAccumulates(Operation *root) {
  MultiplyAccumulates counts;
  auto add = [&](Value input, int64_t count) {
    bool isFloat = isa<FloatType>(getElementTypeOrSelf(input.getType()));
    (isFloat ? counts.floating : counts.integer) += count;
  };
  root->walk([&](Operation *op) {
    if (auto structured = dyn_cast<linalg::LinalgOp>(op))
      if (int64_t count = countMultiplyAccumulates(structured))
        add(op->getOperand(0), count);
    auto contract = dyn_cast<ContractOp>(op);
    if (!contract || contract.getPacking())
      return;
    ArrayRef<int64_t> weights =
        cast<ShapedType>(contract.getWeights().getType()).getShape();
    add(contract.getInput(),
        elementsPerSample(
            cast<ShapedType>(contract.getOutput().getType()).getShape()) *
            entriesPerSample(contract.getInput()) * elementsPerSample(weights.drop_back()));
  });
  return counts;
}
