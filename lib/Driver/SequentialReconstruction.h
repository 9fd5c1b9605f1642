//===- SequentialReconstruction.h - Layers one after the other ------------===//
//
// Each layer is reconstructed for what it reads once the layers before it are
// quantized or pruned, and for what the float network has behind it: errors of
// earlier layers are made up for where least squares can. Two networks are run
// side by side, segment by segment (Segments.h): the float one, and the one that
// is being made, in floats with the weights that it has and activations rounded
// to their codes.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_SEQUENTIALRECONSTRUCTION_H
#define HALFTONE_LIB_DRIVER_SEQUENTIALRECONSTRUCTION_H

#include "Stages.h"
#include "halftone/Pruning/Passes.h"

namespace mlir::halftone {

/// Codes for the int8 contractions of a module of the stage precision, as
/// attributes; their weights and biases change, too.
llvm::Error quantizeSequentially(ModuleOp module, const StageSettings &settings, StringRef dataPath);

/// Prunes a module of the stage precision: a share of each layer, or what the
/// global scope gives it.
llvm::Error pruneSequentially(ModuleOp module, const PruneWeightsOptions &options, StringRef dataPath);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SEQUENTIALRECONSTRUCTION_H
