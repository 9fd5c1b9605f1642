//===- ConsumerError.h - what rounding errors become where they are read -----===//
#ifndef HALFTONE_LIB_CALIBRATION_CONSUMERERROR_H
#define HALFTONE_LIB_CALIBRATION_CONSUMERERROR_H

#include "mlir/IR/Value.h"

namespace mlir::halftone {

/// How much more the square of the errors' mean weighs than their variance in what the readers of a value compute, averaged over
/// the readers: (sum w)^2 / sum w^2 for a contraction, the number of elements for average pooling, 1 for all others.
double weightOfMeanError(Value value);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CALIBRATION_CONSUMERERROR_H
