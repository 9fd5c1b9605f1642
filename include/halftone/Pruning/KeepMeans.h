//===- KeepMeans.h - biases make up for pruned weights ----------------------===//
#ifndef HALFTONE_PRUNING_KEEPMEANS_H
#define HALFTONE_PRUNING_KEEPMEANS_H

#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Pruning/WeightRows.h"

namespace mlir::halftone {

/// Takes what the change from the `original` weights adds to the mean of each output channel out of the bias, where the
/// contraction has `halftone.channel_means` and a bias.
void keepMeans(const Sandwich &sandwich, const WeightRows &weights, ArrayRef<float> original);

/// Removes `halftone.channel_means` from all contractions.
void dropMeans(func::FuncOp function);

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_KEEPMEANS_H
