//===- DataStatisticsTest.cpp - Against closed forms
//-----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/DataStatistics.h"
#include "TestFolder.h"
#include <cmath>

using namespace mlir::halftone;

using DataStatisticsTest = FolderTest;

static bool mentions(const InputStatistics &input, llvm::StringRef text) {
  return llvm::any_of(input.warnings(), [&](const std::string &warning) {
    return llvm::StringRef(warning).contains(text);
  });
}

TEST_F(DataStatisticsTest, MomentsOfConsecutiveNumbers) {
  // 0 ... n-1: mean (n-1)/2, variance (n^2-1)/12; chunks of any size.
  constexpr int64_t n = 4096;
  Tensor all = countingTensor<float>("x", ElementType::F32, {n / 8, 8});
  InputStatistics whole("x", ElementType::F32), chunked("x", ElementType::F32);
  whole.add(all);
  for (int64_t i = 0; i < n / 8; i += 4) {
    Tensor part("x", ElementType::F32, {4, 8});
    std::copy_n(all.bytes.begin() + i * 32, 128, part.bytes.begin());
    chunked.add(part);
  }
  for (const InputStatistics *input : {&whole, &chunked}) {
    EXPECT_EQ(0, input->minimum());
    EXPECT_EQ(n - 1, input->maximum());
    EXPECT_NEAR((n - 1) / 2.0, input->mean(), 1e-9);
    EXPECT_NEAR(std::sqrt((double(n) * n - 1) / 12), input->deviation(), 1e-9);
    EXPECT_EQ(n / 8, input->numSamples());
  }
}

TEST_F(DataStatisticsTest, NoCancellationFarFromZero) {
  Tensor tensor("x", ElementType::I64, {2, 2});
  int64_t base = int64_t(1) << 40;
  for (auto [i, value] : llvm::enumerate(tensor.values<int64_t>()))
    value = base + static_cast<int64_t>(i % 2);
  InputStatistics input("x", ElementType::I64);
  input.add(tensor);
  EXPECT_DOUBLE_EQ(0.5, input.deviation());
  EXPECT_TRUE(mentions(input, "only 2 samples"));
  EXPECT_EQ(1u, input.warnings().size());
}

TEST_F(DataStatisticsTest, LeavesOutWhatMasksHide) {
  Tensor tensor("mask", ElementType::F32, {32, 4});
  for (auto [i, value] : llvm::enumerate(tensor.values<float>()))
    value = i % 4 == 3 ? -INFINITY : static_cast<float>(i % 4);
  InputStatistics input("mask", ElementType::F32);
  input.add(tensor);
  EXPECT_EQ(0, input.minimum());
  EXPECT_EQ(2, input.maximum());
  EXPECT_NEAR(1, input.mean(), 1e-12);
  EXPECT_NEAR(std::sqrt(2.0 / 3), input.deviation(), 1e-12);
  EXPECT_TRUE(llvm::StringRef(input.summary())
                  .ends_with(", 32 of 128 elements -inf"));
}

TEST_F(DataStatisticsTest, WarnsOfPixels) {
  Tensor tensor("x", ElementType::F32, {32, 4});
  for (auto [i, value] : llvm::enumerate(tensor.values<float>()))
    value = static_cast<float>(i * 37 % 256);
  InputStatistics pixels("x", ElementType::F32);
  pixels.add(tensor);
  EXPECT_EQ(1u, pixels.warnings().size());
  EXPECT_TRUE(mentions(pixels, "whole numbers from 0 to 255"));

  for (float &value : tensor.values<float>())
    value = value / 2 - 70;
  InputStatistics large("x", ElementType::F32);
  large.add(tensor);
  EXPECT_TRUE(mentions(large, "values up to 70"));

  for (float &value : tensor.values<float>())
    value /= 70;
  InputStatistics good("x", ElementType::F32);
  good.add(tensor);
  EXPECT_TRUE(good.warnings().empty());
}

TEST_F(DataStatisticsTest, WarnsOfConstantSamples) {
  Tensor tensor("x", ElementType::F32, {40, 2});
  for (int64_t i = 0; i < 40; ++i)
    tensor.values<float>()[2 * i] = i == 7 || i == 9 ? 0.0f : 0.5f;
  InputStatistics input("x", ElementType::F32);
  input.add(tensor);
  EXPECT_EQ(1u, input.warnings().size());
  EXPECT_TRUE(mentions(input, "constant in samples 7, 9"));
}

TEST_F(DataStatisticsTest, PrintsALineForEachInput) {
  Tensor tensor = countingTensor<float>("x", ElementType::F32, {11, 2});
  expectSuccess(writeNpz(at("x.npz"), {tensor}));
  auto dataset = loadDataset(at("x.npz"), {{"x", ElementType::F32, {-1, 2}}});
  ASSERT_TRUE(static_cast<bool>(dataset));
  auto statistics = computeStatistics(**dataset);
  ASSERT_TRUE(static_cast<bool>(statistics));
  std::string text;
  llvm::raw_string_ostream stream(text);
  printStatistics(*statistics, stream);
  EXPECT_NE(std::string::npos,
            text.find("input 'x' (f32): 11 samples, min 0, mean 10.5, max 21, "
                      "deviation 6.344\n"))
      << text;
  EXPECT_NE(std::string::npos, text.find("warning: input 'x' has only 11"));
}
