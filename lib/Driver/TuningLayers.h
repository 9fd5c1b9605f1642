//===- TuningLayers.h - Layers whose times tell a CPU's costs -------------===//
#ifndef HALFTONE_LIB_DRIVER_TUNINGLAYERS_H
#define HALFTONE_LIB_DRIVER_TUNINGLAYERS_H

#include <string>

namespace mlir::halftone {

/// What weights are: any codes; codes of at most 64 or 32; codes of 16 values,
/// which take 4 bits; codes of which five or nine in ten quads are zero; or floats.
enum class TuningWeights { Codes, UpTo64, UpTo32, Few, HalfSparse, Sparse, Floats };

inline bool isNarrow(TuningWeights weights) {
  return weights == TuningWeights::UpTo64 || weights == TuningWeights::UpTo32;
}

inline bool isSparse(TuningWeights weights) {
  return weights == TuningWeights::HalfSparse || weights == TuningWeights::Sparse;
}

/// A module of the integer stage, as text: layers on inputs of their own, from
/// codes to codes with requantization, or of floats. `set` 0: weights that stay
/// in L2; 1: weights from L3.
std::string makeTuningModule(int set, TuningWeights weights);

constexpr int kTuningSets = 2;

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TUNINGLAYERS_H
