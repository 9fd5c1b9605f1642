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

namespace {
/// A row-major tensor seen as outer x channels x inner.
struct ChannelView {
  int64_t channels, inner, elements;

  template <typename Visit>
  void visit(int64_t channel, Visit visit) const {
    for (int64_t start = channel * inner; start < elements; start += channels * inner)
      for (int64_t i = start; i < start + inner; ++i)
        visit(i);
  }
};
} // namespace

static double squaredError(ArrayRef<float> values, const ChannelView &view, int64_t channel, float scale) {
  double sum = 0;
  view.visit(channel, [&](int64_t i) {
    double error = values[i] - quantizeWeight(values[i], scale) * double(scale);
    sum += error * error;
  });
  return sum;
}

static float findScale(ArrayRef<float> values, const ChannelView &view, int64_t channel, WeightScales method) {
  float largest = 0;
  view.visit(channel, [&](int64_t i) { largest = std::max(largest, std::abs(values[i])); });
  float best = getWeightScale(largest);
  if (method == WeightScales::Largest || largest == 0)
    return best;
  // Clipping below half of the largest magnitude never won for 255 levels.
  constexpr int candidates = 64;
  double least = squaredError(values, view, channel, best);
  for (int i = 1; i < candidates; ++i) {
    float scale = getWeightScale(largest * (1.0f - 0.5f * i / candidates));
    if (double error = squaredError(values, view, channel, scale); error < least) {
      least = error;
      best = scale;
    }
  }
  return best;
}

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

LogicalResult mlir::halftone::quantizeWeights(OpBuilder &builder, Operation *contraction, WeightScales method) {
  OpOperand &operand = getWeightOperand(contraction);
  auto type = cast<RankedTensorType>(operand.get().getType());
  std::optional<std::vector<float>> values = getConstantElements<float>(operand.get());
  if (!values)
    return contraction->emitOpError("is int8, but its weights are no f32 constant");
  if (!allFinite(*values))
    return contraction->emitOpError("is int8, but its weights have NaN or infinite elements");
  SmallVector<int64_t> channelDims = getOutputChannelDims(contraction);
  bool grouped = channelDims.size() == 2;
  auto [flat, reassociation] = flattenGroups(type.getShape());
  RankedTensorType codesType = RankedTensorType::get(grouped ? ArrayRef<int64_t>(flat) : type.getShape(), builder.getI8Type());
  int64_t axis = channelDims.front();
  ChannelView view{codesType.getDimSize(axis), 1, codesType.getNumElements()};
  for (int64_t extent : codesType.getShape().drop_front(axis + 1))
    view.inner *= extent;

  SmallVector<float> scales;
  std::vector<int8_t> codes(values->size());
  for (int64_t channel = 0; channel < view.channels; ++channel) {
    float scale = findScale(*values, view, channel, method);
    scales.push_back(scale);
    view.visit(channel, [&](int64_t i) { codes[i] = quantizeWeight((*values)[i], scale); });
  }

  Location loc = operand.get().getLoc();
  std::string name = locationName(loc);
  builder.setInsertionPoint(contraction);
  auto constant = makeConstant<int8_t>(codesType, codes, name.empty() ? "weights" : name);
  Value value = arith::ConstantOp::create(builder, loc, constant);
  auto element = getWeightType(builder.getContext(), scales, axis);
  value = quant::StorageCastOp::create(builder, loc, codesType.clone(element), value);
  value = DequantizeOp::create(builder, loc, codesType.clone(type.getElementType()), value, Value(), Value());
  if (grouped)
    value = tensor::ExpandShapeOp::create(builder, loc, type, value, reassociation);
  operand.set(value);
  return success();
}
