//===- LeastSquaresTest.cpp - weights for what a layer reads now ----------------===//
#include "halftone/Reconstruction/LeastSquares.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// A matrix product of 4 inputs and one output, over random codes.
struct Product {
  explicit Product(unsigned seed) : random(seed) {
    patches.channels = 4;
    even.emplace(patches, 1, "key");
    odd.emplace(patches, 1, "key");
  }
  /// Adds samples with the target that a function has for the codes.
  template <typename Target>
  void fill(int samples, Target target) {
    for (int i = 0; i < samples; ++i) {
      std::vector<float> codes(4);
      for (float &code : codes)
        code = int(random() % 201) - 60;
      (i % 2 ? odd : even)->add(codes, {1, 4}, {static_cast<float>(target(codes))});
    }
  }

  std::mt19937 random;
  Patches patches;
  std::optional<LayerSums> even, odd;
};

const std::vector<float> kWeights{1, -2, 0.5f, 3};

double apply(const std::vector<float> &weights, const std::vector<float> &codes, double scale) {
  double sum = 0;
  for (size_t j = 0; j < codes.size(); ++j)
    sum += double(weights[j]) * codes[j] * scale;
  return sum;
}

} // namespace

TEST(LeastSquares, NothingToGainMovesNothing) {
  Product product(1);
  product.fill(200, [](auto codes) { return apply(kWeights, codes, 0.5); });
  MLIRContext context;
  std::vector<float> weights = kWeights;
  const std::vector<uint8_t> zero(4, 0);
  fitToTargets(&context, *product.even, *product.odd, {weights, zero, 0.5, false});
  for (size_t j = 0; j < 4; ++j)
    EXPECT_NEAR(weights[j], kWeights[j], 1e-4);
}

TEST(LeastSquares, HalfOfTheInputTwiceTheWeights) {
  // What is read is half of what it was: the targets are those of twice the codes.
  Product product(2);
  product.fill(400, [](auto codes) { return 2 * apply(kWeights, codes, 0.5) + 7; });
  MLIRContext context;
  std::vector<float> weights = kWeights;
  const std::vector<uint8_t> zero(4, 0);
  EXPECT_EQ(fitToTargets(&context, *product.even, *product.odd, {weights, zero, 0.5, true}), 0.01f);
  for (size_t j = 0; j < 4; ++j)
    EXPECT_NEAR(weights[j], 2 * kWeights[j], 0.05 * std::abs(kWeights[j])); // 1 % ridge
  LayerSums all = *product.even;
  all.merge(*product.odd);
  // The bias has what is left: the 7, and the little that the ridge costs at the codes' means.
  EXPECT_NEAR(missingMeans(all, weights, 0.5)[0], 7, 2);
  for (float &weight : weights)
    weight = 0;
  EXPECT_NEAR(missingMeans(all, weights, 0.5)[0], all.targetSum(0) / 400, 1e-9);
}

TEST(LeastSquares, ZerosStay) {
  Product product(3);
  product.fill(4000, [](auto codes) { return apply(kWeights, codes, 1.0); });
  MLIRContext context;
  std::vector<float> weights = kWeights;
  const std::vector<uint8_t> zero{0, 1, 0, 1};
  fitToTargets(&context, *product.even, *product.odd, {weights, zero, 1.0, false});
  EXPECT_EQ(weights[1], 0.0f);
  EXPECT_EQ(weights[3], 0.0f);
  EXPECT_NE(weights[0], kWeights[0]); // makes up for the others, as codes have a mean
}

TEST(LeastSquares, NoiseIsNotLearned) {
  // 6 samples for 4 weights, and targets that have nothing to do with the inputs.
  Product product(4);
  std::mt19937 noise(5);
  product.fill(6, [&](auto codes) { return apply(kWeights, codes, 1.0) + double(noise() % 4001) - 2000; });
  MLIRContext context;
  std::vector<float> weights = kWeights;
  const std::vector<uint8_t> zero(4, 0);
  EXPECT_EQ(fitToTargets(&context, *product.even, *product.odd, {weights, zero, 1.0, true}), 0.0f);
  EXPECT_EQ(weights, kWeights);
}

TEST(LeastSquares, NoSamples) {
  Product product(6);
  MLIRContext context;
  std::vector<float> weights = kWeights;
  const std::vector<uint8_t> zero(4, 0);
  EXPECT_EQ(fitToTargets(&context, *product.even, *product.odd, {weights, zero, 1.0, true}), 0.0f);
  EXPECT_EQ(weights, kWeights);
}
