//===- RefitTest.cpp - the kept weights solve their least squares problem ---===//
#include "halftone/Reconstruction/Refit.h"
#include "halftone/Reconstruction/Hessians.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir::halftone;

namespace {

/// X^T X of random rows whose neighbours are correlated, as a packed triangle.
std::vector<int64_t> makeTriangle(int64_t dimension, std::mt19937 &random) {
  std::vector<int64_t> triangle(triangleSize(dimension), 0), row(dimension);
  for (int sample = 0; sample < 200; ++sample) {
    for (int64_t j = 0; j < dimension; ++j)
      row[j] = static_cast<int64_t>(random() % 101) - 50 + (j ? row[j - 1] / 2 : 0);
    for (int64_t i = 0; i < dimension; ++i)
      for (int64_t j = 0; j <= i; ++j)
        triangle[i * (i + 1) / 2 + j] += row[i] * row[j];
  }
  return triangle;
}

/// The damped and scaled matrix of RefitMatrix, in double.
std::vector<double> makeMatrix(const std::vector<int64_t> &triangle, int64_t dimension) {
  double trace = 0;
  for (int64_t i = 0; i < dimension; ++i)
    trace += double(triangle[i * (i + 1) / 2 + i]);
  std::vector<double> matrix(dimension * dimension);
  for (int64_t i = 0; i < dimension; ++i)
    for (int64_t j = 0; j <= i; ++j)
      matrix[i * dimension + j] = matrix[j * dimension + i] =
          double(triangle[i * (i + 1) / 2 + j]) * double(dimension) / trace + (i == j ? 0.01 : 0.0);
  return matrix;
}

/// At the minimum the error's gradient vanishes for every weight that is kept: ((v - w) H)(j) = 0.
double largestGradient(const std::vector<double> &matrix, int64_t dimension, const float *v, const float *w, const uint8_t *zero) {
  double largest = 0;
  for (int64_t j = 0; j < dimension; ++j) {
    double gradient = 0;
    for (int64_t i = 0; i < dimension; ++i)
      gradient += (double(v[i]) - w[i]) * matrix[i * dimension + j];
    if (!zero[j])
      largest = std::max(largest, std::abs(gradient));
  }
  return largest;
}

} // namespace

TEST(Refit, GradientOfKeptWeightsVanishes) {
  std::mt19937 random(1);
  for (int64_t dimension : {1, 4, 17, 48}) {
    std::vector<int64_t> triangle = makeTriangle(dimension, random);
    std::vector<double> matrix = makeMatrix(triangle, dimension);
    const int64_t rows = 3;
    std::vector<float> original(rows * dimension), weights;
    std::vector<uint8_t> zero(rows * dimension);
    for (float &value : original)
      value = float(random() % 2001) / 1000 - 1;
    for (uint8_t &gone : zero)
      gone = random() % 2;
    weights = original;
    RefitMatrix(triangle, dimension).refit(weights, original, zero);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t at = row * dimension;
      EXPECT_LT(largestGradient(matrix, dimension, &weights[at], &original[at], &zero[at]), 1e-4);
      for (int64_t j = 0; j < dimension; ++j)
        if (zero[at + j])
          EXPECT_EQ(weights[at + j], 0.0f);
    }
  }
}

TEST(Refit, NothingPrunedChangesNothing) {
  std::mt19937 random(2);
  std::vector<int64_t> triangle = makeTriangle(9, random);
  std::vector<float> original(9, 0.5f), weights = original;
  RefitMatrix(triangle, 9).refit(weights, original, std::vector<uint8_t>(9, 0));
  EXPECT_EQ(weights, original);
}

TEST(Refit, NoInputAtAll) {
  std::vector<int64_t> triangle(triangleSize(5), 0);
  std::vector<float> original(5, 0.5f), weights = original;
  RefitMatrix(triangle, 5).refit(weights, original, {1, 0, 0, 0, 1});
  EXPECT_EQ(weights, (std::vector<float>{0, 0.5f, 0.5f, 0.5f, 0}));
}
