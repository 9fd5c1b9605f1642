//===- SimulateLevels.h - codebook weights as float arithmetic --------------===//
#ifndef HALFTONE_LIB_TRAINING_SIMULATELEVELS_H
#define HALFTONE_LIB_TRAINING_SIMULATELEVELS_H

#include "mlir/IR/Builders.h"

namespace mlir::halftone {

/// The real values of weights `x` that are rounded to the nearest of some levels: `levels` is a tensor<n x f32> of them, times
/// `unit`, rounded here; an element's step is where `step` maps it to in `steps`.
Value simulateLevels(OpBuilder &b, Location loc, Value x, Value steps, AffineMap step, Value levels, double unit);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_SIMULATELEVELS_H
