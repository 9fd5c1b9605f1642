//===- UniformTypes.h - scales, zero points and codes -----------------------===//
//
// The two uniform formats: activations are s8 per tensor with any zero point, weights are s8 in [-127, 127] with zero
// point 0 and a scale for each output channel. Weights that a source has quantized may be all of s8, with a zero point for each channel. Scales are normal f32 numbers > 0.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_UNIFORMTYPES_H
#define HALFTONE_QUANTIZATION_UNIFORMTYPES_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include <utility>

namespace mlir::halftone {

/// The largest code of a symmetric weight; -128 is not used, so that negation stays in range.
inline constexpr int kWeightMax = 127;

/// The type for values in [low, high], extended to include 0: scale = (high - low) / 255 in f32, the zero point is the
/// code nearest to the real 0. A range that is too small for a normal scale gets scale 1.
quant::UniformQuantizedType getActivationType(MLIRContext *context, float low, float high);

/// The same with zero point 0 and codes in [-127, 127]: for the right factor of a product of two activations, which kernels read
/// as they read weights.
quant::UniformQuantizedType getSymmetricType(MLIRContext *context, float low, float high);

/// The smallest and the largest real value that has a code.
std::pair<float, float> getRepresentableRange(quant::UniformQuantizedType type);

/// The scale of symmetric weights with that largest magnitude and largest code; 1 if all are zero (or too small for a
/// normal scale).
float getWeightScale(float largest, int limit = kWeightMax);

/// Rule A1 for zero point 0: f32 division, clamp to [-limit, limit] (NaN gives -limit), round half to even.
int8_t quantizeWeight(float value, float scale, int limit = kWeightMax);

/// s8 in [low, limit], one scale for each index of `axis`. Zero points, as many or none for 0, are those of a source's weights alone.
quant::UniformQuantizedPerAxisType getWeightType(MLIRContext *context, ArrayRef<float> scales, int32_t axis, int low, int limit,
                                                 ArrayRef<int8_t> zeros = {});

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_UNIFORMTYPES_H
