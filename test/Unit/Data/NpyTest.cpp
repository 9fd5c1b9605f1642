//===- NpyTest.cpp - NumPy's array files
//-----------------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestFolder.h"

using namespace mlir::halftone;

namespace {
class NpyTest : public FolderTest {
protected:
  /// A version 1 header around a dictionary, with data.
  static std::string makeFile(const std::string &dictionary, size_t dataBytes) {
    std::string length = {static_cast<char>(dictionary.size() & 255),
                          static_cast<char>(dictionary.size() >> 8)};
    return std::string("\x93NUMPY\x01\x00", 8) + length + dictionary +
           std::string(dataBytes, '\0');
  }
  static std::string dictionary(const std::string &code,
                                const std::string &shape,
                                const std::string &order = "False") {
    return "{'descr': '" + code + "', 'fortran_order': " + order +
           ", 'shape': " + shape + ", }";
  }
};
} // namespace

TEST_F(NpyTest, HeaderIsNumPys) {
  // numpy.save of numpy.zeros((3, 4), numpy.float32), NumPy 1.24 and 2.4.
  std::string text = "{'descr': '<f4', 'fortran_order': False, "
                     "'shape': (3, 4), }";
  std::string expected = std::string("\x93NUMPY\x01\x00v\x00", 10) + text +
                         std::string(117 - text.size(), ' ') + "\n";
  EXPECT_EQ(128u, expected.size());
  EXPECT_EQ(expected, formatNpyHeader(ElementType::F32, {3, 4}));
  EXPECT_NE(std::string::npos, formatNpyHeader(ElementType::U8, {7})
                                   .find("'|u1', 'fortran_order'"
                                         ": False, 'shape': (7,)"));
  EXPECT_NE(std::string::npos,
            formatNpyHeader(ElementType::I64, {}).find("'shape': ()"));
}

TEST_F(NpyTest, RoundTripOfEveryType) {
  for (ElementType type :
       {ElementType::F32, ElementType::I8, ElementType::U8, ElementType::I32,
        ElementType::I64, ElementType::Bool})
    for (const Shape &shape :
         {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{0, 3}}) {
      Tensor tensor("x", type, shape);
      for (size_t i = 0; i < tensor.bytes.size(); ++i)
        tensor.bytes[i] = static_cast<char>(i * 7);
      expectSuccess(writeNpy(at("x.npy"), tensor));
      llvm::Expected<Tensor> read = readNpy(at("x.npy"), "x");
      ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
      EXPECT_EQ(type, read->type);
      EXPECT_EQ(shape, read->shape);
      EXPECT_EQ(tensor.bytes, read->bytes);
      EXPECT_EQ(0u, reinterpret_cast<uintptr_t>(read->bytes.data()) % 64);
    }
}

TEST_F(NpyTest, ReadsOtherWritersHeaders) {
  // Another order of keys, version 2, Python 2's long integers.
  std::string text = "{\"shape\":(2L,3L),\"fortran_order\":False,"
                     "\"descr\":\"<i4\"}";
  std::string file = std::string("\x93NUMPY\x02\x00", 8) +
                     std::string(1, static_cast<char>(text.size())) +
                     std::string(3, '\0') + text + std::string(24, '\1');
  llvm::Expected<Tensor> read = readNpy(writeText("x.npy", file), "x");
  ASSERT_TRUE(static_cast<bool>(read)) << llvm::toString(read.takeError());
  EXPECT_EQ(Shape({2, 3}), read->shape);
  EXPECT_EQ(0x01010101, read->values<int32_t>()[5]);
}

TEST_F(NpyTest, ReadsParts) {
  Tensor tensor = countingTensor<float>("x", ElementType::F32, {10, 3});
  expectSuccess(writeNpy(at("x.npy"), tensor));
  auto file = NpyFile::open(at("x.npy"));
  ASSERT_TRUE(static_cast<bool>(file));
  float row[3];
  expectSuccess((*file)->read(7 * sizeof(row),
                              {reinterpret_cast<char *>(row), sizeof(row)}));
  EXPECT_EQ(21.0f, row[0]);
  expectFailure((*file)->read(10 * sizeof(row),
                              {reinterpret_cast<char *>(row), sizeof(row)}),
                "x.npy", "truncated");
}

TEST_F(NpyTest, ReadsHalvesAsFloats) {
  // 1, -2, the least number above 0, infinity.
  const uint16_t halves[] = {0x3c00, 0xc000, 0x0001, 0x7c00};
  std::string file = makeFile(dictionary("<f2", "(4,)"), sizeof(halves));
  std::memcpy(&file[file.size() - sizeof(halves)], halves, sizeof(halves));
  auto tensor = readNpy(writeText("x.npy", file), "x");
  ASSERT_TRUE(static_cast<bool>(tensor)) << llvm::toString(tensor.takeError());
  EXPECT_EQ(ElementType::F32, tensor->type);
  float values[4];
  ASSERT_EQ(sizeof(values), tensor->bytes.size());
  std::memcpy(values, tensor->bytes.data(), sizeof(values));
  EXPECT_EQ(1.0f, values[0]);
  EXPECT_EQ(-2.0f, values[1]);
  EXPECT_EQ(0x1p-24f, values[2]);
  EXPECT_EQ(std::numeric_limits<float>::infinity(), values[3]);
}

TEST_F(NpyTest, NamesTheTypesItDoesNotTake) {
  for (auto [code, name] : {std::pair("<f8", "float64"),
                            {"<u4", "uint32"},
                            {">f4", "big-endian float32"},
                            {"|O", "object"},
                            {"<U5", "<U5"}})
    expectFailure(
        readNpy(writeText("x.npy", makeFile(dictionary(code, "(2,)"), 16)),
                "x"),
        "x.npy", name, "astype");
  expectFailure(
      readNpy(writeText("x.npy",
                        makeFile("{'descr': [('a', '<f4'), ('b', '<i4')], "
                                 "'fortran_order': False, 'shape': (2,), }",
                                 16)),
              "x"),
      "structured");
}

TEST_F(NpyTest, RefusesFortranOrder) {
  std::string file = makeFile(dictionary("<f4", "(2, 3)", "True"), 24);
  expectFailure(readNpy(writeText("x.npy", file), "x"), "Fortran order",
                "ascontiguousarray");
}

TEST_F(NpyTest, RefusesDamagedFiles) {
  expectFailure(readNpy(at("none.npy"), "x"), "none.npy", "No such file");
  expectFailure(readNpy(writeText("x.npy", "hello"), "x"), "x.npy",
                "not a NumPy array file");
  for (const char *bad :
       {"", "{", "{'descr': '<f4'}", "nonsense",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2, }",
        "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (2,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': "
        "(99999999999, 99999999999), }"})
    expectFailure(readNpy(writeText("x.npy", makeFile(bad, 64)), "x"),
                  "damaged header");
  std::string future = makeFile(dictionary("<f4", "(2,)"), 8);
  future[6] = 9;
  expectFailure(readNpy(writeText("x.npy", future), "x"), "version 9");
}

TEST_F(NpyTest, RefusesEveryTruncation) {
  Tensor tensor = countingTensor<float>("x", ElementType::F32, {4});
  expectSuccess(writeNpy(at("whole.npy"), tensor));
  std::string bytes = readText(at("whole.npy"));
  for (size_t size = 6; size < bytes.size(); ++size)
    expectFailure(readNpy(writeText("x.npy", bytes.substr(0, size)), "x"),
                  "truncated");
}
