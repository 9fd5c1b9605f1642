//===- SmoothingErrorTest.cpp - expected errors against measured ones -------------===//
#include "halftone/Quantization/SmoothingError.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

/// E[max(x - bound, 0)^2] of a normal distribution, summed up in small steps.
static double integrateAbove(double mean, double deviation, double bound) {
  double sum = 0;
  const double step = deviation / 2000;
  for (double x = bound + step / 2; x < bound + 12 * deviation; x += step) {
    const double z = (x - mean) / deviation;
    sum += (x - bound) * (x - bound) * std::exp(-z * z / 2) / (deviation * std::sqrt(2 * M_PI)) * step;
  }
  return sum;
}

TEST(SmoothingError, SquaresAreOfMeanAndDeviation) {
  EXPECT_EQ((ChannelMoments{{-3, 0}, {3, 12}, {1, 6}}.squares()), (std::vector<double>{2, 40}));
  EXPECT_EQ((ChannelMoments{{-3, 0}, {3, 12}, {}}.squares()), (std::vector<double>{1, 4}));
}

TEST(SmoothingError, NothingIsCutOffInsideTheRange) {
  const ChannelMoments moments{{-1, 0}, {1, 8}, {}};
  // Steps of 1/255 of the range -1 to 1: of the divided channels, so channel 1 has steps eight times as large.
  const std::vector<double> errors = moments.errors({1, 8}, {-1, 1});
  const double step = 2.0 / 255;
  EXPECT_DOUBLE_EQ(errors[0], step * step / 12);
  EXPECT_DOUBLE_EQ(errors[1], 64 * step * step / 12);
}

TEST(SmoothingError, WhatARangeCutsOffIsThatOfANormalDistribution) {
  const ChannelMoments moments{{-6, -6}, {6, 6}, {0, 1}};
  const std::vector<double> errors = moments.errors({1, 1}, {-3, 4});
  const double rounding = 7.0 / 255 * (7.0 / 255) / 12;
  EXPECT_NEAR(errors[0], rounding + integrateAbove(0, 2, 4) + integrateAbove(0, 2, 3), 1e-6);
  EXPECT_NEAR(errors[1], rounding + integrateAbove(1, 2, 4) + integrateAbove(-1, 2, 3), 1e-6);
}

TEST(SmoothingError, ConstantChannelsAreCutOffAtTheirMean) {
  const ChannelMoments moments{{0}, {0}, {0}};
  EXPECT_EQ(moments.errors({1}, {0, 0}), std::vector<double>{0});
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

namespace {
constexpr int64_t kInputs = 24, kOutputs = 16, kRows = 4000;

/// A matrix product with weights [kInputs, kOutputs], and what it reads: normal channels, some much larger than others.
class ErrorOfProduct : public testing::Test {
protected:
  ErrorOfProduct() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect, linalg::LinalgDialect, tensor::TensorDialect>();
    module = parseSourceString<ModuleOp>(R"(
      func.func @main(%x: tensor<1x24xf32>, %w: tensor<24x16xf32>, %o: tensor<1x16xf32>) -> tensor<1x16xf32> {
        %y = linalg.matmul ins(%x, %w : tensor<1x24xf32>, tensor<24x16xf32>) outs(%o : tensor<1x16xf32>) -> tensor<1x16xf32>
        return %y : tensor<1x16xf32>
      })", &context);
    module->walk([&](linalg::MatmulOp op) { product = op; });
    std::normal_distribution<float> normal;
    for (int64_t i = 0; i < kInputs * kOutputs; ++i)
      weights.push_back(normal(random) * (i / kOutputs % 3 ? 1.0f : 0.1f));
    for (int64_t c = 0; c < kInputs; ++c)
      deviations.push_back(c % 8 == 0 ? 30.0f : 1.0f);
    for (int64_t i = 0; i < kRows * kInputs; ++i)
      rows.push_back(std::clamp(normal(random), -3.0f, 3.0f) * deviations[i % kInputs]);
    for (float deviation : deviations) {
      moments.lows.push_back(-3 * deviation);
      moments.highs.push_back(3 * deviation);
      moments.means.push_back(0);
    }
  }

  /// The squared error of the product relative to its square, with values divided by the factors and rounded to 255 steps of the range, and
  /// weights rounded by output channel, or by groups of it.
  double measure(ArrayRef<float> factors, float largest, WeightSteps steps = {}) {
    std::vector<double> rounded(weights.size());
    const int64_t width = steps.group ? steps.group : kInputs;
    for (int64_t o = 0; o < kOutputs; ++o)
      for (int64_t begin = 0; begin < kInputs; begin += width) {
        double most = 0;
        for (int64_t c = begin; c < begin + width; ++c)
          most = std::max(most, std::abs(double(weights[c * kOutputs + o])) * factors[c]);
        for (int64_t c = begin; c < begin + width; ++c)
          rounded[c * kOutputs + o] = std::nearbyint(weights[c * kOutputs + o] * factors[c] / most * steps.largest) * most / steps.largest;
      }
    const double step = 2 * double(largest) / 255;
    double error = 0, square = 0;
    for (int64_t r = 0; r < kRows; ++r)
      for (int64_t o = 0; o < kOutputs; ++o) {
        double exact = 0, coded = 0;
        for (int64_t c = 0; c < kInputs; ++c) {
          const double x = rows[r * kInputs + c];
          exact += x * weights[c * kOutputs + o];
          coded += std::nearbyint(x / factors[c] / step) * step * rounded[c * kOutputs + o];
        }
        error += (exact - coded) * (exact - coded);
        square += exact * exact;
      }
    return error / square;
  }

  double predict(ArrayRef<float> factors, float largest, WeightSteps steps = {}) {
    return predictError(weights, WeightChannels(product), moments.squares(), moments.errors(factors, {-largest, largest}), factors, steps);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Operation *product = nullptr;
  std::mt19937 random{7};
  std::vector<float> weights, deviations, rows;
  ChannelMoments moments;
};
} // namespace

TEST_F(ErrorOfProduct, IsMeasuredWithoutFactors) {
  const std::vector<float> ones(kInputs, 1);
  EXPECT_NEAR(predict(ones, 90) / measure(ones, 90), 1, 0.1);
}

TEST_F(ErrorOfProduct, IsMeasuredWithFewerBits) {
  const std::vector<float> ones(kInputs, 1);
  EXPECT_NEAR(predict(ones, 90, {7, 0}) / measure(ones, 90, {7, 0}), 1, 0.2);
  // The largest of a group is a code itself: one of 8 weights has no error, which the expectation does not know.
  EXPECT_NEAR(predict(ones, 90, {7, 8}) * 7 / 8 / measure(ones, 90, {7, 8}), 1, 0.2);
  EXPECT_LT(predict(ones, 90, {7, 8}), predict(ones, 90, {7, 0}));
}

TEST_F(ErrorOfProduct, IsMeasuredWithFactorsThatEvenOut) {
  // Small weights of channels that are not multiplied are 0 then, which errs by less than the mean of a step.
  EXPECT_NEAR(predict(deviations, 3) / measure(deviations, 3), 1, 0.2);
}

TEST_F(ErrorOfProduct, IsMeasuredWithFactorsInBetween) {
  std::vector<float> roots;
  for (float deviation : deviations)
    roots.push_back(std::sqrt(deviation));
  const float largest = 3 * std::sqrt(30.0f);
  EXPECT_NEAR(predict(roots, largest) / measure(roots, largest), 1, 0.1);
}

TEST_F(ErrorOfProduct, OfWhatNeverVariesIsNone) {
  moments = {std::vector<float>(kInputs, 0), std::vector<float>(kInputs, 0), {}};
  EXPECT_EQ(predict(std::vector<float>(kInputs, 1), 1), 0);
}
