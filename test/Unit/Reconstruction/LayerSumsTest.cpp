//===- LayerSumsTest.cpp - sums of windows and targets against plain loops ------===//
#include "halftone/Reconstruction/LayerSums.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::halftone;

namespace {

struct Sums {
  std::vector<double> inputs, targets, products;
  int64_t count = 0;
};

/// The same sums by the definition, targets being whole numbers, so that every order of additions gives the same.
Sums expectedSums(const Patches &p, const std::vector<float> &x, std::array<int64_t, 3> extents, const std::vector<float> &y,
                  int64_t outputs) {
  const int64_t channels = p.groups * p.channels, perGroup = outputs / p.groups, dimension = p.dimension();
  Sums sums{std::vector<double>(p.groups * dimension, 0.0), std::vector<double>(outputs, 0.0),
            std::vector<double>(outputs * dimension, 0.0), 0};
  forEachPosition(p, extents, [&](int64_t n, int64_t row, int64_t column) {
    for (int64_t o = 0; o < outputs; ++o)
      sums.targets[o] += y[sums.count * outputs + o];
    for (int64_t i = 0; i < p.kernel[0]; ++i)
      for (int64_t j = 0; j < p.kernel[1]; ++j)
        for (int64_t c = 0; c < channels; ++c) {
          const int64_t r = row + i * p.dilations[0], s = column + j * p.dilations[1];
          const bool inside = r >= 0 && r < extents[1] && s >= 0 && s < extents[2];
          const double value = inside ? x[((n * extents[1] + r) * extents[2] + s) * channels + c] : 0;
          const int64_t group = c / p.channels, element = (i * p.kernel[1] + j) * p.channels + c % p.channels;
          sums.inputs[group * dimension + element] += value;
          for (int64_t o = group * perGroup; o < (group + 1) * perGroup; ++o)
            sums.products[o * dimension + element] += value * y[sums.count * outputs + o];
        }
    ++sums.count;
  });
  return sums;
}

void expectWindow(Patches patches, std::array<int64_t, 3> extents, int64_t outputs) {
  std::mt19937 random(11);
  std::vector<float> x(extents[0] * extents[1] * extents[2] * patches.groups * patches.channels);
  for (float &value : x)
    value = int(random() % 511) - 255;
  int64_t positions = 0;
  forEachPosition(patches, extents, [&](int64_t, int64_t, int64_t) { ++positions; });
  std::vector<float> y(positions * outputs);
  for (float &value : y)
    value = int(random() % 15) - 7;
  LayerSums sums(patches, outputs, "key");
  sums.add(x, {extents[0], extents[1], extents[2], patches.groups * patches.channels}, y);
  const Sums expected = expectedSums(patches, x, extents, y, outputs);
  EXPECT_EQ(sums.positions(), expected.count);
  for (int64_t g = 0; g < patches.groups; ++g)
    for (int64_t j = 0; j < patches.dimension(); ++j)
      EXPECT_EQ(double(sums.inputSums(g)[j]), expected.inputs[g * patches.dimension() + j]);
  for (int64_t o = 0; o < outputs; ++o) {
    EXPECT_EQ(sums.targetSum(o), expected.targets[o]);
    EXPECT_EQ(sums.products(o, /*centred=*/false),
              std::vector<double>(expected.products.begin() + o * patches.dimension(), expected.products.begin() + (o + 1) * patches.dimension()));
  }
}

} // namespace

TEST(LayerSums, Windows) {
  expectWindow({{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1, 5}, {2, 19, 17}, 11);
  expectWindow({{3, 2}, {2, 3}, {2, 1}, {0, 1}, {1, 2}, 1, 3}, {1, 11, 8}, 2);
  expectWindow({{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 3, 2}, {2, 8, 6}, 6);
  expectWindow({{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 6, 1}, {1, 20, 19}, 6);
  expectWindow({{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}, 4, 1}, {1, 5, 5}, 8); // two outputs for each channel
}

TEST(LayerSums, MeansTakenOut) {
  Patches product;
  product.channels = 2;
  LayerSums one(product, 1, "key"), other(product, 1, "key");
  one.add({1, 2}, {1, 2}, {3});
  other.add({3, 8}, {1, 2}, {5});
  one.merge(other);
  EXPECT_EQ(one.positions(), 2);
  // Means of inputs 2 and 5, of the target 4.
  EXPECT_EQ(one.centred().sums, (std::vector<int64_t>{2, 6, 18}));
  EXPECT_EQ(one.products(0, /*centred=*/true), (std::vector<double>{2, 6}));
}
