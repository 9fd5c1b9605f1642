//===- WeightZeros.cpp - zero points of weights -----------------------------===//
#include "WeightZeros.h"
#include "NamedContraction.h"

using namespace mlir;
using namespace mlir::halftone;

/// The other operand that the contraction multiplies.
static OpOperand &otherFactor(linalg::LinalgOp contraction, OpOperand &weights) {
  return contraction->getOpOperand(1 - weights.getOperandNumber());
}

/// The loops of channels that read the same. None where groups of channels do: a collapse joins these loops.
static llvm::SmallDenseSet<unsigned> findChannelLoops(linalg::LinalgOp contraction, OpOperand &weights, const ChannelTotals &totals) {
  if (!totals.areAlike())
    return {};
  AffineMap output = contraction.getMatchingIndexingMap(contraction.getDpsInitOperand(0));
  AffineMap input = contraction.getMatchingIndexingMap(&otherFactor(contraction, weights));
  llvm::SmallDenseSet<unsigned> loops;
  for (AffineExpr expression : output.getResults())
    if (auto loop = dyn_cast<AffineDimExpr>(expression); loop && !input.isFunctionOfDim(loop.getPosition()))
      loops.insert(loop.getPosition());
  return loops;
}

/// Of each dimension that a map gives whether it is one of the loops.
static SmallVector<bool> areLoops(AffineMap map, const llvm::SmallDenseSet<unsigned> &loops) {
  return llvm::map_to_vector(map.getResults(), [&](AffineExpr expression) {
    auto loop = dyn_cast<AffineDimExpr>(expression);
    return loop && loops.contains(loop.getPosition());
  });
}

/// The contraction with ones for weights, without the dimensions of `loops`.
static Value createInputSums(OpBuilder &builder, linalg::LinalgOp contraction, OpOperand &weights, const llvm::SmallDenseSet<unsigned> &loops,
                             Value input, Type element) {
  Location loc = contraction.getLoc();
  SmallVector<int64_t> shape(cast<RankedTensorType>(weights.get().getType()).getShape());
  for (auto [size, isChannel] : llvm::zip_equal(shape, areLoops(contraction.getMatchingIndexingMap(&weights), loops)))
    size = isChannel ? 1 : size;
  OpOperand *init = contraction.getDpsInitOperand(0);
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, init->get());
  for (auto [size, isChannel] : llvm::zip_equal(sizes, areLoops(contraction.getMatchingIndexingMap(init), loops)))
    size = isChannel ? builder.getIndexAttr(1) : size;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(element));
  Value filled = linalg::FillOp::create(builder, loc, zero, tensor::EmptyOp::create(builder, loc, sizes, element).getResult()).getResult(0);
  std::vector<int8_t> ones(ShapedType::getNumElements(shape), 1);
  SmallVector<Value> inputs(2);
  inputs[weights.getOperandNumber()] = createConstant(builder, loc, shape, builder.getI8Type(), ones, "ones");
  inputs[otherFactor(contraction, weights).getOperandNumber()] = input;
  return rebuildContraction(builder, contraction, inputs, filled);
}

void mlir::halftone::appendZeros(OpBuilder &builder, linalg::LinalgOp contraction, OpOperand &weights, const ChannelTotals &totals,
                                 const ContractionTail &tail, Value input, Type element, SmallVectorImpl<Value> &operands,
                                 SmallVectorImpl<AffineMap> &maps) {
  if (!totals.hasZeros())
    return;
  Location loc = contraction.getLoc();
  Value sums = createInputSums(builder, contraction, weights, findChannelLoops(contraction, weights, totals), input, element);
  if (tensor::CollapseShapeOp collapse = tail.collapse)
    sums = tensor::CollapseShapeOp::create(builder, loc, sums, collapse.getReassociationIndices());
  auto type = cast<RankedTensorType>(sums.getType());
  SmallVector<AffineExpr> exprs;
  for (auto [d, size] : llvm::enumerate(type.getShape()))
    exprs.push_back(size == 1 ? builder.getAffineConstantExpr(0) : builder.getAffineDimExpr(d));
  const std::vector<float> floats(totals.zeros.begin(), totals.zeros.end());
  Value zeros = element.isF32() ? createConstant(builder, loc, tail.channelShape(), element, floats, "zeros")
                                : createConstant(builder, loc, tail.channelShape(), element, totals.zeros, "zeros");
  operands.append({zeros, sums});
  maps.append({tail.channelMap(), AffineMap::get(type.getRank(), 0, exprs, builder.getContext())});
}

SmallVector<Value> mlir::halftone::takeZeros(OpBuilder &builder, Location loc, const ChannelTotals &totals, ValueRange scalars) {
  SmallVector<Value> result(scalars);
  if (!totals.hasZeros())
    return result;
  Value sum = result.pop_back_val(), zero = result.pop_back_val();
  if (isa<FloatType>(sum.getType()))
    result[0] = arith::SubFOp::create(builder, loc, result[0], arith::MulFOp::create(builder, loc, zero, sum));
  else
    result[0] = arith::SubIOp::create(builder, loc, result[0], arith::MulIOp::create(builder, loc, zero, sum));
  return result;
}
