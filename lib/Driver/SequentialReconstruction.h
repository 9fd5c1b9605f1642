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

#include "Metric.h"
#include "Stages.h"
#include "halftone/Pruning/Passes.h"

namespace mlir::halftone {

/// The stages up to `last`, which is behind precision. The int8 contractions get
/// codes layer by layer, behind the zeros that a recipe asks for; their weights
/// and biases change, too.
llvm::Error advanceSequentially(ModuleOp module, Stage last, StageSettings settings, const SampleRange &samples);

/// Prunes a module of the stage precision: a share of each layer, or what the
/// global scope gives it.
llvm::Error pruneSequentially(ModuleOp module, const PruneWeightsOptions &options, const SampleRange &samples);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SEQUENTIALRECONSTRUCTION_H
