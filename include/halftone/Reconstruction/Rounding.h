//===- Rounding.h - levels that minimize a layer's squared error --------------===//
//
// For one output channel the error is E(q) = (q - w) H (q - w)^T. The methods know a format by one function only, the
// nearest level of a weight, so they work for every grid: uniform, by group, codebook, logarithmic.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_RECONSTRUCTION_ROUNDING_H
#define HALFTONE_RECONSTRUCTION_ROUNDING_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// The level of a format nearest to a value, for the weight `column` of output channel `output`. Called from several
/// threads.
using NearestLevel = llvm::function_ref<float(int64_t output, int64_t column, double value)>;

/// H = P^T L L^T P: `factor` is L as a packed lower triangle, of the Hessian whose row i is row order[i] of the given
/// one, ordered by ascending diagonal. 1 % of the mean diagonal is added to the diagonal, so that L exists.
struct CholeskyFactor {
  std::vector<int64_t> order;
  std::vector<double> factor;

  explicit CholeskyFactor(llvm::ArrayRef<int64_t> triangle);
};

/// GPTQ: replaces the weights of the output channels first, first + 1, ... (rows of `weights`, rows x dimension) by
/// levels.
void roundGPTQ(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian, NearestLevel nearest);

/// AdaRound-type descent: moves single levels of one output channel as long as E falls, from where they are.
void descend(llvm::ArrayRef<float> weights, llvm::MutableArrayRef<float> levels, int64_t output,
             llvm::ArrayRef<int64_t> triangle, NearestLevel nearest);

/// E(levels), for one output channel.
double layerError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, llvm::ArrayRef<int64_t> triangle);

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_ROUNDING_H
