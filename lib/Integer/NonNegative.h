//===- NonNegative.h - values that cannot be negative ----------------------===//
#ifndef HALFTONE_LIB_INTEGER_NONNEGATIVE_H
#define HALFTONE_LIB_INTEGER_NONNEGATIVE_H

#include "mlir/IR/Value.h"

namespace mlir::halftone {

/// Whether what computes the value, a float or a tensor of floats, shows that no element is negative, as behind a Relu, a softmax, a square.
/// NaN does not count. False where it is not known.
bool isNonNegative(Value value);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_INTEGER_NONNEGATIVE_H
