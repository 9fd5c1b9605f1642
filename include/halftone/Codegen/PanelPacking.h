//===- PanelPacking.h - weights that are made when the model runs -----------===//
//
// The right factor of a product of two activations is read as weights are: in panels, with a start row. Nobody can pack it
// before it exists, so the kernel does, once for each matrix, into a scratch.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_PANELPACKING_H
#define HALFTONE_CODEGEN_PANELPACKING_H

#include "halftone/Codegen/PackedLayout.h"
#include "halftone/Codegen/VectorEmission.h"

namespace mlir::halftone {

/// How bytes become weights.
struct PackedBytes {
  bool flipsSign = false;  ///< they are codes + 128 in memory
  int32_t startFactor = 0; ///< accumulators start at this times the sum of the column
};

/// Packs a `matrix` of rows of the reduction by columns into `scratch` (of layout.elements()), in the order that PackWeights.cpp
/// gives constants. One of the two strides is 1. Bytes or floats; the layout has one run and one group, and no few bits.
void emitPacking(ImplicitLocOpBuilder &b, const PackedLayout &layout, const FlatBuffer &matrix, Value scratch, PackedBytes bytes);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PANELPACKING_H
