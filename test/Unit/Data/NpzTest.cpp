//===- NpzTest.cpp - NumPy's archives of arrays
//----------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestFolder.h"
#include <zip.h>

using namespace mlir::halftone;

namespace {
class NpzTest : public FolderTest {
protected:
  std::vector<Tensor> tensors() {
    return {countingTensor<float>("x", ElementType::F32, {2, 3}),
            countingTensor<int64_t>("labels/fine:0", ElementType::I64, {5})};
  }

  /// An archive with one compressed entry.
  std::string writeCompressed(const std::string &name,
                              const std::string &bytes) {
    std::string path = at("compressed.npz");
    zip *archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
    zip_source_t *source =
        zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
    zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
    zip_set_file_compression(archive, index, ZIP_CM_DEFLATE, 6);
    EXPECT_EQ(0, zip_close(archive));
    return path;
  }
};
} // namespace

TEST_F(NpzTest, RoundTrip) {
  expectSuccess(writeNpz(at("x.npz"), tensors()));
  auto read = readNpz(at("x.npz"));
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  ASSERT_EQ(2u, read->size());
  for (auto [expected, tensor] : llvm::zip(tensors(), *read)) {
    EXPECT_EQ(expected.name, tensor.name);
    EXPECT_EQ(expected.type, tensor.type);
    EXPECT_EQ(expected.shape, tensor.shape);
    EXPECT_EQ(expected.bytes, tensor.bytes);
  }
}

TEST_F(NpzTest, EqualTensorsGiveEqualBytes) {
  expectSuccess(writeNpz(at("a.npz"), tensors()));
  sleep(2); // Zip counts time in steps of two seconds.
  expectSuccess(writeNpz(at("b.npz"), tensors()));
  EXPECT_EQ(readText(at("a.npz")), readText(at("b.npz")));
}

TEST_F(NpzTest, ReadsCompressedArrays) {
  Tensor zeros("x", ElementType::F32, {1000});
  std::string bytes = formatNpyHeader(zeros.type, zeros.shape) +
                      std::string(zeros.bytes.begin(), zeros.bytes.end());
  auto read = readNpz(writeCompressed("x.npy", bytes));
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(zeros.bytes, read->front().bytes);
}

TEST_F(NpzTest, ReadsPartsOfStoredArrays) {
  expectSuccess(writeNpz(at("x.npz"), tensors()));
  auto array = NpzArray::open(at("x.npz"), "labels/fine:0");
  ASSERT_TRUE(static_cast<bool>(array)) << llvm::toString(array.takeError());
  ASSERT_TRUE(*array);
  EXPECT_EQ(tensors()[1].shape, (*array)->header().shape);
  const Tensor all = tensors()[1];
  for (int64_t index : {4, 0, 3, 3, 1}) {
    std::vector<char> part(8);
    expectSuccess((*array)->read(index * 8, part));
    EXPECT_EQ(std::vector<char>(all.bytes.begin() + index * 8, all.bytes.begin() + index * 8 + 8), part) << index;
  }
  std::vector<char> beyond(16);
  expectFailure((*array)->read(32, beyond), "array 'labels/fine:0'", "x.npz", "truncated");
}

TEST_F(NpzTest, PartsNeedAnArrayThatIsStoredAndWhole) {
  auto compressed = NpzArray::open(writeCompressed("x.npy", formatNpyHeader(ElementType::F32, {4}) + std::string(16, 'x')), "x");
  ASSERT_TRUE(static_cast<bool>(compressed)) << llvm::toString(compressed.takeError());
  EXPECT_FALSE(*compressed);
  expectFailure(NpzArray::open(at("none.npz"), "x"), "none.npz");
  expectSuccess(writeNpz(at("whole.npz"), tensors()));
  expectFailure(NpzArray::open(at("whole.npz"), "y"), "array 'y'");
  std::string bytes = readText(at("whole.npz"));
  size_t data = bytes.find("'shape': (2, 3)") + 100;
  bytes[data] = static_cast<char>(bytes[data] ^ 1);
  expectFailure(NpzArray::open(writeText("damaged.npz", bytes), "x"), "array 'x'", "damaged");
}

TEST_F(NpzTest, OneBadArrayDoesNotSpoilTheOthers) {
  auto reader = NpzReader::open(writeCompressed("bad.npy", "no array"));
  ASSERT_TRUE(static_cast<bool>(reader));
  EXPECT_EQ("bad", (*reader)->names()[0]);
  expectFailure((*reader)->read("bad"), "array 'bad'", "compressed.npz",
                "not a NumPy array");
  expectFailure((*reader)->readHeader("none"), "array 'none'");
}

TEST_F(NpzTest, RefusesAnArrayWithFewerBytesThanItSays) {
  std::string header = formatNpyHeader(ElementType::F32, {1000, 1000, 1000});
  expectFailure(readNpz(writeCompressed("x.npy", header + "1234")), "array 'x'",
                "truncated", "4000000128");
}

TEST_F(NpzTest, RefusesDamagedArchives) {
  expectFailure(readNpz(at("none.npz")), "none.npz", "No such file");
  expectFailure(readNpz(writeText("x.npz", "hello, this is no archive")),
                "x.npz", "not an .npz archive");
  expectSuccess(writeNpz(at("whole.npz"), tensors()));
  std::string bytes = readText(at("whole.npz"));
  for (size_t size = 1; size < bytes.size(); size += 13)
    EXPECT_FALSE(static_cast<bool>(llvm::expectedToOptional(
        readNpz(writeText("x.npz", bytes.substr(0, size))))))
        << size;
  // One bit of the data: the checksum finds it.
  size_t data = bytes.find("'shape': (2, 3)") + 100;
  bytes[data] = static_cast<char>(bytes[data] ^ 1);
  expectFailure(readNpz(writeText("x.npz", bytes)), "array 'x'");
}

// One bit of a compressed stream: what is read nevertheless is what was written.
TEST_F(NpzTest, RefusesDamagedStreams) {
  Tensor waves("x", ElementType::F32, {600});
  for (auto [i, value] : llvm::enumerate(waves.values<float>()))
    value = static_cast<float>(i * 2654435761u % 997);
  const std::string whole = readText(writeCompressed(
      "x.npy", formatNpyHeader(waves.type, waves.shape) + std::string(waves.bytes.begin(), waves.bytes.end())));
  const size_t begin = whole.find("x.npy") + 5, end = whole.find("PK\x01\x02");
  ASSERT_LT(begin + 200, end);
  int refused = 0;
  for (size_t i = begin; i < end; ++i)
    for (int bit : {0, 3, 6}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ (1 << bit));
      auto read = llvm::expectedToOptional(readNpz(writeText("x.npz", damaged)));
      refused += !read;
      if (read)
        EXPECT_EQ(waves.bytes, read->front().bytes) << i << ", bit " << bit;
    }
  EXPECT_GT(refused, 500);
}

TEST_F(NpzTest, SurvivesGarbage) {
  expectSuccess(writeNpz(at("whole.npz"), tensors()));
  std::string bytes = readText(at("whole.npz"));
  unsigned state = 7;
  for (int round = 0; round < 300; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 5; ++i) {
      state = state * 1664525u + 1013904223u;
      damaged[(state >> 8) % damaged.size()] = static_cast<char>(state >> 24);
    }
    llvm::consumeError(readNpz(writeText("x.npz", damaged)).takeError());
  }
}

TEST_F(NpzTest, AFailedWriteLeavesNothing) {
  expectFailure(writeNpz(folder + "/no/such/folder/y.npz", tensors()),
                "/no/such/folder/y.npz", "No such file");
  std::vector<Tensor> twice = {tensors()[0], tensors()[0]};
  expectFailure(writeNpz(at("y.npz"), twice), "y.npz", "'x'");
  EXPECT_EQ(0u, countFiles());
}
