//===- ImageConverter.cpp - From a picture's pixels to a model's input
//-----===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Preprocess.h"
#include "halftone/Data/ProblemList.h"
#include <algorithm>
#include <cmath>

using namespace mlir::halftone;

/// A strip of one pixel's width would become millions of pixels long.
static constexpr int64_t kMaxSide = 1 << 17;

llvm::Expected<ImageConverter>
ImageConverter::create(const Preprocess &steps, ElementType type,
                       llvm::ArrayRef<int64_t> sampleShape) {
  ImageConverter converter;
  converter.preprocess = steps;
  converter.type = type;
  auto fail = [&](const llvm::Twine &why) {
    return makeError("input '" + steps.input + "' " + why);
  };
  if (type != ElementType::F32 && type != ElementType::U8)
    return fail("has elements of type " + elementName(type) +
                "; pictures become f32 or u8");
  if (type == ElementType::U8 && (steps.type == ElementType::F32 ||
                                  !steps.mean.empty() || !steps.std.empty()))
    return fail("has elements of type u8: f32, mean and std do not apply");

  int64_t channels = steps.numChannels();
  size_t rank = sampleShape.size();
  bool canBePlanar = rank == 3 && sampleShape[0] == channels;
  bool canBeInterleaved =
      (rank == 3 && sampleShape[2] == channels) || (rank == 2 && channels == 1);
  if (!canBePlanar && !canBeInterleaved)
    return fail("has samples of shape " + formatShape(sampleShape) +
                ", which are no pictures of " + llvm::Twine(channels) +
                (channels == 1 ? " channel" : " channels"));
  converter.isPlanar =
      canBePlanar &&
      (!canBeInterleaved || steps.layout == Preprocess::Layout::NCHW);
  converter.height = sampleShape[converter.isPlanar ? 1 : 0];
  converter.width = sampleShape[converter.isPlanar ? 2 : 1];
  return converter;
}

/// The size after the resize step. For the shorter side the longer one is
/// rounded down, as torchvision does.
static ImageSize resizedSize(ImageSize image, const Preprocess &steps) {
  if (!steps.resize)
    return image;
  if (steps.resize->height > 0)
    return {steps.resize->height, steps.resize->width};
  int64_t side = steps.resize->width;
  if (image.height <= image.width)
    return {side, std::max<int64_t>(side * image.width / image.height, 1)};
  return {std::max<int64_t>(side * image.height / image.width, 1), side};
}

/// The size after the crop step.
static ImageSize croppedSize(ImageSize image, const Preprocess &steps) {
  if (!steps.crop)
    return image;
  int64_t columns = steps.crop->width;
  return {steps.crop->height ? steps.crop->height : columns, columns};
}

static std::string formatSize(ImageSize size) {
  return std::to_string(size.height) + "x" + std::to_string(size.width);
}

llvm::Error ImageConverter::checkSize(ImageSize size) const {
  ImageSize resized = resizedSize(size, preprocess);
  ImageSize cropped = croppedSize(resized, preprocess);
  if (std::max(resized.height, resized.width) > kMaxSide)
    return makeError("is " + formatSize(size) +
                     " pixels, too narrow to be resized");
  if (cropped.height > resized.height || cropped.width > resized.width)
    return makeError("is " + formatSize(resized) +
                     " pixels, too small for a crop of " + formatSize(cropped) +
                     "; say resize= before it");
  if (cropped.height != height || cropped.width != width)
    return makeError("gives " + formatSize(cropped) +
                     " pixels, the model takes " + formatSize({height, width}) +
                     "; say resize= and crop= in its --input line");
  return llvm::Error::success();
}

template <typename T, typename Convert>
void ImageConverter::store(const Image &image, T *sample,
                           Convert convert) const {
  int64_t channels = image.channels, plane = height * width;
  bool isReversed = preprocess.colour == Preprocess::Colour::BGR;
  for (int64_t i = 0; i < plane; ++i)
    for (int64_t c = 0; c < channels; ++c) {
      uint8_t pixel =
          image.pixels[i * channels + (isReversed ? channels - 1 - c : c)];
      sample[isPlanar ? c * plane + i : i * channels + c] = convert(pixel, c);
    }
}

llvm::Error ImageConverter::convert(const Image &image,
                                    llvm::MutableArrayRef<char> sample) const {
  ImageSize whole = {image.height, image.width};
  if (llvm::Error error = checkSize(whole))
    return error;
  const Image *current = &image;
  Image resized, cropped;
  ImageSize size = resizedSize(whole, preprocess);
  if (size.height != image.height || size.width != image.width) {
    resized = resizeImage(image, size.height, size.width);
    current = &resized;
  }
  size = croppedSize(size, preprocess);
  if (size.height != current->height || size.width != current->width) {
    cropped = cropImage(*current, size.height, size.width);
    current = &cropped;
  }

  if (type == ElementType::U8) {
    store(*current, reinterpret_cast<uint8_t *>(sample.data()),
          [](uint8_t pixel, int64_t) { return pixel; });
    return llvm::Error::success();
  }
  auto valueOf = [](llvm::ArrayRef<float> list, int64_t c, float otherwise) {
    return list.empty() ? otherwise : list.size() == 1 ? list[0] : list[c];
  };
  store(*current, reinterpret_cast<float *>(sample.data()),
        [&](uint8_t pixel, int64_t c) {
          return (static_cast<float>(pixel) / preprocess.scale -
                  valueOf(preprocess.mean, c, 0.0f)) /
                 valueOf(preprocess.std, c, 1.0f);
        });
  return llvm::Error::success();
}
