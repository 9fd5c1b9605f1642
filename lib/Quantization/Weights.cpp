//===- Weights.cpp - constants to codes -------------------------------------===//
//
// The channels of a grouped convolution's weights (G x F x ...) are flattened to G*F, so that one axis holds all scales;
// an expand_shape behind the dequantize restores the shape.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/Weights.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

static bool allFinite(ArrayRef<float> values) {
  return llvm::all_of(values, [](float value) { return std::isfinite(value); });
}

/// The shape with the first two dimensions as one, and the reassociation of that.
static std::pair<SmallVector<int64_t>, SmallVector<ReassociationIndices>> flattenGroups(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> flat{shape[0] * shape[1]};
  SmallVector<ReassociationIndices> reassociation{{0, 1}};
  for (int64_t i = 2; i < int64_t(shape.size()); ++i) {
    flat.push_back(shape[i]);
    reassociation.push_back({i});
  }
  return {flat, reassociation};
}

/// The codes of a uniform format are its levels; all others may have any code.
static int largestCode(const FormatOfWeights &format) {
  bool uniform = format.format.kind == WeightFormat::Uniform && format.granularity.kind != Granularity::Group;
  return uniform ? format.format.levelSet().largest() : kWeightMax;
}

LogicalResult mlir::halftone::quantizeWeights(OpBuilder &builder, Operation *contraction, RoundingCache &rounding) {
  OpOperand &operand = getWeightOperand(contraction);
  std::optional<std::vector<float>> values = getConstantElements<float>(operand.get());
  if (!values)
    return contraction->emitOpError("is int8, but its weights are no f32 constant");
  if (!allFinite(*values))
    return contraction->emitOpError("is int8, but its weights have NaN or infinite elements");
  FailureOr<RoundedWeights> rounded = rounding.round(contraction, *values, WeightChannels(contraction));
  if (failed(rounded))
    return failure();
  contraction->removeAttr(kWeightCodesAttr);
  contraction->removeAttr(kWeightScalesAttr);
  return replaceWeights(builder, contraction, *rounded);
}

LogicalResult mlir::halftone::replaceWeights(OpBuilder &builder, Operation *contraction, const RoundedWeights &rounded) {
  FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
  if (failed(format))
    return failure();
  OpOperand &operand = getWeightOperand(contraction);
  auto type = cast<RankedTensorType>(operand.get().getType());
  SmallVector<int64_t> channelDims = getOutputChannelDims(contraction);
  bool grouped = channelDims.size() == 2;
  auto [flat, reassociation] = flattenGroups(type.getShape());
  RankedTensorType codesType = RankedTensorType::get(grouped ? ArrayRef<int64_t>(flat) : type.getShape(), builder.getI8Type());
  int64_t axis = channelDims.front();
  Location loc = operand.get().getLoc();
  std::string name = locationName(loc);
  builder.setInsertionPoint(contraction);
  auto constant = makeConstant<int8_t>(codesType, rounded.codes, name.empty() ? "weights" : name);
  Value value = arith::ConstantOp::create(builder, loc, constant);
  // Only a source that has quantized its weights itself gives them -128.
  int limit = largestCode(*format), low = llvm::is_contained(rounded.codes, int8_t(-128)) ? -128 : -limit;
  auto element = getWeightType(builder.getContext(), rounded.scales, axis, low, limit, rounded.zeros);
  value = quant::StorageCastOp::create(builder, loc, codesType.clone(element), value);
  value = DequantizeOp::create(builder, loc, codesType.clone(type.getElementType()), value, Value(), Value());
  if (grouped)
    value = tensor::ExpandShapeOp::create(builder, loc, type, value, reassociation);
  operand.set(value);
  return success();
}
