//===- MultiplyAccumulates.cpp - how much of a model runs in integers
//-------===//
#include "halftone/Integer/MultiplyAccumulates.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace mlir::halftone;

int64_t mlir::halftone::elementsPerSample(ArrayRef<int64_t> extents) {
  int64_t result = 1;
  for (int64_t extent : extents)
    result *= ShapedType::isDynamic(extent) ? 1 : extent;
  return result;
}

int64_t mlir::halftone::countMultiplyAccumulates(linalg::LinalgOp op) {
  bool multiplies =
      op.getNumReductionLoops() > 0 &&
      llvm::any_of(*op.getBlock(),
                   llvm::IsaPred<arith::MulFOp, arith::MulIOp, math::FmaOp>);
  return multiplies ? elementsPerSample(op.getStaticLoopRanges()) : 0;
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
            elementsPerSample(weights.drop_back()));
  });
  return counts;
}
