//===- ScalarAdjoint.h - the derivative of a scalar region ------------------===//
#ifndef HALFTONE_LIB_TRAINING_SCALARADJOINT_H
#define HALFTONE_LIB_TRAINING_SCALARADJOINT_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Builders.h"

namespace mlir::halftone {

/// Emits `seed * d(yielded) / d(argument)` for each argument of `body`, which computes the scalar `yielded` from them
/// and from constants. `values` are the arguments; `result`, if it is known, is the value of `yielded`. An argument
/// that `yielded` does not depend on has a null derivative. Rounding to an integer counts as the identity (the
/// straight-through estimator, Bengio et al., arXiv:1308.3432); at a kink of max, min and abs the derivative is that of
/// the constant side.
SmallVector<Value> emitScalarAdjoint(OpBuilder &b, Location loc, Block &body, Value yielded, ValueRange values,
                                     Value result, Value seed);

/// The operations of `body` with a float result that the above has no rule for and that lie between an argument and
/// `yielded`, and those that take the bits of a float.
SmallVector<Operation *> findUnknownScalars(Block &body, Value yielded);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TRAINING_SCALARADJOINT_H
