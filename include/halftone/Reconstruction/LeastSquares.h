//===- LeastSquares.h - weights for what a layer reads now --------------------===//
#ifndef HALFTONE_RECONSTRUCTION_LEASTSQUARES_H
#define HALFTONE_RECONSTRUCTION_LEASTSQUARES_H

#include "halftone/Reconstruction/LayerSums.h"
#include "mlir/IR/MLIRContext.h"

namespace mlir::halftone {

/// A layer's weights with what they are fitted to: rows x dimension, rows being output channels.
struct LayerToFit {
  llvm::MutableArrayRef<float> weights;
  llvm::ArrayRef<uint8_t> zero; ///< 1 for each weight that stays zero
  double inputScale = 1;        ///< of the codes
  bool hasBias = false;         ///< the means are the bias's, not the weights'
};

/// Moves the weights so that the squared error of the outputs falls, as far as they may: ridge regression, whose ridge pulls
/// to the weights as they are. The ridge is the one of a few with which each half of the samples has the least error on the
/// other; none at all moves if none makes it less. Returns the ridge as a share of the mean diagonal, 0 if the weights stay.
float fitToTargets(MLIRContext *context, const LayerSums &even, const LayerSums &odd, LayerToFit layer);

/// What the mean of each output channel lacks with these weights, or has too much below 0.
std::vector<double> missingMeans(const LayerSums &sums, llvm::ArrayRef<float> weights, double inputScale);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_LEASTSQUARES_H
