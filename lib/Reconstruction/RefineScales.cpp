//===- RefineScales.cpp - scales for levels that error feedback chose -------------===//
//
// Scales are first found for each weight by itself. Once the sweep has chosen the levels c of a row, E = (s c - w) H (s c - w)^T is a parabola of
// the scale, least at s = (c H w) / (c H c). With that scale the sweep chooses other levels, and so on while E falls.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir::halftone;

/// What the row's scale is to be multiplied by: (q H w) / (q H q), q = s c. H = P^T L L^T P.
static double fitFactor(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, const CholeskyFactor &hessian) {
  const int64_t dimension = hessian.order.size();
  std::vector<double> ofWeights(dimension, 0.0), ofLevels(dimension, 0.0);
  for (int64_t k = 0; k < dimension; ++k) {
    const double *factor = hessian.factor.data() + k * (k + 1) / 2;
    const double weight = weights[hessian.order[k]], level = levels[hessian.order[k]];
    for (int64_t j = 0; j <= k; ++j) {
      ofWeights[j] += factor[j] * weight;
      ofLevels[j] += factor[j] * level;
    }
  }
  double product = 0, square = 0;
  for (auto [weight, level] : llvm::zip_equal(ofWeights, ofLevels)) {
    product += weight * level;
    square += level * level;
  }
  return product / square;
}

void mlir::halftone::refineScales(llvm::ArrayRef<float> weights, llvm::MutableArrayRef<float> levels, llvm::MutableArrayRef<double> errors,
                                  int64_t first, const CholeskyFactor &hessian, WeightGrid &grid) {
  constexpr int kRounds = 3;
  constexpr double kWorthwhile = 1e-3;
  const int64_t dimension = hessian.order.size(), rows = errors.size();
  for (int round = 0; round < kRounds; ++round) {
    std::vector<float> before(rows);
    const int64_t ofRow = grid.group ? grid.groups : 0;
    const std::vector<uint8_t> choices = llvm::ArrayRef<uint8_t>(grid.choices).slice(first * ofRow, rows * ofRow).vec();
    for (int64_t row = 0; row < rows; ++row) {
      float &scale = grid.scales[first + row];
      before[row] = scale;
      const float fitted = scale * fitFactor(weights.slice(row * dimension, dimension), levels.slice(row * dimension, dimension), hessian);
      if (std::isnormal(fitted) && fitted > 0)
        scale = fitted;
    }
    std::vector<float> next = weights.vec();
    std::vector<double> nextErrors = roundGPTQ(next, first, hessian, grid);
    bool gained = false;
    for (int64_t row = 0; row < rows; ++row) {
      if (!(nextErrors[row] < errors[row])) {
        grid.scales[first + row] = before[row];
        std::copy_n(choices.begin() + row * ofRow, ofRow, grid.choices.begin() + (first + row) * ofRow);
        continue;
      }
      gained |= nextErrors[row] < errors[row] * (1 - kWorthwhile);
      errors[row] = nextErrors[row];
      std::copy_n(next.begin() + row * dimension, dimension, levels.begin() + row * dimension);
    }
    if (!gained)
      return;
  }
}
