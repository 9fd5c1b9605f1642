//===- ResizeModes.h - where ONNX's nearest Resize reads --------------------===//
#ifndef HALFTONE_IMPORT_RESIZEMODES_H
#define HALFTONE_IMPORT_RESIZEMODES_H

#include "mlir/Support/LLVM.h"
#include <optional>

namespace mlir::halftone {

/// One axis of a resize: its sizes, and their ratio.
struct ResizeAxis {
  int64_t in, out;
  float scale;
};

/// The source position of each output position along an axis, by the attributes coordinate_transformation_mode and
/// nearest_mode; nothing for a mode that is not known.
std::optional<SmallVector<int64_t>> nearestIndices(StringRef coordinates, StringRef rounding, const ResizeAxis &axis);

/// Whether nearestIndices() knows the mode of coordinates.
bool isCoordinateMode(StringRef coordinates);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_RESIZEMODES_H
