//===- TuningLayers.h - Layers whose times tell a CPU's costs -------------===//
#ifndef HALFTONE_LIB_DRIVER_TUNINGLAYERS_H
#define HALFTONE_LIB_DRIVER_TUNINGLAYERS_H

#include <string>

namespace mlir::halftone {

/// A module of the integer stage, as text: layers on inputs of their own, from
/// codes to codes with requantization. `set` 0: weights that stay in L2; 1:
/// weights from L3. `isFloat`: the same layers in floats.
std::string makeTuningModule(int set, bool isFloat);

constexpr int kTuningSets = 2;

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TUNINGLAYERS_H
