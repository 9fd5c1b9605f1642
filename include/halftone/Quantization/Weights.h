//===- Weights.h - constants to codes ---------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_WEIGHTS_H
#define HALFTONE_QUANTIZATION_WEIGHTS_H

#include "halftone/Quantization/WeightRounding.h"
#include "mlir/Support/LogicalResult.h"

namespace mlir::halftone {

/// Replaces the constant f32 weights of a contraction by i8 codes, `quant.scast` and `halftone.dequantize`, one scale
/// for each output channel.
LogicalResult quantizeWeights(OpBuilder &builder, Operation *contraction, RoundingCache &rounding);

/// The same with codes that are known, in the format of the contraction.
LogicalResult replaceWeights(OpBuilder &builder, Operation *contraction, const RoundedWeights &rounded);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_WEIGHTS_H
