//===- Image.cpp - Pictures: JPEG and PNG files as 8-bit pixels
//------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/Image.h"
#include "halftone/Data/ProblemList.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <climits>
#include <cstring>

#define STBI_NO_STDIO
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

using namespace mlir::halftone;

/// Pictures above this are refused before they are decoded (400 megapixels).
static constexpr int64_t kMaxPixels = 400'000'000;

bool mlir::halftone::isImageFile(llvm::StringRef path) {
  llvm::StringRef extension = llvm::sys::path::extension(path);
  return extension.equals_insensitive(".jpg") ||
         extension.equals_insensitive(".jpeg") ||
         extension.equals_insensitive(".png");
}

static llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readFile(llvm::StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer)
    return makeError("cannot read '" + path +
                     "': " + buffer.getError().message());
  if ((*buffer)->getBufferSize() > INT_MAX)
    return makeError("'" + path + "' is larger than 2 GB");
  return std::move(*buffer);
}

/// True when a JPEG stream has its end marker. Segments before the scans are
/// stepped over by their lengths, because a thumbnail has an end of its own.
static bool hasJpegEnd(llvm::StringRef bytes) {
  constexpr uint8_t startOfScan = 0xda;
  size_t offset = 2;
  while (offset + 4 <= bytes.size()) {
    uint8_t marker = bytes[offset + 1];
    if (uint8_t(bytes[offset]) != 0xff)
      return false;
    if (marker == 0xff) { // Padding.
      ++offset;
      continue;
    }
    if (marker == startOfScan)
      return bytes.find("\xff\xd9", offset) != llvm::StringRef::npos;
    offset +=
        2 + (uint8_t(bytes[offset + 2]) << 8 | uint8_t(bytes[offset + 3]));
  }
  return false;
}

static bool isTruncated(llvm::StringRef bytes) {
  if (bytes.starts_with("\x89PNG"))
    return !bytes.take_back(4096).contains("IEND");
  return bytes.starts_with("\xff\xd8") && !hasJpegEnd(bytes);
}

static llvm::Expected<ImageSize> checkBytes(llvm::StringRef path, llvm::StringRef bytes) {
  int width = 0, height = 0, channels = 0;
  auto *data = reinterpret_cast<const stbi_uc *>(bytes.data());
  auto size = static_cast<int>(bytes.size());
  if (!stbi_info_from_memory(data, size, &width, &height, &channels))
    return makeError("'" + path + "' is not a JPEG or PNG picture: " +
                     stbi_failure_reason());
  if (int64_t(width) * height > kMaxPixels)
    return makeError("'" + path + "' has more than " + llvm::Twine(kMaxPixels) +
                     " pixels");
  if (isTruncated(bytes))
    return makeError("'" + path + "' is truncated");
  return ImageSize{height, width};
}

llvm::Expected<ImageSize> mlir::halftone::checkImage(llvm::StringRef path) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  return checkBytes(path, (*buffer)->getBuffer());
}

llvm::Expected<Image> mlir::halftone::readImage(llvm::StringRef path,
                                                int64_t channels) {
  auto buffer = readFile(path);
  if (!buffer)
    return buffer.takeError();
  llvm::StringRef bytes = (*buffer)->getBuffer();
  if (auto size = checkBytes(path, bytes); !size)
    return size.takeError();
  int width = 0, height = 0, stored = 0;
  stbi_uc *pixels =
      stbi_load_from_memory(reinterpret_cast<const stbi_uc *>(bytes.data()),
                            static_cast<int>(bytes.size()), &width, &height,
                            &stored, static_cast<int>(channels));
  if (!pixels)
    return makeError("cannot decode '" + path + "': " + stbi_failure_reason());
  auto release = llvm::scope_exit([&] { stbi_image_free(pixels); });
  Image image(height, width, channels);
  memcpy(image.pixels.data(), pixels, image.pixels.size());
  return image;
}

Image mlir::halftone::resizeImage(const Image &image, int64_t height,
                                  int64_t width) {
  Image resized(height, width, image.channels);
  stbir_resize_uint8_generic(
      image.pixels.data(), static_cast<int>(image.width),
      static_cast<int>(image.height), 0, resized.pixels.data(),
      static_cast<int>(width), static_cast<int>(height), 0,
      static_cast<int>(image.channels), STBIR_ALPHA_CHANNEL_NONE, 0,
      STBIR_EDGE_CLAMP, STBIR_FILTER_TRIANGLE, STBIR_COLORSPACE_LINEAR,
      nullptr);
  return resized;
}

Image mlir::halftone::cropImage(const Image &image, int64_t height,
                                int64_t width) {
  Image cropped(height, width, image.channels);
  int64_t top = (image.height - height) / 2, left = (image.width - width) / 2;
  for (int64_t row = 0; row < height; ++row)
    memcpy(&cropped.pixels[row * width * image.channels],
           &image.pixels[((top + row) * image.width + left) * image.channels],
           width * image.channels);
  return cropped;
}
