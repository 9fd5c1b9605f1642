//===- RoundLayer.h - levels for the weights of one layer --------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_ROUNDLAYER_H
#define HALFTONE_RECONSTRUCTION_ROUNDLAYER_H

#include "halftone/Quantization/WeightGrid.h"
#include "halftone/Reconstruction/Hessians.h"

namespace mlir::halftone {

/// How levels are chosen.
struct LayerRounding {
  WeightRounding method;
  WeightScales scales;
  bool keepsZeros; ///< Weights that are 0 stay 0.
  double damping;
};

/// What the weights became.
struct RoundedLayer {
  WeightGrid grid;
  std::vector<float> rows; ///< On the grid.
  double error;            ///< Of all rows, by the damped Hessian, before AdaRound's descent.
};

/// Rounds the rows by error feedback, to the grid with the least error of those that the format may have.
RoundedLayer roundLayer(MLIRContext *context, const Hessian &hessian, const RowsOfWeights &weights, const FormatOfWeights &format,
                        const LayerRounding &how);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_ROUNDLAYER_H
