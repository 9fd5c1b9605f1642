//===- SparseSweepTest.cpp - zeros and levels in one sweep ------------------------===//
#include "halftone/Reconstruction/Rounding.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir::halftone;

/// X^T X of correlated rows, whose later columns are larger.
static std::vector<int64_t> correlated(int64_t dimension, int64_t rows) {
  std::mt19937 random(5);
  std::vector<int64_t> triangle(dimension * (dimension + 1) / 2, 0);
  for (int64_t p = 0; p < rows; ++p) {
    int common = random() % 100;
    std::vector<int64_t> row(dimension);
    for (int64_t i = 0; i < dimension; ++i)
      row[i] = common + random() % (20 + i);
    for (int64_t i = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        triangle[i * (i + 1) / 2 + j] += row[i] * row[j];
  }
  return triangle;
}

static std::vector<float> randomWeights(int64_t count) {
  std::mt19937 random(6);
  std::vector<float> weights(count);
  for (float &weight : weights)
    weight = (int(random() % 2001) - 1000) / 200.0f;
  return weights;
}

TEST(SparseSweep, TheKeptWeightTakesOverTheError) {
  // H with 1 % of its mean diagonal added is [[101, 90], [90, 101]]. Zero in the second place costs 101 - 90^2 / 101, less than
  // in the first, 101; the first then minimizes 101 (v - 1)^2 - 2 * 90 (v - 1): v = 1 + 90 / 101.
  CholeskyFactor factor(std::vector<int64_t>{100, 90, 100});
  std::vector<float> weights = {1, 1};
  sweepSparse(weights, 0, factor, /*grid=*/nullptr, 0.5, 1);
  EXPECT_FLOAT_EQ(weights[0], 1 + 90.0f / 101);
  EXPECT_EQ(weights[1], 0);
}

TEST(SparseSweep, BlocksOfThatShareAreZeroAndTheRestIsOnTheGrid) {
  // More columns than one window.
  constexpr int64_t dimension = 168, outputs = 20, unit = 4;
  std::vector<int64_t> triangle = correlated(dimension, 400);
  const std::vector<float> all = randomWeights(dimension * outputs);
  const WeightGrid grid{LevelSet(7), std::vector<float>(outputs, 1.0f)};
  CholeskyFactor factor(triangle, unit);
  std::vector<float> swept = all;
  sweepSparse(swept, 0, factor, &grid, 0.5, unit);

  // Magnitudes decide, and nothing makes up for what is gone.
  std::vector<std::pair<double, int64_t>> order;
  for (int64_t begin = 0; begin < int64_t(all.size()); begin += unit) {
    double sum = 0;
    for (int64_t i = begin; i < begin + unit; ++i)
      sum += all[i] * all[i];
    order.emplace_back(sum, begin);
  }
  std::sort(order.begin(), order.end());
  std::vector<float> magnitude = all;
  for (size_t i = 0; i < order.size() / 2; ++i)
    std::fill_n(magnitude.begin() + order[i].second, unit, 0.0f);
  for (float &weight : magnitude)
    weight = std::clamp(std::nearbyint(weight), -7.0f, 7.0f);

  int64_t zeroBlocks = 0;
  double errors[2] = {};
  for (int64_t output = 0; output < outputs; ++output) {
    auto row = [&](const std::vector<float> &from) { return llvm::ArrayRef<float>(from).slice(output * dimension, dimension); };
    errors[0] += layerError(row(all), row(swept), triangle);
    errors[1] += layerError(row(all), row(magnitude), triangle);
    for (int64_t begin = 0; begin < dimension; begin += unit)
      zeroBlocks += llvm::all_of(row(swept).slice(begin, unit), [](float value) { return value == 0; });
  }
  for (float value : swept)
    EXPECT_EQ(value, std::clamp(std::nearbyint(value), -7.0f, 7.0f));
  EXPECT_GE(zeroBlocks, dimension / unit * outputs / 2);
  EXPECT_LT(zeroBlocks, dimension / unit * outputs / 2 + outputs); // blocks of zeros by rounding alone are rare
  EXPECT_LT(errors[0], 0.2 * errors[1]);
}

TEST(SparseSweep, NothingIsZeroForAShareOfZero) {
  constexpr int64_t dimension = 24;
  std::vector<int64_t> triangle = correlated(dimension, 50);
  WeightGrid grid{LevelSet(7), {1.0f}};
  std::vector<float> swept = randomWeights(dimension), rounded = swept;
  CholeskyFactor factor(triangle);
  sweepSparse(swept, 0, factor, &grid, 0, 1);
  roundGPTQ(rounded, 0, factor, grid);
  EXPECT_EQ(swept, rounded);
}
