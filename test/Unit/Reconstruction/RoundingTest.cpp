//===- RoundingTest.cpp - factors and roundings against their definitions --------===//
#include "halftone/Reconstruction/Rounding.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir::halftone;

static int64_t element(int64_t i, int64_t j) { return std::max(i, j) * (std::max(i, j) + 1) / 2 + std::min(i, j); }

/// X^T X of correlated rows.
static std::vector<int64_t> correlated(int64_t dimension, int64_t rows) {
  std::mt19937 random(3);
  std::vector<int64_t> triangle(dimension * (dimension + 1) / 2, 0);
  for (int64_t p = 0; p < rows; ++p) {
    int common = random() % 200;
    std::vector<int64_t> row(dimension);
    for (int64_t &value : row)
      value = common + random() % 40;
    for (int64_t i = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        triangle[element(i, j)] += row[i] * row[j];
  }
  return triangle;
}

static std::vector<float> randomWeights(int64_t count) {
  std::mt19937 random(4);
  std::vector<float> weights(count);
  for (float &weight : weights)
    weight = (int(random() % 2001) - 1000) / 200.0f;
  return weights;
}

/// The integers of [-7, 7] for each of the outputs.
static WeightGrid integers(int64_t outputs) { return {LevelSet(7), std::vector<float>(outputs, 1.0f)}; }

static float toInteger(float value) { return std::clamp(std::nearbyint(value), -7.0f, 7.0f); }

TEST(CholeskyFactor, ProductIsTheDampedHessian) {
  for (int64_t dimension : {1, 5, 64, 70, 330}) {
    std::vector<int64_t> triangle = correlated(dimension, 50);
    double mean = 0;
    for (int64_t i = 0; i < dimension; ++i)
      mean += double(triangle[element(i, i)]) / dimension;
    CholeskyFactor factor(triangle);
    for (int64_t i = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j) {
        double sum = 0;
        for (int64_t k = 0; k <= j; ++k)
          sum += factor.factor[element(i, k)] * factor.factor[element(j, k)];
        double expected = triangle[element(factor.order[i], factor.order[j])] + (i == j ? 0.01 * mean : 0);
        ASSERT_NEAR(sum, expected, 1e-9 * mean * 10);
      }
  }
}

TEST(CholeskyFactor, ZerosGiveNearestLevels) {
  CholeskyFactor factor(std::vector<int64_t>(6, 0));
  std::vector<float> weights = {0.4f, 1.6f, -2.4f};
  WeightGrid grid = integers(1);
  roundGPTQ(weights, 0, factor, grid);
  EXPECT_EQ(weights, (std::vector<float>{0, 2, -2}));
}

TEST(Rounding, ErrorFallsFromNearestToGPTQToDescent) {
  constexpr int64_t dimension = 72, outputs = 20;
  std::vector<int64_t> triangle = correlated(dimension, 300);
  std::vector<float> all = randomWeights(dimension * outputs), levels = all;
  WeightGrid grid = integers(outputs);
  roundGPTQ(levels, 0, CholeskyFactor(triangle), grid);
  double sums[3] = {};
  for (int64_t output = 0; output < outputs; ++output) {
    llvm::ArrayRef<float> weights = llvm::ArrayRef<float>(all).slice(output * dimension, dimension);
    std::vector<float> nearest;
    for (float weight : weights)
      nearest.push_back(toInteger(weight));
    std::vector<float> moved(levels.begin() + output * dimension, levels.begin() + (output + 1) * dimension);
    sums[0] += layerError(weights, nearest, triangle);
    sums[1] += layerError(weights, moved, triangle);
    descend(weights, moved, output, triangle, grid);
    sums[2] += layerError(weights, moved, triangle);
    // No single step is left that lowers the error.
    double least = layerError(weights, moved, triangle);
    for (int64_t j = 0; j < dimension; ++j)
      for (float step : {-1.0f, 1.0f}) {
        std::vector<float> other = moved;
        other[j] = toInteger(other[j] + step);
        EXPECT_GE(layerError(weights, other, triangle), least * (1 - 1e-9));
      }
  }
  EXPECT_LT(sums[1], 0.5 * sums[0]);
  EXPECT_LE(sums[2], sums[1]);
}

/// The error by the damped Hessian.
static double dampedError(llvm::ArrayRef<float> weights, llvm::ArrayRef<float> levels, const CholeskyFactor &factor) {
  double sum = 0;
  for (size_t j = 0; j < weights.size(); ++j) {
    double term = 0;
    for (size_t k = j; k < weights.size(); ++k)
      term += factor.factor[element(k, j)] * (double(levels[factor.order[k]]) - weights[factor.order[k]]);
    sum += term * term;
  }
  return sum;
}

TEST(Rounding, KeepsTheBoundOfPairs) {
  constexpr int64_t dimension = 71, outputs = 20;
  std::vector<int64_t> triangle = correlated(dimension, 300);
  std::vector<float> all = randomWeights(dimension * outputs), levels = all;
  WeightGrid grid{LevelSet(7, /*isPaired=*/true), std::vector<float>(outputs, 0.5f)};
  auto check = [&](llvm::ArrayRef<float> row) {
    int largest = 0;
    for (int64_t j = 0; j + 1 < dimension; j += 2) {
      EXPECT_EQ(row[j], std::clamp(std::nearbyint(row[j] * 2), -7.0f, 7.0f) / 2);
      largest = std::max(largest, int(std::abs(row[j] + row[j + 1]) * 2));
    }
    EXPECT_EQ(largest, 8);
  };
  roundGPTQ(levels, 0, CholeskyFactor(triangle), grid);
  double sums[2] = {};
  for (int64_t output = 0; output < outputs; ++output) {
    llvm::ArrayRef<float> weights = llvm::ArrayRef<float>(all).slice(output * dimension, dimension);
    llvm::MutableArrayRef<float> row = llvm::MutableArrayRef<float>(levels).slice(output * dimension, dimension);
    check(row);
    sums[0] += layerError(weights, row, triangle);
    descend(weights, row, output, triangle, grid);
    check(row);
    sums[1] += layerError(weights, row, triangle);
  }
  EXPECT_LT(sums[1], sums[0]);
}

TEST(RefineScales, FitsScalesToTheLevelsWhileTheErrorFalls) {
  constexpr int64_t dimension = 72, outputs = 20;
  const CholeskyFactor factor(correlated(dimension, 300));
  std::vector<float> all = randomWeights(dimension * outputs), levels = all;
  WeightGrid grid{LevelSet(3), std::vector<float>(outputs, 2.0f)};
  std::vector<double> errors = roundGPTQ(levels, 0, factor, grid), before = errors;
  const std::vector<float> scales = grid.scales;
  refineScales(all, levels, errors, 0, factor, grid);
  double sums[2] = {};
  for (int64_t output = 0; output < outputs; ++output) {
    llvm::ArrayRef<float> weights = llvm::ArrayRef<float>(all).slice(output * dimension, dimension);
    llvm::ArrayRef<float> row = llvm::ArrayRef<float>(levels).slice(output * dimension, dimension);
    EXPECT_NEAR(errors[output], dampedError(weights, row, factor), 1e-6 * before[output]);
    EXPECT_LE(errors[output], before[output]);
    EXPECT_EQ(errors[output] == before[output], grid.scales[output] == scales[output]);
    for (float level : row)
      EXPECT_EQ(level, grid.levels.nearest(level / grid.scales[output]) * grid.scales[output]) << "not on the grid";
    sums[0] += before[output];
    sums[1] += errors[output];
  }
  EXPECT_LT(sums[1], 0.9 * sums[0]);
}

TEST(CholeskyFactor, GroupsStandTogether) {
  CholeskyFactor factor(correlated(100, 50), 32);
  std::vector<int64_t> groups;
  for (int64_t column : factor.order)
    if (groups.empty() || groups.back() != column / 32)
      groups.push_back(column / 32);
  EXPECT_EQ(groups.size(), 4u);
}

TEST(Rounding, MultipliersOfGroupsAreChosenByTheLayersError) {
  // The second group is a tenth of the first.
  constexpr int64_t dimension = 72, outputs = 6, group = 32;
  std::vector<int64_t> triangle = correlated(dimension, 300);
  std::vector<float> all = randomWeights(dimension * outputs), diagonal(dimension);
  for (int64_t i = 0; i < dimension; ++i)
    diagonal[i] = triangle[element(i, i)];
  for (size_t i = 0; i < all.size(); ++i)
    if (i % dimension / group == 1)
      all[i] /= 10;
  RowsOfWeights rows{outputs, dimension, all, diagonal};
  FormatOfWeights format{*findWeightFormat("int4"), {Granularity::Group, group}};
  WeightGrid grid = chooseGrid(rows, format, WeightScales::Automatic), fixed = grid;
  EXPECT_GT(grid.multiplier(0, 0), 5 * grid.multiplier(0, group));
  std::vector<float> levels = all;
  roundGPTQ(levels, 0, CholeskyFactor(triangle, group), grid);
  double sums[2] = {};
  for (int64_t output = 0; output < outputs; ++output) {
    llvm::ArrayRef<float> weights = rows.row(output);
    std::vector<float> nearest;
    for (int64_t column = 0; column < dimension; ++column) {
      nearest.push_back(fixed.nearest(output, column, weights[column]));
      float level = levels[output * dimension + column];
      EXPECT_EQ(level, grid.nearest(output, column, level)) << "not on the grid";
    }
    sums[0] += layerError(weights, nearest, triangle);
    sums[1] += layerError(weights, llvm::ArrayRef<float>(levels).slice(output * dimension, dimension), triangle);
  }
  EXPECT_LT(sums[1], 0.5 * sums[0]);
}
