//===- Shape.h - shapes that operators give to the same elements ------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_SHAPE_H
#define HALFTONE_LIB_IMPORT_ONNX_SHAPE_H

#include "Node.h"

namespace mlir::halftone::importer {

/// The result shape of Reshape, Flatten, Squeeze or Unsqueeze; failure after `node.unsupported`.
FailureOr<SmallVector<int64_t>> readTargetShape(Node &node);

/// The axes in input `i` or, in older opsets, in the attribute `axes`, counted from 0; nothing if they are absent.
FailureOr<SmallVector<int64_t>> readAxes(Node &node, unsigned i, int64_t rank);

/// `x` with another shape, by collapse_shape and expand_shape; a dynamic dimension leads in both.
Value reshape(Node &node, Value x, ArrayRef<int64_t> shape);

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_SHAPE_H
