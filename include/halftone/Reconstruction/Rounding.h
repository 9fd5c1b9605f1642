//===- Rounding.h - levels that minimize a layer's squared error --------------===//
//
// For one output channel the error is E(q) = (q - w) H (q - w)^T. The methods know a format by its grid only, the nearest
// point of a weight, so they work for all: uniform, by group, codebook, logarithmic.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_ROUNDING_H
#define HALFTONE_RECONSTRUCTION_ROUNDING_H

#include "halftone/Quantization/WeightGrid.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// H = P^T L L^T P: `factor` is L as a packed lower triangle, of the Hessian whose row i is row order[i] of the given
/// one, ordered by ascending diagonal; with groups, those of one group stand together, the groups in the order of their
/// largest diagonals. A share of the mean diagonal, `damping`, is added to the diagonal, so that L exists.
struct CholeskyFactor {
  std::vector<int64_t> order;
  std::vector<double> factor;

  explicit CholeskyFactor(llvm::ArrayRef<int64_t> triangle, int64_t group = 0, double damping = 0.01);
};

/// GPTQ: replaces the weights of the output channels first, first + 1, ... (rows of `weights`, rows x dimension) by points
/// of the grid. Multipliers of groups are chosen anew, those of these output channels only. Returns the E of each, by the damped
/// Hessian.
std::vector<double> roundGPTQ(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian, WeightGrid &grid);

/// Fits the scales of these output channels to the levels that they have, by E, and rounds again; what has a smaller E stays. `levels` and
/// `errors` are what roundGPTQ made of the weights.
void refineScales(llvm::ArrayRef<float> weights, llvm::MutableArrayRef<float> levels, llvm::MutableArrayRef<double> errors, int64_t first,
                  const CholeskyFactor &hessian, WeightGrid &grid);

/// SparseGPT: the same, and that share of the units of all rows becomes zero: single columns, or `unit` neighbours of which the
/// factor keeps the columns together. Without a grid, weights that are kept are real numbers, which make up for the others.
void sweepSparse(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian, const WeightGrid *grid,
                 double share, int64_t unit);

/// AdaRound-type descent: moves single weights of one output channel as long as E falls, from where they are.
void descend(llvm::ArrayRef<float> weights, llvm::MutableArrayRef<float> levels, int64_t output,
             llvm::ArrayRef<int64_t> triangle, const WeightGrid &grid);

/// E(levels), for one output channel.
double layerError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, llvm::ArrayRef<int64_t> triangle);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_ROUNDING_H
