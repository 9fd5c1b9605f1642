//===- FitLevels.cpp - a codebook for what error feedback made of the weights -----===//
//
// k-means fits levels to weights by themselves. Once the sweep has chosen a level for each, the layer's error is a quadratic function of the
// levels l,
//
//   sum over the rows of (s A l - w) H (s A l - w)^T,   A(j, c) = 1 where the weight j has the level c,
//
// which is least where (sum of s^2 A^T H A) l = sum of s A^T H w. Levels are integers of int8: what is solved for is rounded. The level 0
// stays: zeros of the weights are meant.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/FitLevels.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir::halftone;

LevelEquations::LevelEquations(const LevelSet &levels)
    : values(levels.levels().begin(), levels.levels().end()), squares(values.size() * values.size(), 0.0), products(values.size(), 0.0) {
  index.fill(-1);
  for (auto [i, value] : llvm::enumerate(values))
    index[value + 128] = i;
}

void LevelEquations::add(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, float scale, const CholeskyFactor &hessian) {
  const int64_t dimension = hessian.order.size(), count = values.size();
  // Rows of A^T L and w L, in the factor's order.
  std::vector<double> ofLevels(count * dimension, 0.0), ofWeights(dimension, 0.0);
  for (int64_t k = 0; k < dimension; ++k) {
    const double *factor = hessian.factor.data() + k * (k + 1) / 2;
    const int64_t column = hessian.order[k], level = index[static_cast<int>(std::nearbyint(levels[column] / scale)) + 128];
    const double weight = weights[column];
    double *sums = ofLevels.data() + level * dimension;
    for (int64_t j = 0; j <= k; ++j) {
      sums[j] += factor[j];
      ofWeights[j] += factor[j] * weight;
    }
  }
  for (int64_t a = 0; a < count; ++a) {
    const double *left = ofLevels.data() + a * dimension;
    for (int64_t j = 0; j < dimension; ++j)
      products[a] += scale * left[j] * ofWeights[j];
    for (int64_t b = 0; b <= a; ++b) {
      const double *right = ofLevels.data() + b * dimension;
      double sum = 0;
      for (int64_t j = 0; j < dimension; ++j)
        sum += left[j] * right[j];
      squares[a * count + b] += double(scale) * scale * sum;
    }
  }
}

void LevelEquations::merge(const LevelEquations &other) {
  for (auto [mine, others] : llvm::zip_equal(squares, other.squares))
    mine += others;
  for (auto [mine, others] : llvm::zip_equal(products, other.products))
    mine += others;
}

/// Solves M x = y for a symmetric positive definite M, whose lower triangle is given by rows; x replaces y.
static void solveInPlace(std::vector<double> &matrix, std::vector<double> &vector) {
  const size_t count = vector.size();
  for (size_t i = 0; i < count; ++i)
    for (size_t j = 0; j <= i; ++j) {
      double sum = matrix[i * count + j];
      for (size_t k = 0; k < j; ++k)
        sum -= matrix[i * count + k] * matrix[j * count + k];
      matrix[i * count + j] = i == j ? std::sqrt(sum) : sum / matrix[j * count + j];
    }
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < i; ++k)
      vector[i] -= matrix[i * count + k] * vector[k];
    vector[i] /= matrix[i * count + i];
  }
  for (size_t i = count; i-- > 0;) {
    for (size_t k = i + 1; k < count; ++k)
      vector[i] -= matrix[k * count + i] * vector[k];
    vector[i] /= matrix[i * count + i];
  }
}

std::vector<int8_t> LevelEquations::solve() const {
  const size_t count = values.size();
  std::vector<size_t> free; // but 0, and levels that no weight has
  for (size_t i = 0; i < count; ++i)
    if (values[i] != 0 && squares[i * count + i] > 0)
      free.push_back(i);
  std::vector<double> matrix(free.size() * free.size(), 0.0), solution(free.size());
  for (auto [row, i] : llvm::enumerate(free)) {
    for (size_t column = 0; column <= row; ++column)
      matrix[row * free.size() + column] = squares[i * count + free[column]];
    constexpr double kRidge = 1e-6; // towards the level that it was
    const double ridge = kRidge * squares[i * count + i];
    matrix[row * free.size() + row] += ridge;
    solution[row] = products[i] + ridge * values[i];
  }
  solveInPlace(matrix, solution);
  std::vector<int8_t> levels = values;
  for (auto [row, i] : llvm::enumerate(free))
    if (std::isfinite(solution[row]))
      levels[i] = std::clamp(std::nearbyint(solution[row]), -127.0, 127.0);
  return levels;
}
