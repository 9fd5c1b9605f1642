//===- Image.h - Pictures: JPEG and PNG files as 8-bit pixels
//--------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_IMAGE_H
#define HALFTONE_DATA_IMAGE_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// Rows of pixels of 1 (gray) or 3 (red, green, blue) interleaved channels.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  Image(int64_t height, int64_t width, int64_t channels)
      : height(height), width(width), channels(channels),
        pixels(height * width * channels) {}
};

/// True for the file names of pictures: .jpg, .jpeg, .png, any case.
bool isImageFile(llvm::StringRef path);

/// Decodes a file. Alpha is dropped, 16 bits become 8, an orientation tag is
/// not applied. The error names the file.
llvm::Expected<Image> readImage(llvm::StringRef path, int64_t channels);

struct ImageSize {
  int64_t height = 0, width = 0;
};

/// Checks, without decoding, that a file is a picture and has its end: a
/// truncated JPEG decodes to a half-gray picture without any error.
llvm::Expected<ImageSize> checkImage(llvm::StringRef path);

/// Resizes with a triangle filter that widens when it shrinks (antialiased
/// bilinear, as image classifiers are trained with).
Image resizeImage(const Image &image, int64_t height, int64_t width);

/// The middle part. It must fit.
Image cropImage(const Image &image, int64_t height, int64_t width);

} // namespace mlir::halftone

#endif // HALFTONE_DATA_IMAGE_H
