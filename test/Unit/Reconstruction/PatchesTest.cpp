//===- PatchesTest.cpp - Hessians of windows against plain loops ----------------===//
#include "halftone/Reconstruction/Patches.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::halftone;

/// The rows of each group as nested vectors, then sums of products.
static std::vector<int64_t> expectedSums(const Patches &p, const std::vector<float> &x, std::array<int64_t, 3> extents) {
  auto [n, h, w] = extents;
  int64_t channels = p.groups * p.channels;
  std::vector<int64_t> sums(p.groups * triangleSize(p.dimension()), 0);
  int64_t oh = (h + p.padLow[0] + p.padHigh[0] - (p.kernel[0] - 1) * p.dilations[0] - 1) / p.strides[0] + 1;
  int64_t ow = (w + p.padLow[1] + p.padHigh[1] - (p.kernel[1] - 1) * p.dilations[1] - 1) / p.strides[1] + 1;
  for (int64_t g = 0; g < p.groups; ++g)
    for (int64_t image = 0; image < n; ++image)
      for (int64_t y = 0; y < oh; ++y)
        for (int64_t z = 0; z < ow; ++z) {
          std::vector<int64_t> row;
          for (int64_t i = 0; i < p.kernel[0]; ++i)
            for (int64_t j = 0; j < p.kernel[1]; ++j)
              for (int64_t c = 0; c < p.channels; ++c) {
                int64_t r = y * p.strides[0] - p.padLow[0] + i * p.dilations[0];
                int64_t s = z * p.strides[1] - p.padLow[1] + j * p.dilations[1];
                bool inside = r >= 0 && r < h && s >= 0 && s < w;
                row.push_back(inside ? int64_t(x[((image * h + r) * w + s) * channels + g * p.channels + c]) : 0);
              }
          for (int64_t i = 0, at = g * triangleSize(p.dimension()); i < p.dimension(); ++i)
            for (int64_t j = 0; j <= i; ++j)
              sums[at++] += row[i] * row[j];
        }
  return sums;
}

static void expectWindow(Patches patches, std::array<int64_t, 3> extents) {
  std::mt19937 random(7);
  std::vector<float> x(extents[0] * extents[1] * extents[2] * patches.groups * patches.channels);
  for (float &value : x)
    value = int(random() % 511) - 255;
  HessianSum sum(patches, "key");
  sum.add(x, {extents[0], extents[1], extents[2], patches.groups * patches.channels});
  EXPECT_EQ(sum.take().sums, expectedSums(patches, x, extents));
}

TEST(Patches, Windows) {
  Patches dense{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 1, 5};
  expectWindow(dense, {2, 9, 7});
  Patches asymmetric{{3, 2}, {2, 3}, {2, 1}, {0, 1}, {1, 2}, 1, 3};
  expectWindow(asymmetric, {1, 11, 8});
  Patches grouped{{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}, 3, 2};
  expectWindow(grouped, {2, 8, 6});
  Patches depthwise{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}, 6, 1};
  expectWindow(depthwise, {1, 20, 19});
}

TEST(Patches, MatrixProduct) {
  Patches product;
  product.channels = 3;
  HessianSum sum(product, "key");
  sum.add({1, 2, 3, 4, 5, 6}, {2, 3});
  EXPECT_EQ(sum.take().sums, (std::vector<int64_t>{17, 22, 29, 27, 36, 45}));
}
