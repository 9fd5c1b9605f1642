//===- MatrixProduct.h - products of two matrices ---------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H
#define HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H

#include "Node.h"

namespace mlir::halftone::importer {

/// The product of f32 matrices, M x K and K x N; M may be dynamic.
Value multiply(Node &node, Value a, Value b);

/// The products of two batches of them, N x M x K and N x K x P.
Value multiplyBatch(Node &node, Value a, Value b);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H
