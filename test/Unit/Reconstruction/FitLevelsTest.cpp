//===- FitLevelsTest.cpp - a codebook for what error feedback made of the weights -===//
#include "halftone/Reconstruction/FitLevels.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir::halftone;

/// H = X^T X as a packed lower triangle.
static std::vector<int64_t> randomHessian(int64_t dimension) {
  std::mt19937 random(5);
  std::vector<int64_t> triangle(dimension * (dimension + 1) / 2, 0);
  for (int64_t sample = 0; sample < 4 * dimension; ++sample) {
    std::vector<int64_t> row(dimension);
    const int64_t common = random() % 50;
    for (int64_t &value : row)
      value = common + random() % 20;
    for (int64_t i = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        triangle[i * (i + 1) / 2 + j] += row[i] * row[j];
  }
  return triangle;
}

TEST(FitLevels, FindsTheLevelsThatTheWeightsHave) {
  // Weights that lie on levels: from other levels of the same order, the equations lead back, and 0 stays.
  constexpr int64_t dimension = 40, outputs = 6;
  const CholeskyFactor factor(randomHessian(dimension));
  const std::vector<int8_t> meant = {-90, -31, 0, 12, 77}, present = {-100, -20, 0, 20, 60};
  LevelEquations equations{LevelSet(present)}, second{LevelSet(present)};
  std::mt19937 random(6);
  for (int64_t output = 0; output < outputs; ++output) {
    const float scale = 0.01f * (output + 1);
    std::vector<float> weights, levels;
    for (int64_t column = 0; column < dimension; ++column) {
      const size_t level = random() % meant.size();
      weights.push_back(meant[level] * scale);
      levels.push_back(present[level] * scale);
    }
    (output % 2 ? second : equations).add(weights, levels, scale, factor);
  }
  equations.merge(second);
  EXPECT_EQ(equations.solve(), meant);
}

TEST(FitLevels, LevelsThatNoWeightHasStay) {
  const CholeskyFactor factor(randomHessian(3));
  LevelEquations equations{LevelSet(llvm::ArrayRef<int8_t>({-50, 0, 50, 100}))};
  equations.add({60.0f, 60.0f, 60.0f}, {50.0f, 50.0f, 50.0f}, 1, factor);
  EXPECT_EQ(equations.solve(), std::vector<int8_t>({-50, 0, 60, 100}));
}
