//===- ImageTest.cpp - Decoding, resizing and cropping
//---------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Image.h"
#include "TestFolder.h"

#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb/stb_image_write.h>
#pragma clang diagnostic pop

using namespace mlir::halftone;

void mlir::halftone::writePng(const std::string &path, const Image &image) {
  ASSERT_TRUE(stbi_write_png(path.c_str(), static_cast<int>(image.width),
                             static_cast<int>(image.height),
                             static_cast<int>(image.channels),
                             image.pixels.data(), 0));
}

void mlir::halftone::writeJpeg(const std::string &path, const Image &image) {
  ASSERT_TRUE(stbi_write_jpg(path.c_str(), static_cast<int>(image.width),
                             static_cast<int>(image.height),
                             static_cast<int>(image.channels),
                             image.pixels.data(), 95));
}

Image mlir::halftone::plainImage(int64_t height, int64_t width,
                                 std::vector<uint8_t> colour) {
  Image image(height, width, static_cast<int64_t>(colour.size()));
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = colour[i % colour.size()];
  return image;
}

using ImageTest = FolderTest;

TEST_F(ImageTest, PngIsExact) {
  Image image(5, 7, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * 31);
  writePng(at("x.png"), image);
  llvm::Expected<ImageSize> size = checkImage(at("x.png"));
  ASSERT_TRUE(bool(size)) << llvm::toString(size.takeError());
  EXPECT_EQ(size->height, image.height);
  EXPECT_EQ(size->width, image.width);
  llvm::Expected<Image> read = readImage(at("x.png"), 3);
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(5, read->height);
  EXPECT_EQ(7, read->width);
  EXPECT_EQ(image.pixels, read->pixels);
}

TEST_F(ImageTest, JpegIsClose) {
  writeJpeg(at("x.jpg"), plainImage(16, 24, {200, 100, 50}));
  llvm::Expected<Image> read = readImage(at("x.jpg"), 3);
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_NEAR(200, read->pixels[0], 3);
  EXPECT_NEAR(100, read->pixels[1], 3);
  EXPECT_NEAR(50, read->pixels[2], 3);
}

TEST_F(ImageTest, GrayAndColourConvert) {
  writePng(at("gray.png"), plainImage(2, 2, {77}));
  llvm::Expected<Image> colour = readImage(at("gray.png"), 3);
  ASSERT_TRUE(static_cast<bool>(colour));
  EXPECT_EQ(plainImage(2, 2, {77, 77, 77}).pixels, colour->pixels);

  writePng(at("white.png"), plainImage(2, 2, {255, 255, 255, 10}));
  llvm::Expected<Image> gray = readImage(at("white.png"), 1);
  ASSERT_TRUE(static_cast<bool>(gray));
  EXPECT_EQ(plainImage(2, 2, {255}).pixels, gray->pixels);
}

TEST_F(ImageTest, RefusesWhatIsNoWholePicture) {
  expectFailure(readImage(at("none.png"), 3), "none.png", "No such file");
  expectFailure(checkImage(writeText("text.png", "no picture")).takeError(),
                "text.png",
                "not a JPEG or PNG");
  Image image(64, 64, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i * i >> 3);
  writePng(at("x.png"), image);
  writeJpeg(at("x.jpg"), image);
  for (const char *name : {"x.png", "x.jpg"}) {
    std::string bytes = readText(at(name));
    for (size_t part : {bytes.size() / 4, bytes.size() / 2, bytes.size() - 5}) {
      std::string path =
          writeText(std::string("cut-") + name, bytes.substr(0, part));
      expectFailure(checkImage(path).takeError(), path);
      expectFailure(readImage(path, 3), path);
    }
  }
}

TEST_F(ImageTest, ResizeKeepsPlainColoursAndAveragesOthers) {
  Image plain = plainImage(40, 30, {9, 99, 199});
  EXPECT_EQ(plainImage(13, 57, {9, 99, 199}).pixels,
            resizeImage(plain, 13, 57).pixels);
  Image stripes(64, 64, 1); // Columns 0, 200, 0, 200: far above the new rate.
  for (size_t i = 0; i < stripes.pixels.size(); ++i)
    stripes.pixels[i] = i % 2 ? 200 : 0;
  for (uint8_t pixel : cropImage(resizeImage(stripes, 8, 8), 6, 6).pixels)
    EXPECT_NEAR(100, pixel, 1);
}

TEST_F(ImageTest, CropTakesTheMiddle) {
  Image image(6, 8, 1);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<uint8_t>(i);
  Image middle = cropImage(image, 2, 4);
  EXPECT_EQ(std::vector<uint8_t>({18, 19, 20, 21, 26, 27, 28, 29}),
            middle.pixels);
}

TEST_F(ImageTest, KnowsNames) {
  EXPECT_TRUE(isImageFile("a/b.JPG"));
  EXPECT_TRUE(isImageFile("b.jpeg"));
  EXPECT_TRUE(isImageFile("b.png"));
  EXPECT_FALSE(isImageFile("b.npy"));
  EXPECT_FALSE(isImageFile("png"));
}
