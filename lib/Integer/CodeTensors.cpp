//===- CodeTensors.cpp - quantized tensors seen as i8
//-----------------------===//
#include "CodeTensors.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace mlir::halftone;

std::optional<Dequantized> mlir::halftone::matchDequantized(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize)
    return std::nullopt;
  std::optional<CodeFormat> format =
      CodeFormat::get(dequantize.getInput().getType());
  if (!format)
    return std::nullopt;
  return Dequantized{dequantize.getInput(), *format};
}

Value mlir::halftone::codesOf(OpBuilder &builder, Location loc,
                              Value quantized) {
  if (auto cast = quantized.getDefiningOp<quant::StorageCastOp>())
    return cast.getInput();
  auto type = cast<RankedTensorType>(quantized.getType());
  return quant::StorageCastOp::create(
      builder, loc, type.clone(builder.getI8Type()), quantized);
}

Value mlir::halftone::quantizedFrom(OpBuilder &builder, Location loc,
                                    Value codes, Type element) {
  auto type = cast<RankedTensorType>(codes.getType());
  return quant::StorageCastOp::create(builder, loc, type.clone(element), codes);
}

Value mlir::halftone::dequantizedFrom(OpBuilder &builder, Location loc,
                                      Value codes, Type element) {
  Value quantized = quantizedFrom(builder, loc, codes, element);
  auto type =
      cast<RankedTensorType>(quantized.getType()).clone(builder.getF32Type());
  return DequantizeOp::create(builder, loc, type, quantized, Value(), Value());
}

/// The value and dimension that has the size of dimension `dimension` of
/// `value`, one step up; null at the top.
static std::pair<Value, int64_t> sizeSource(Value value, int64_t dimension) {
  Operation *op = value.getDefiningOp();
  if (isa_and_present<QuantizeOp, DequantizeOp, StorageCastOp,
                      quant::StorageCastOp>(op))
    return {op->getOperand(0), dimension};
  if (auto destination = dyn_cast_or_null<DestinationStyleOpInterface>(op))
    return {destination.getTiedOpOperand(cast<OpResult>(value))->get(),
            dimension};
  if (auto pad = dyn_cast_or_null<tensor::PadOp>(op)) {
    bool grows = !isConstantIntValue(pad.getMixedLowPad()[dimension], 0) ||
                 !isConstantIntValue(pad.getMixedHighPad()[dimension], 0);
    return {grows ? Value() : pad.getSource(), dimension};
  }
  auto alone = [&](Value source, ArrayRef<ReassociationIndices> groups,
                   bool collapses) -> std::pair<Value, int64_t> {
    for (auto [i, group] : llvm::enumerate(groups))
      if (group.size() == 1 && (collapses ? int64_t(i) : group[0]) == dimension)
        return {source, collapses ? group[0] : int64_t(i)};
    return {};
  };
  if (auto collapse = dyn_cast_or_null<tensor::CollapseShapeOp>(op))
    return alone(collapse.getSrc(), collapse.getReassociationIndices(), true);
  if (auto expand = dyn_cast_or_null<tensor::ExpandShapeOp>(op))
    return alone(expand.getSrc(), expand.getReassociationIndices(), false);
  return {};
}

OpFoldResult mlir::halftone::sizeOf(OpBuilder &builder, Location loc,
                                    Value value, int64_t dimension) {
  auto type = cast<RankedTensorType>(value.getType());
  if (!type.isDynamicDim(dimension))
    return builder.getIndexAttr(type.getDimSize(dimension));
  if (auto empty = value.getDefiningOp<tensor::EmptyOp>())
    return empty.getMixedSizes()[dimension];
  auto [source, sourceDimension] = sizeSource(value, dimension);
  if (source)
    return sizeOf(builder, loc, source, sourceDimension);
  return tensor::DimOp::create(builder, loc, value, dimension).getResult();
}

bool mlir::halftone::isSizeKnown(Value value, int64_t dimension) {
  return !cast<RankedTensorType>(value.getType()).isDynamicDim(dimension) ||
         value.getDefiningOp<tensor::EmptyOp>() ||
         sizeSource(value, dimension).first;
}

SmallVector<OpFoldResult> mlir::halftone::sizesOf(OpBuilder &builder,
                                                  Location loc, Value value) {
  SmallVector<OpFoldResult> sizes;
  for (int64_t i = 0, e = cast<RankedTensorType>(value.getType()).getRank();
       i < e; ++i)
    sizes.push_back(sizeOf(builder, loc, value, i));
  return sizes;
}

Value mlir::halftone::createFilled(OpBuilder &builder, Location loc,
                                   ArrayRef<OpFoldResult> sizes,
                                   IntegerType element, int64_t value) {
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, element);
  Value scalar = arith::ConstantOp::create(
      builder, loc, builder.getIntegerAttr(element, value));
  return linalg::FillOp::create(builder, loc, scalar, empty).getResult(0);
}

Value mlir::halftone::createElementwise(
    OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> sizes,
    Type element, ValueRange inputs, ArrayRef<AffineMap> maps,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  Value init = tensor::EmptyOp::create(builder, loc, sizes, element);
  SmallVector<AffineMap> allMaps(maps);
  allMaps.push_back(builder.getMultiDimIdentityMap(sizes.size()));
  SmallVector<utils::IteratorType> iterators(sizes.size(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, init.getType(), inputs, init, allMaps, iterators,
             [&](OpBuilder &nested, Location nestedLoc, ValueRange arguments) {
               Value result = body(nested, nestedLoc, arguments.drop_back());
               linalg::YieldOp::create(nested, nestedLoc, result);
             })
      .getResult(0);
}

bool mlir::halftone::isElementwise(linalg::GenericOp op) {
  return op->getNumResults() == 1 &&
         op.getNumParallelLoops() == op.getNumLoops() &&
         !op.hasIndexSemantics() &&
         op.getMatchingIndexingMap(op.getDpsInitOperand(0)).isIdentity() &&
         !op.payloadUsesValueFromOperand(op.getDpsInitOperand(0));
}

std::optional<float> mlir::halftone::matchNumber(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto generic =
        dyn_cast<linalg::GenericOp>(argument.getOwner()->getParentOp());
    if (!generic || argument.getArgNumber() >= generic.getNumDpsInputs())
      return std::nullopt;
    value = generic.getMatchingOpOperand(argument)->get();
  }
  Attribute attribute;
  if (!matchPattern(value, m_Constant(&attribute)))
    return std::nullopt;
  if (auto splat = dyn_cast<SplatElementsAttr>(attribute))
    attribute = splat.getSplatValue<Attribute>();
  auto number = dyn_cast<FloatAttr>(attribute);
  if (!number || !number.getType().isF32())
    return std::nullopt;
  return number.getValue().convertToFloat();
}

void mlir::halftone::eraseUnused(RewriterBase &rewriter, Operation *root) {
  // Users stand behind their operands, so one walk against the order reaches
  // all.
  root->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (op != root && isOpTriviallyDead(op))
      rewriter.eraseOp(op);
  });
}

void mlir::halftone::setReason(Operation *op, const Twine &reason) {
  op->setAttr(kReasonAttr, StringAttr::get(op->getContext(), reason));
}
