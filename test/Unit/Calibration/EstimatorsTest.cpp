//===- EstimatorsTest.cpp - estimators against closed forms -----------------===//
//
// Samples are quantiles of known distributions, so that the expected errors and the optimal ranges are known numbers:
// the step of a uniform distribution gives step^2 / 12, and the optimal clipping of Gaussian and Laplace distributions
// for 256 levels is tabulated (Banner et al., Post training 4-bit quantization, 2019, section 3: 3.92 sigma, 9.89 b).
//
//===----------------------------------------------------------------------===//
#include "halftone/Calibration/Estimators.h"
#include "llvm/ADT/bit.h"
#include "gtest/gtest.h"
#include <chrono>
#include <cmath>

using namespace mlir::halftone;

static ValueStatistics observe(const std::vector<float> &samples) {
  ValueStatistics value;
  value.minimum = INFINITY;
  value.maximum = -INFINITY;
  for (float sample : samples) {
    ++value.counts[llvm::bit_cast<uint32_t>(sample) >> 16];
    value.minimum = std::min(value.minimum, sample);
    value.maximum = std::max(value.maximum, sample);
  }
  return value;
}

/// Quantile i + 1/2 of n of a distribution, i = 0, ..., n - 1.
template <typename Quantile>
static std::vector<float> sample(int n, Quantile quantile) {
  std::vector<float> samples;
  for (int i = 0; i < n; ++i)
    samples.push_back(static_cast<float>(quantile((i + 0.5) / n)));
  return samples;
}

static double laplace(double p) { return p < 0.5 ? std::log(2 * p) : -std::log(2 - 2 * p); }

/// The inverse of the Gaussian distribution by bisection.
static double gaussian(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 60; ++i) {
    double middle = (low + high) / 2;
    (std::erfc(-middle / std::sqrt(2.0)) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// The mean squared error by quantizing each sample.
static double measure(const std::vector<float> &samples, RealRange range) {
  double step = (double(range.high) - range.low) / 255, first = std::round(range.low / step), sum = 0;
  for (float sample : samples) {
    double error = sample - std::clamp(std::nearbyint(sample / step), first, first + 255) * step;
    sum += error * error;
  }
  return sum / samples.size();
}

TEST(Estimators, MinMaxIsExactAndHoldsZero) {
  RealRange range = estimateMinMax(observe({0.3f, 1.7f}));
  EXPECT_EQ(range.low, 0.0f);
  EXPECT_EQ(range.high, 1.7f);
  range = estimateMinMax(observe({-3.3f, -0.1f}));
  EXPECT_EQ(range.low, -3.3f);
  EXPECT_EQ(range.high, 0.0f);
}

TEST(Estimators, NothingObserved) {
  for (RealRange range : {estimateMinMax({}), estimatePercentile({}, 99), estimateMeanSquaredError({})}) {
    EXPECT_EQ(range.low, 0.0f);
    EXPECT_EQ(range.high, 0.0f);
  }
  RealRange zeros = estimateMeanSquaredError(observe({0, 0, -0.0f}));
  EXPECT_EQ(zeros.low, 0.0f);
  EXPECT_EQ(zeros.high, 0.0f);
}

TEST(Estimators, NonFiniteValuesAreLeftOut) {
  ValueStatistics value = observe({-1, 2, INFINITY});
  value.counts[0x7FC0] = 3;
  EXPECT_EQ(value.nans(), 3);
  EXPECT_EQ(value.infinities(), 1);
  RealRange range = estimateMinMax(value);
  EXPECT_EQ(range.low, -1.0f);
  EXPECT_NEAR(range.high, 2, 2.0 / 128);
}

TEST(Estimators, PercentileOfUniform) {
  ValueStatistics value = observe(sample(100000, [](double p) { return 2 * p - 1; }));
  RealRange range = estimatePercentile(value, 99);
  EXPECT_NEAR(range.low, -0.98, 1e-4);
  EXPECT_NEAR(range.high, 0.98, 1e-4);
  range = estimatePercentile(value, 100);
  EXPECT_NEAR(range.low, -1, 1e-4);
  EXPECT_NEAR(range.high, 1, 1e-4);
}

TEST(Estimators, ErrorOfUniformIsStepSquaredOver12) {
  ValueStatistics value = observe(sample(1000000, [](double p) { return p; }));
  EXPECT_NEAR(expectedSquaredError(value, {0, 1}), 1.0 / (255 * 255 * 12), 1e-9);
  // Half of the values clipped: half of the rounding error, and the integral of (x - 1/2)^2 over [1/2, 1] = 1/24.
  EXPECT_NEAR(expectedSquaredError(value, {0, 0.5f}), 1.0 / 24 + 0.125 / (255 * 255 * 12), 1e-6);
}

TEST(Estimators, ExpectedErrorIsTheMeasuredError) {
  std::vector<float> samples = sample(200000, laplace);
  ValueStatistics value = observe(samples);
  for (RealRange range : {RealRange{-12, 12}, RealRange{-6, 9}, RealRange{-2, 2}, RealRange{0, 5}})
    EXPECT_NEAR(expectedSquaredError(value, range) / measure(samples, range), 1, 0.005);
}

TEST(Estimators, UniformIsNotClipped) {
  RealRange range = estimateMeanSquaredError(observe(sample(100000, [](double p) { return 3 * p; })));
  EXPECT_EQ(range.low, 0.0f);
  EXPECT_NEAR(range.high, 3, 0.03);
}

TEST(Estimators, ClampedValuesKeepTheirClamp) {
  // As behind ReLU6: much at 0, much at 6, little between.
  std::vector<float> samples = sample(100000, [](double p) { return std::clamp(20 * p - 7, 0.0, 6.0); });
  RealRange range = estimateMeanSquaredError(observe(samples));
  EXPECT_EQ(range.low, 0.0f);
  EXPECT_NEAR(range.high, 6, 0.03);
}

TEST(Estimators, GaussianIsClippedNearItsOptimum) {
  std::vector<float> samples = sample(1000000, gaussian);
  ValueStatistics value = observe(samples);
  RealRange best = estimateMeanSquaredError(value);
  EXPECT_NEAR(best.low, -3.92, 0.15);
  EXPECT_NEAR(best.high, 3.92, 0.15);
  EXPECT_LT(measure(samples, best), measure(samples, estimateMinMax(value)));
}

TEST(Estimators, LaplaceIsClippedNearItsOptimum) {
  std::vector<float> samples = sample(1000000, laplace);
  RealRange best = estimateMeanSquaredError(observe(samples));
  EXPECT_NEAR(best.low, -9.89, 0.4);
  EXPECT_NEAR(best.high, 9.89, 0.4);
}

TEST(Estimators, MeanSquaredErrorIsFast) {
  ValueStatistics value = observe(sample(1000000, laplace));
  auto begin = std::chrono::steady_clock::now();
  estimateMeanSquaredError(value);
  auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_LT(milliseconds, 100) << "20 ms on an idle core";
}

TEST(Estimators, MeanOfExtremaIsThatOfTheRuns) {
  Statistics statistics;
  statistics.values = {observe({-3.0f, 5.0f})};
  statistics.addRun({-1.0f, 5.0f});
  statistics.addRun({-3.0f, 2.5f});
  RealRange range = estimateMeanExtrema(statistics.values[0], statistics.runs);
  EXPECT_EQ(range.low, -2.0f);
  EXPECT_EQ(range.high, 3.75f);
  // Runs that saw nothing finite add nothing; without runs the extrema stand.
  EXPECT_EQ(estimateMeanExtrema(statistics.values[0], 0).high, 5.0f);
  statistics.addRun({INFINITY, -INFINITY});
  statistics.addRun({-4.0f, 4.5f});
  EXPECT_EQ(estimateMeanExtrema(statistics.values[0], statistics.runs).high, 3.0f);
}

TEST(Estimators, EntropyKeepsAUniformAndCutsARareTail) {
  std::vector<float> samples = sample(100000, [](double p) { return 4 * p - 2; });
  RealRange whole = estimateEntropy(observe(samples));
  EXPECT_NEAR(whole.low, -2, 0.05);
  EXPECT_NEAR(whole.high, 2, 0.05);
  samples = sample(100000, laplace);
  samples.push_back(200);
  RealRange cut = estimateEntropy(observe(samples));
  EXPECT_LT(cut.high, 150);
  EXPECT_GE(cut.high, 10);
}

TEST(Estimators, MeanErrorIsThatOfWhatIsCutOff) {
  std::vector<float> samples = sample(100000, [](double p) { return p; });
  // Above 0.75 the mean excess is 0.125, for a quarter of the elements; rounding itself moves no mean.
  EXPECT_NEAR(expectedError(observe(samples), {0, 0.75f}).mean, -0.125 / 4, 1e-5);
  EXPECT_NEAR(expectedError(observe(samples), {0, 1}).mean, 0, 1e-5);
  EXPECT_NEAR(expectedError(observe(sample(100000, [](double p) { return -2 * p; })), {-1, 0}).mean, 0.25, 1e-4);
}

TEST(Estimators, ReadersOfMeansCutOffLess) {
  // Of one sign, so that no cut balances another.
  ValueStatistics half = observe(sample(20000, [](double p) { return -std::log(1 - p); }));
  RealRange alone = estimateMeanSquaredError(half), summed = estimateMeanSquaredError(half, 1000);
  EXPECT_GT(summed.high, alone.high);
  EXPECT_LT(std::abs(expectedError(half, summed).mean), std::abs(expectedError(half, alone).mean));
}
