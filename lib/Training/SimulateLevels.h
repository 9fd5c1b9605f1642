//===- SimulateLevels.h - codebook weights as float arithmetic --------------===//
#ifndef HALFTONE_LIB_TRAINING_SIMULATELEVELS_H
#define HALFTONE_LIB_TRAINING_SIMULATELEVELS_H

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"

namespace mlir::halftone {

/// The real values of weights `x` that are rounded to the nearest of some levels: `levels` is a tensor<n x f32> of them, times
/// `unit`, rounded here; `steps` one float for each index of the type's axis, or for each element.
Value simulateLevels(OpBuilder &b, Location loc, Value x, quant::UniformQuantizedPerAxisType type, Value steps, Value levels,
                     double unit);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_SIMULATELEVELS_H
