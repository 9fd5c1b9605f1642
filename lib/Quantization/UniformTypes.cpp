//===- UniformTypes.cpp - scales, zero points and codes ---------------------===//
#include "halftone/Quantization/UniformTypes.h"
#include "mlir/IR/Builders.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

static constexpr int kActivationMin = -128, kActivationMax = 127;

static float normalOrOne(float scale) { return std::isnormal(scale) && scale > 0 ? scale : 1.0f; }

quant::UniformQuantizedType mlir::halftone::getActivationType(MLIRContext *context, float low, float high) {
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  // In double, because high - low may exceed the largest f32.
  float scale = normalOrOne(static_cast<float>((double(high) - double(low)) / (kActivationMax - kActivationMin)));
  double zero = std::nearbyint(kActivationMin - double(low) / scale);
  auto zeroPoint = static_cast<int64_t>(std::clamp<double>(zero, kActivationMin, kActivationMax));
  Builder builder(context);
  return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed, builder.getI8Type(), builder.getF32Type(),
                                          scale, zeroPoint, kActivationMin, kActivationMax);
}

quant::UniformQuantizedType mlir::halftone::getSymmetricType(MLIRContext *context, float low, float high) {
  Builder builder(context);
  return quant::UniformQuantizedType::get(quant::QuantizationFlags::Signed, builder.getI8Type(), builder.getF32Type(),
                                          getWeightScale(std::max(std::abs(low), std::abs(high))), /*zeroPoint=*/0, -kWeightMax, kWeightMax);
}

std::pair<float, float> mlir::halftone::getRepresentableRange(quant::UniformQuantizedType type) {
  auto real = [&](int64_t code) { return static_cast<float>((code - type.getZeroPoint()) * type.getScale()); };
  return {real(type.getStorageTypeMin()), real(type.getStorageTypeMax())};
}

float mlir::halftone::getWeightScale(float largest, int limit) { return normalOrOne(largest / limit); }

int8_t mlir::halftone::quantizeWeight(float value, float scale, int limit) {
  float quotient = value / scale;
  if (!(quotient >= -limit))
    return -limit;
  return static_cast<int8_t>(std::nearbyint(std::min<float>(quotient, limit)));
}

quant::UniformQuantizedPerAxisType mlir::halftone::getWeightType(MLIRContext *context, ArrayRef<float> scales, int32_t axis, int low,
                                                                 int limit, ArrayRef<int8_t> zeros) {
  Builder builder(context);
  SmallVector<double> exact(scales.begin(), scales.end());
  SmallVector<int64_t> zeroPoints(zeros.begin(), zeros.end());
  zeroPoints.resize(scales.size(), 0);
  return quant::UniformQuantizedPerAxisType::get(quant::QuantizationFlags::Signed, builder.getI8Type(),
                                                 builder.getF32Type(), exact, zeroPoints, axis, low, limit);
}
