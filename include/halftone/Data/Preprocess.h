//===- Preprocess.h - From a picture's pixels to a model's input
//-----------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One line describes it, is recorded in the artefact, and is used alike by
// calibrate, run and compare:
//
//   NAME: u8|f32 nchw|nhwc rgb|bgr|gray resize=256 crop=224
//         mean=0.485,0.456,0.406 std=0.229,0.224,0.225 scale=255
//
// Resize: the shorter side becomes N pixels (the other follows), or exactly
// HxW. Crop: the middle N x N, or HxW. Then, for a float input and in f32:
//
//   x = (pixel / scale - mean[channel]) / std[channel]
//
// The layout is that of u8 arrays given instead of pictures, and decides for an
// input whose shape could be either. The element type u8 means that samples are
// stored as pixels; f32, that the model takes floats. What comes out always has
// the model's own type and shape.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_DATA_PREPROCESS_H
#define HALFTONE_DATA_PREPROCESS_H

#include "halftone/Data/Image.h"
#include "halftone/Data/Tensor.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace mlir::halftone {

/// The steps of one input's line.
struct Preprocess {
  enum class Layout { NCHW, NHWC };
  enum class Colour { RGB, BGR, Gray };

  /// Rows and columns; no rows means the shorter side has \p width pixels.
  struct Size {
    int64_t height = 0, width = 0;
  };

  std::string input;
  ElementType type = ElementType::U8; // U8 or F32.
  Layout layout = Layout::NHWC;
  Colour colour = Colour::RGB;
  std::optional<Size> resize, crop;
  llvm::SmallVector<float, 3> mean, std; // Empty, one, or one per channel.
  float scale = 255;

  int64_t numChannels() const { return colour == Colour::Gray ? 1 : 3; }

  /// Reads a line; the error lists all that is wrong in it.
  static llvm::Expected<Preprocess> parse(llvm::StringRef line);

  /// The canonical line: parse(print()) gives the same steps, and print()
  /// writes all of them, defaults too.
  std::string print() const;
};

/// Turns pictures into samples of one input.
class ImageConverter {
public:
  /// \p sampleShape is [C, H, W], [H, W, C] or [H, W]. Fails if the steps
  /// cannot produce it.
  static llvm::Expected<ImageConverter>
  create(const Preprocess &steps, ElementType type,
         llvm::ArrayRef<int64_t> sampleShape);

  const Preprocess &steps() const { return preprocess; }

  /// Fails if pictures of this size do not come out in the model's size.
  llvm::Error checkSize(ImageSize size) const;

  /// Writes one sample to \p sample. Fails if the size that comes out is not
  /// the model's.
  llvm::Error convert(const Image &image,
                      llvm::MutableArrayRef<char> sample) const;

private:
  /// Writes pixels of the final size in the model's type and layout.
  template <typename T, typename Convert>
  void store(const Image &image, T *sample, Convert convert) const;

  Preprocess preprocess;
  ElementType type = ElementType::F32;
  bool isPlanar = false; // [C, H, W].
  int64_t height = 0, width = 0;
};

} // namespace mlir::halftone

#endif // HALFTONE_DATA_PREPROCESS_H
