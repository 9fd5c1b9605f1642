//===- ResizeModes.h - where ONNX's Resize reads ----------------------------===//
#ifndef HALFTONE_IMPORT_RESIZEMODES_H
#define HALFTONE_IMPORT_RESIZEMODES_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace mlir::halftone {

/// One axis of a resize: its sizes, and their ratio.
struct ResizeAxis {
  int64_t in, out;
  float scale;
  float roiStart = 0, roiEnd = 1; ///< the part of the input that tf_crop_and_resize takes, in parts of it
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

/// A weighted sum of source positions, as many for each output position.
struct WeightedSource {
  int64_t source;
  float weight;
};

/// The filter of an axis.
struct ResizeFilter {
  bool cubic;          ///< else linear
  float cubicA;        ///< cubic_coeff_a
  bool excludeOutside; ///< positions beyond the edges have no weight, else the outermost position counts
  bool antialias;      ///< the filter is as wide as the scale is small
};

/// The same for a filter of several positions, as ONNX defines it.
std::optional<SmallVector<SmallVector<WeightedSource>>> filterSources(StringRef coordinates, const ResizeFilter &filter, const ResizeAxis &axis);

/// The output positions that tf_crop_and_resize takes from outside the input.
SmallVector<bool> findOutside(StringRef coordinates, const ResizeAxis &axis);

/// Whether nearestIndices() and linearSources() know the mode of coordinates.
bool isCoordinateMode(StringRef coordinates);

} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_RESIZEMODES_H
