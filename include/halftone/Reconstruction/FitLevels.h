//===- FitLevels.h - a codebook for what error feedback made of the weights -------===//
#ifndef HALFTONE_RECONSTRUCTION_FITLEVELS_H
#define HALFTONE_RECONSTRUCTION_FITLEVELS_H

#include "halftone/Reconstruction/Rounding.h"
#include <array>

namespace mlir::halftone {

/// The least squares problem of the levels, for the choices that the weights have made.
class LevelEquations {
public:
  explicit LevelEquations(const LevelSet &levels);

  /// Adds one output channel; `levels` are those of its weights times the scale.
  void add(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, float scale, const CholeskyFactor &hessian);
  void merge(const LevelEquations &other);
  /// The levels of least error, rounded, in the order of those that are given.
  std::vector<int8_t> solve() const;

private:
  std::vector<int8_t> values;
  std::array<int16_t, 256> index;       ///< of a value + 128
  std::vector<double> squares, products; ///< The lower triangle of the matrix, by rows of all columns, and the right side.
};

} // namespace mlir::halftone

#endif // HALFTONE_RECONSTRUCTION_FITLEVELS_H
