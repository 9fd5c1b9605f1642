//===- TestFolder.h - A temporary folder with data for a test -------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_TEST_UNIT_DATA_TESTFOLDER_H
#define HALFTONE_TEST_UNIT_DATA_TESTFOLDER_H

#include "halftone/Data/Image.h"
#include "halftone/Data/Npz.h"
#include "halftone/Data/Tensor.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace mlir::halftone {

/// A test with a folder of its own, which goes with it.
class FolderTest : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "halftone-XXXXXX";
    folder = mkdtemp(pattern.data());
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  /// A path in the folder, whose parents exist.
  std::string at(const std::string &name) {
    std::filesystem::path path = folder + "/" + name;
    std::filesystem::create_directories(path.parent_path());
    return path.string();
  }

  std::string writeText(const std::string &name, const std::string &bytes) {
    std::ofstream(at(name), std::ios::binary) << bytes;
    return at(name);
  }

  static std::string readText(const std::string &path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  size_t countFiles() const {
    std::filesystem::directory_iterator files(folder);
    return std::distance(begin(files), end(files));
  }

  std::string folder;
};

/// A tensor with the values 0, 1, 2, ...
template <typename T>
Tensor countingTensor(llvm::StringRef name, ElementType type,
                      llvm::ArrayRef<int64_t> shape) {
  Tensor tensor(name, type, shape);
  T value = 0;
  for (T &element : tensor.values<T>())
    element = value++;
  return tensor;
}

/// Expects success of an llvm::Error.
inline void expectSuccess(llvm::Error error) {
  EXPECT_EQ("", llvm::toString(std::move(error)));
}

/// Expects a failure whose message contains all these texts.
template <typename... Texts>
void expectFailure(llvm::Error error, const Texts &...texts) {
  ASSERT_TRUE(static_cast<bool>(error)) << "no failure";
  std::string message = llvm::toString(std::move(error));
  for (std::string text : {std::string(texts)...})
    EXPECT_NE(std::string::npos, message.find(text))
        << "'" << text << "' is not in: " << message;
}

template <typename T, typename... Texts>
void expectFailure(llvm::Expected<T> value, const Texts &...texts) {
  expectFailure(value.takeError(), texts...);
}

/// Writes PNG and JPEG files.
void writePng(const std::string &path, const Image &image);
void writeJpeg(const std::string &path, const Image &image);

/// A picture of one colour.
Image plainImage(int64_t height, int64_t width, std::vector<uint8_t> colour);

} // namespace mlir::halftone

#endif // HALFTONE_TEST_UNIT_DATA_TESTFOLDER_H
