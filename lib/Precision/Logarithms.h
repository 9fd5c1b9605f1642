//===- Logarithms.h - contractions in front of logarithms -------------------===//
//
// A logarithm, or a root, makes small values as large as others: there the error of a value counts relative to it, but the steps of codes are those of
// the largest value. Spectra are such values. A contraction stands in front of logarithms if all that reads its result comes to one by functions of a
// degree d, f(s x) = s^d f(x), or nearly so: sums, products with constants, squares, clamps, pools, other contractions. A degree below 1 is a root of
// the result; the magnitude sqrt(re^2 + im^2) has degree 1 and is none.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_PRECISION_LOGARITHMS_H
#define HALFTONE_LIB_PRECISION_LOGARITHMS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseSet.h"

namespace mlir::halftone {

/// The contractions with constant weights in front of logarithms. None if together they have more than `share` of the model's multiply-accumulates:
/// floats would take more time than that, and a whole network may end in a logarithm.
llvm::DenseSet<Operation *> findBeforeLogarithms(func::FuncOp entry, double share);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_PRECISION_LOGARITHMS_H
