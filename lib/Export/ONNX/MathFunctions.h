//===- MathFunctions.h - polynomials back to the functions that they are ----===//
//
// The import stage writes exp, erf, tanh, ... out as polynomials (rule A15 of docs/Arithmetic.md), with operations on the
// bits of floats that ONNX has not. Where the scalars of an operation are just what the import stage makes of a function,
// the function is put back.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_EXPORT_ONNX_MATHFUNCTIONS_H
#define HALFTONE_LIB_EXPORT_ONNX_MATHFUNCTIONS_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone::exporter {

/// Puts functions back in all regions of scalars.
LogicalResult restoreMathFunctions(ModuleOp module);

} // namespace mlir::halftone::exporter

#endif // HALFTONE_LIB_EXPORT_ONNX_MATHFUNCTIONS_H
