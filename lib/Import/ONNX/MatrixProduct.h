//===- MatrixProduct.h - products of two matrices ---------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H
#define HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H

#include "Node.h"

namespace mlir::halftone::importer {

/// The product of f32 matrices, M x K and K x N; M may be dynamic.
Value multiply(Node &node, Value a, Value b);

/// The same of the rows of `a`, of any rank; dimension 0 may be dynamic.
Value multiplyRows(Node &node, Value a, const Tensor &b);

/// The products of two batches of them, N x M x K and N x K x P.
Value multiplyBatch(Node &node, Value a, Value b);

/// The same of factors with leading dimensions, which are repeated to be `leading`; the first of them may be dynamic.
Value multiplyBatched(Node &node, const Tensor &a, const Tensor &b, ArrayRef<int64_t> leading);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_MATRIXPRODUCT_H
