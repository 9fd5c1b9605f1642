//===- SampleSource.cpp - The samples of one input, wherever they are stored
//-===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Data/SampleSource.h"
#include <cstring>

using namespace mlir::halftone;

namespace {
class TensorSource : public SampleSource {
public:
  explicit TensorSource(Tensor tensor) : tensor(std::move(tensor)) {}

  int64_t size() const override { return tensor.shape[0]; }

  llvm::Error read(int64_t index, llvm::MutableArrayRef<char> sample) override {
    memcpy(sample.data(), tensor.bytes.data() + index * sample.size(),
           sample.size());
    return llvm::Error::success();
  }

private:
  Tensor tensor;
};

/// \p File: NpyFile or NpzArray.
template <typename File> class ArraySource : public SampleSource {
public:
  explicit ArraySource(std::unique_ptr<File> file) : file(std::move(file)) {}

  int64_t size() const override { return file->header().shape[0]; }

  llvm::Error read(int64_t index, llvm::MutableArrayRef<char> sample) override {
    return file->read(index * static_cast<int64_t>(sample.size()), sample);
  }

private:
  std::unique_ptr<File> file;
};

class NpyFolderSource : public SampleSource {
public:
  explicit NpyFolderSource(std::vector<std::string> paths)
      : paths(std::move(paths)) {}

  int64_t size() const override { return static_cast<int64_t>(paths.size()); }

  llvm::Error read(int64_t index, llvm::MutableArrayRef<char> sample) override {
    auto file = NpyFile::open(paths[index]);
    if (!file)
      return file.takeError();
    if ((*file)->header().tensorBytes() != static_cast<int64_t>(sample.size()))
      return makeError("'" + paths[index] + "' has changed");
    return (*file)->read(0, sample);
  }

private:
  std::vector<std::string> paths;
};

class ImageSource : public SampleSource {
public:
  ImageSource(std::vector<std::string> paths, ImageConverter converter)
      : paths(std::move(paths)), converter(std::move(converter)) {}

  int64_t size() const override { return static_cast<int64_t>(paths.size()); }
  bool canBeNonFinite() const override { return false; }

  llvm::Error read(int64_t index, llvm::MutableArrayRef<char> sample) override {
    auto image = readImage(paths[index], converter.steps().numChannels());
    if (!image)
      return image.takeError();
    if (llvm::Error error = converter.convert(*image, sample))
      return makeError("'" + paths[index] + "' " +
                       llvm::toString(std::move(error)));
    return llvm::Error::success();
  }

private:
  std::vector<std::string> paths;
  ImageConverter converter;
};

class PixelSource : public SampleSource {
public:
  PixelSource(std::unique_ptr<SampleSource> pixels,
              llvm::ArrayRef<int64_t> shape, ImageConverter converter)
      : pixels(std::move(pixels)), converter(std::move(converter)) {
    isPlanar = shape.size() == 3 &&
               this->converter.steps().layout == Preprocess::Layout::NCHW;
    stored = isPlanar
                 ? Image(shape[1], shape[2], shape[0])
                 : Image(shape[0], shape[1], shape.size() == 3 ? shape[2] : 1);
    planes.resize(stored.pixels.size());
  }

  int64_t size() const override { return pixels->size(); }
  bool canBeNonFinite() const override { return false; }

  llvm::Error read(int64_t index, llvm::MutableArrayRef<char> sample) override {
    auto *bytes = reinterpret_cast<char *>(isPlanar ? planes.data()
                                                    : stored.pixels.data());
    if (llvm::Error error = pixels->read(index, {bytes, planes.size()}))
      return error;
    if (isPlanar)
      interleave();
    if (llvm::Error error = converter.convert(stored, sample))
      return makeError("sample " + llvm::Twine(index) + " " +
                       llvm::toString(std::move(error)));
    return llvm::Error::success();
  }

private:
  void interleave() {
    int64_t plane = stored.height * stored.width;
    for (int64_t c = 0; c < stored.channels; ++c)
      for (int64_t i = 0; i < plane; ++i)
        stored.pixels[i * stored.channels + c] = planes[c * plane + i];
  }

  std::unique_ptr<SampleSource> pixels;
  ImageConverter converter;
  bool isPlanar;
  Image stored; // Interleaved.
  std::vector<uint8_t> planes;
};
} // namespace

std::unique_ptr<SampleSource> mlir::halftone::makeTensorSource(Tensor tensor) {
  return std::make_unique<TensorSource>(std::move(tensor));
}

std::unique_ptr<SampleSource>
mlir::halftone::makeNpySource(std::unique_ptr<NpyFile> file) {
  return std::make_unique<ArraySource<NpyFile>>(std::move(file));
}

std::unique_ptr<SampleSource>
mlir::halftone::makeNpzSource(std::unique_ptr<NpzArray> array) {
  return std::make_unique<ArraySource<NpzArray>>(std::move(array));
}

std::unique_ptr<SampleSource>
mlir::halftone::makeNpyFolderSource(std::vector<std::string> paths) {
  return std::make_unique<NpyFolderSource>(std::move(paths));
}

std::unique_ptr<SampleSource>
mlir::halftone::makeImageSource(std::vector<std::string> paths,
                                ImageConverter converter) {
  return std::make_unique<ImageSource>(std::move(paths), std::move(converter));
}

std::unique_ptr<SampleSource>
mlir::halftone::makePixelSource(std::unique_ptr<SampleSource> pixels,
                                llvm::ArrayRef<int64_t> pixelShape,
                                ImageConverter converter) {
  return std::make_unique<PixelSource>(std::move(pixels), pixelShape,
                                       std::move(converter));
}
