//===- ResizeModes.h - where ONNX's Resize reads ----------------------------===//
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

/// An output position between two source positions: `(1 - weight) low + weight high`, 0 <= weight < 1.
struct Interpolated {
  int64_t low, high;
  float weight;
};

/// The same for linear interpolation; beyond the edges the outermost position counts.
std::optional<SmallVector<Interpolated>> linearSources(StringRef coordinates, const ResizeAxis &axis);

/// Whether nearestIndices() and linearSources() know the mode of coordinates.
bool isCoordinateMode(StringRef coordinates);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_RESIZEMODES_H
