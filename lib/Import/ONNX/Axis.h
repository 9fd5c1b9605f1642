//===- Axis.h - numbers that count from the end -----------------------------===//
#ifndef HALFTONE_LIB_IMPORT_ONNX_AXIS_H
#define HALFTONE_LIB_IMPORT_ONNX_AXIS_H

#include <cstdint>

namespace mlir::halftone::importer {

/// The dimension, or element, that a number means: below 0 it counts from the end. Outside of [0, size) where there is none.
inline int64_t fromStart(int64_t index, int64_t size) { return index < 0 ? index + size : index; }

} // namespace mlir::halftone::importer

#endif // HALFTONE_LIB_IMPORT_ONNX_AXIS_H
