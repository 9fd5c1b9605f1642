//===- NamedContraction.cpp - the contractions that this stage knows ------===//
#include "NamedContraction.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

template <typename Op>
static Value rebuildConvolution(OpBuilder &builder, Op op, ValueRange inputs,
                                Value init) {
  return Op::create(builder, op.getLoc(), TypeRange{init.getType()}, inputs,
                    init, op.getStrides(), op.getDilations())
      .getResult(0);
}

template <typename Op>
static Value rebuildProduct(OpBuilder &builder, Op op, ValueRange inputs,
                            Value init) {
  return Op::create(builder, op.getLoc(), TypeRange{init.getType()}, inputs,
                    init)
      .getResult(0);
}

Value mlir::halftone::rebuildContraction(OpBuilder &builder,
                                         linalg::LinalgOp op,
                                         ValueRange inputs, Value init) {
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp,
            linalg::DepthwiseConv2DNhwcHwcmOp, linalg::Conv2DNhwgcGfhwcOp,
            linalg::Conv1DNwcWcfOp>([&](auto op) {
        return rebuildConvolution(builder, op, inputs, init);
      })
      .Case<linalg::MatmulOp, linalg::BatchMatmulOp>(
          [&](auto op) { return rebuildProduct(builder, op, inputs, init); })
      .Default(Value());
}

bool mlir::halftone::isNamedContraction(linalg::LinalgOp op) {
  if (auto matmul = dyn_cast<linalg::MatmulOp>(op.getOperation()))
    return !matmul.hasUserDefinedMaps();
  if (auto matmul = dyn_cast<linalg::BatchMatmulOp>(op.getOperation()))
    return !matmul.hasUserDefinedMaps();
  return isa<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp,
             linalg::DepthwiseConv2DNhwcHwcmOp, linalg::Conv2DNhwgcGfhwcOp,
             linalg::Conv1DNwcWcfOp>(op);
}

SmallVector<linalg::LinalgOp>
mlir::halftone::findFloatContractions(Operation *root) {
  SmallVector<linalg::LinalgOp> contractions;
  root->walk([&](linalg::LinalgOp op) {
    if (isNamedContraction(op) &&
        getElementTypeOrSelf(op->getResultTypes().front()).isF32())
      contractions.push_back(op);
  });
  return contractions;
}

Value mlir::halftone::collapseAlike(OpBuilder &builder, Location loc,
                                    Value value,
                                    tensor::CollapseShapeOp collapse) {
  if (!collapse)
    return value;
  Type type =
      collapse.getResultType().clone(getElementTypeOrSelf(value.getType()));
  return tensor::CollapseShapeOp::create(builder, loc, type, value,
                                         collapse.getReassociationIndices());
}
