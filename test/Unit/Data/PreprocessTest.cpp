//===- PreprocessTest.cpp - The --input line
//-------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Preprocess.h"
#include "TestFolder.h"

using namespace mlir::halftone;

static Preprocess parsed(llvm::StringRef line) {
  llvm::Expected<Preprocess> steps = Preprocess::parse(line);
  EXPECT_TRUE(static_cast<bool>(steps)) << llvm::toString(steps.takeError());
  return steps ? *steps : Preprocess();
}

/// Converts one picture; expects success.
template <typename T>
static std::vector<T> converted(llvm::StringRef line, ElementType type,
                                Shape shape, const Image &image) {
  auto converter = ImageConverter::create(parsed(line), type, shape);
  EXPECT_TRUE(static_cast<bool>(converter))
      << llvm::toString(converter.takeError());
  Tensor sample("x", type, shape);
  expectSuccess(converter->convert(image, sample.bytes));
  return sample.values<T>().vec();
}

TEST(PreprocessTest, CanonicalLine) {
  llvm::StringRef line = "in:0: u8 nhwc rgb resize=256 crop=224 "
                         "mean=0.485,0.456,0.406 std=0.229,0.224,0.225 "
                         "scale=255";
  EXPECT_EQ(line, parsed(line).print());
  EXPECT_EQ("in:0", parsed(line).input);
  EXPECT_EQ(line, parsed("in:0:  scale=255 std=0.229,0.224,0.225 crop=224 rgb "
                         "mean=0.485,0.456,0.406  resize=256 nhwc u8 ")
                      .print());
  EXPECT_EQ("x: u8 nhwc rgb scale=255", parsed("x: u8").print());
  EXPECT_EQ("x: f32 nchw gray resize=30x40 crop=28x28 mean=0.5 scale=1",
            parsed("x: f32 nchw gray resize=30x40 crop=28x28 mean=0.5 scale=1")
                .print());
}

TEST(PreprocessTest, OneMessageNamesEveryMistake) {
  expectFailure(Preprocess::parse("x: u9 u8 f32 resize=big crop=0 mean=1,,2 "
                                  "std=1,2 scale=0 blur=3"),
                "'u9' is not known", "'f32' is an element type given again",
                "'resize=big' must be a number of pixels", "'crop=0'",
                "'mean=1,,2' must be numbers", "std has 2 numbers for 3",
                "'scale=0'", "'blur=3' is not known", "write 'NAME: ");
  expectFailure(Preprocess::parse("u8 nhwc rgb"), "no name of an input");
  expectFailure(Preprocess::parse(""), "no name of an input");
  expectFailure(Preprocess::parse("x: mean=nan,1,1"), "must be numbers");
  expectFailure(Preprocess::parse("x: std=0"), "std must be above 0");
}

TEST(PreprocessTest, MeansOfPixelsNeedAScale) {
  expectFailure(Preprocess::parse("x: mean=127.5 std=127.5"), "scale=1");
  EXPECT_EQ(1.0f, parsed("x: mean=127.5 std=127.5 scale=1").scale);
}

TEST(PreprocessTest, NormalizesIntoPlanes) {
  Image image(1, 2, 3);
  image.pixels = {255, 0, 51, 0, 102, 255};
  std::vector<float> values =
      converted<float>("x: u8 nhwc rgb mean=0.5,0.25,0 std=0.5,0.25,2",
                       ElementType::F32, {3, 1, 2}, image);
  std::vector<float> expected = {
      (255 / 255.0f - 0.5f) / 0.5f, (0 / 255.0f - 0.5f) / 0.5f,
      (0 / 255.0f - 0.25f) / 0.25f, (102 / 255.0f - 0.25f) / 0.25f,
      (51 / 255.0f - 0.0f) / 2.0f,  (255 / 255.0f - 0.0f) / 2.0f};
  EXPECT_EQ(expected, values);
}

TEST(PreprocessTest, InterleavedReversedBytes) {
  Image image(1, 2, 3);
  image.pixels = {1, 2, 3, 4, 5, 6};
  EXPECT_EQ(
      std::vector<uint8_t>({3, 2, 1, 6, 5, 4}),
      converted<uint8_t>("x: u8 nhwc bgr", ElementType::U8, {1, 2, 3}, image));
}

TEST(PreprocessTest, TheLayoutDecidesAnAmbiguousShape) {
  Image image(2, 3, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i);
  Image square(3, 3, 3);
  for (size_t i = 0; i < square.pixels.size(); ++i)
    square.pixels[i] = static_cast<uint8_t>(i);
  EXPECT_EQ(3, converted<uint8_t>("x: u8 nchw", ElementType::U8, {3, 3, 3},
                                  square)[1]);
  EXPECT_EQ(1, converted<uint8_t>("x: u8 nhwc", ElementType::U8, {3, 3, 3},
                                  square)[1]);
  EXPECT_EQ(3, converted<uint8_t>("x: u8 nhwc", ElementType::U8, {3, 2, 3},
                                  Image(3, 2, 3))
                       .size() /
                   6);
}

TEST(PreprocessTest, ShorterSideThenMiddle) {
  Image wide = plainImage(10, 40, {80});
  EXPECT_EQ(std::vector<float>(16, 80.0f),
            converted<float>("x: u8 gray resize=5 crop=4 scale=1",
                             ElementType::F32, {1, 4, 4}, wide));
  EXPECT_EQ(std::vector<uint8_t>(6 * 8, 80),
            converted<uint8_t>("x: u8 gray resize=6x8", ElementType::U8, {6, 8},
                               wide));
}

TEST(PreprocessTest, RefusesWhatCannotBecomeTheInput) {
  auto create = [](llvm::StringRef line, ElementType type, Shape shape) {
    return ImageConverter::create(parsed(line), type, shape).takeError();
  };
  expectFailure(create("x: u8 rgb", ElementType::I64, {3, 8, 8}), "i64");
  expectFailure(create("x: u8 rgb", ElementType::F32, {4, 8, 8}),
                "no pictures of 3 channels");
  expectFailure(create("x: u8 rgb", ElementType::F32, {10}), "[10]");
  expectFailure(create("x: u8 rgb mean=0.5", ElementType::U8, {3, 8, 8}),
                "mean and std do not apply");
  expectFailure(create("x: f32 rgb", ElementType::U8, {3, 8, 8}), "f32");
}

TEST(PreprocessTest, RefusesPicturesOfAnotherSize) {
  auto convert = [](llvm::StringRef line, const Image &image) {
    auto converter =
        ImageConverter::create(parsed(line), ElementType::U8, {8, 8, 3});
    EXPECT_TRUE(static_cast<bool>(converter));
    Tensor sample("x", ElementType::U8, {8, 8, 3});
    return converter->convert(image, sample.bytes);
  };
  expectFailure(convert("x: u8", Image(9, 10, 3)), "9x10", "8x8", "resize=");
  expectFailure(convert("x: u8 crop=8", Image(7, 10, 3)), "7x10", "too small");
  expectFailure(convert("x: u8 resize=8", Image(1, 100000, 3)), "too narrow");
}
