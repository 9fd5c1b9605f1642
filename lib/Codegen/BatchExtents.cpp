//===- BatchExtents.cpp - sizes of buffers for a batch ----------------------===//
#include "halftone/Codegen/BatchExtents.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

std::optional<int64_t> mlir::halftone::evaluateAtBatch(OpFoldResult value, int64_t batch) {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return constant;
  return evaluateAtBatch(cast<Value>(value), batch);
}

std::optional<int64_t> mlir::halftone::extentAtBatch(Value buffer, int64_t dim, int64_t batch) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(dim))
    return type.getDimSize(dim);
  if (isa<BlockArgument>(buffer))
    return dim == 0 ? std::optional<int64_t>(batch) : std::nullopt;
  Operation *op = buffer.getDefiningOp();
  if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return evaluateAtBatch(alloc.getMixedSizes()[dim], batch);
  if (auto view = dyn_cast<memref::SubViewOp>(op)) {
    bool sameRank = view.getSourceType().getRank() == type.getRank();
    return sameRank ? evaluateAtBatch(view.getMixedSizes()[dim], batch) : std::nullopt;
  }
  if (auto expand = dyn_cast<memref::ExpandShapeOp>(op))
    return evaluateAtBatch(expand.getMixedOutputShape()[dim], batch);
  if (auto cast = dyn_cast<memref::CastOp>(op))
    return extentAtBatch(cast.getSource(), dim, batch);
  auto collapse = dyn_cast<memref::CollapseShapeOp>(op);
  if (!collapse)
    return std::nullopt;
  int64_t product = 1;
  const ReassociationIndices sources = collapse.getReassociationIndices()[dim];
  for (int64_t source : sources) {
    std::optional<int64_t> extent = extentAtBatch(collapse.getSrc(), source, batch);
    if (!extent)
      return std::nullopt;
    product *= *extent;
  }
  return product;
}

std::optional<int64_t> mlir::halftone::evaluateAtBatch(Value value, int64_t batch) {
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (auto dim = dyn_cast<memref::DimOp>(op))
    return dim.getConstantIndex() ? extentAtBatch(dim.getSource(), *dim.getConstantIndex(), batch) : std::nullopt;
  SmallVector<Attribute> operands;
  for (Value operand : op->getOperands()) {
    std::optional<int64_t> evaluated = evaluateAtBatch(operand, batch);
    if (!evaluated)
      return std::nullopt;
    operands.push_back(IntegerAttr::get(operand.getType(), *evaluated));
  }
  SmallVector<OpFoldResult> folded;
  if (!isa<affine::AffineApplyOp, affine::AffineMinOp, affine::AffineMaxOp>(op) &&
      op->getDialect() != op->getContext()->getLoadedDialect<arith::ArithDialect>())
    return std::nullopt;
  if (failed(op->fold(operands, folded)) || folded.size() != 1)
    return std::nullopt;
  if (auto attribute = dyn_cast<Attribute>(folded[0]))
    return cast<IntegerAttr>(attribute).getInt();
  return evaluateAtBatch(cast<Value>(folded[0]), batch);
}
