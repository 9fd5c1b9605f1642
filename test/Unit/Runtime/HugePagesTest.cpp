//===- HugePagesTest.cpp - Constants on huge pages ------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include <cinttypes>
#include <cstdlib>
#include <fstream>

/// Bytes of the constants of a test artefact that are mapped from its file.
static uint64_t bytesOfFile(const std::string &name) {
  uint64_t total = 0;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    uint64_t begin = 0, end = 0;
    char rights[5] = "";
    if (sscanf(line.c_str(), "%" SCNx64 "-%" SCNx64 " %4s", &begin, &end, rights) == 3 && std::string(rights) == "r--p" &&
        line.find(artefactPath(name)) != std::string::npos)
      total += end - begin;
  }
  return total;
}

/// The results do not depend on where constants are.
static void expectTwice(const TestArtefact &artefact) {
  int64_t matrix[] = {4, 3}, vector[] = {4};
  float x[12], y[12];
  int32_t runs[4];
  for (int i = 0; i < 12; ++i)
    x[i] = float(i);
  HalftoneBuffer input = {"x", matrix, 2, HALFTONE_F32, x};
  HalftoneBuffer outputs[] = {{"y", matrix, 2, HALFTONE_F32, y}, {"runs", vector, 1, HALFTONE_I32, runs}};
  ASSERT_EQ(HALFTONE_OK, halftone_session_run(artefact.session, &input, 1, outputs, 2)) << halftone_last_error();
  for (int i = 0; i < 12; ++i)
    EXPECT_EQ(float(2 * i + i / 3), y[i]);
}

static constexpr uint64_t kWeights = 12 << 20;

static bool systemHasHugePages() {
  std::ifstream setting("/sys/kernel/mm/transparent_hugepage/enabled");
  std::string text;
  return std::getline(setting, text) && text.find("[never]") == std::string::npos;
}

TEST(HugePagesTest, MovesStreamedConstants) {
  if (!systemHasHugePages())
    GTEST_SKIP() << "this system gives no huge pages";
  {
    TestArtefact artefact("streamed");
    // Less than a huge page on each side stays.
    EXPECT_LT(bytesOfFile("streamed"), kWeights - (8 << 20));
    expectTwice(artefact);
  }
  EXPECT_EQ(0u, bytesOfFile("streamed"));
  // The addresses may be used again.
  TestArtefact again("streamed");
  expectTwice(again);
}

// Segments that begin on a huge page, with nothing behind them in the last one, move whole.
TEST(HugePagesTest, MovesAlignedConstantsWhole) {
  if (!systemHasHugePages())
    GTEST_SKIP() << "this system gives no huge pages";
  {
    TestArtefact artefact("aligned");
    EXPECT_LT(bytesOfFile("aligned"), uint64_t(1) << 20);
    expectTwice(artefact);
  }
  TestArtefact again("aligned");
  expectTwice(again);
}

TEST(HugePagesTest, MovesListsOfSparseKernels) {
  if (!systemHasHugePages())
    GTEST_SKIP() << "this system gives no huge pages";
  TestArtefact artefact("sparse");
  EXPECT_LT(bytesOfFile("sparse"), kWeights - (8 << 20));
  expectTwice(artefact);
}

TEST(HugePagesTest, LeavesConstantsThatAreUsedOften) {
  TestArtefact artefact("reused");
  EXPECT_GE(bytesOfFile("reused"), kWeights);
  expectTwice(artefact);
}

TEST(HugePagesTest, LeavesThemWhereThatIsAskedFor) {
  setenv("HALFTONE_HUGE_PAGES", "0", 1);
  TestArtefact artefact("streamed");
  unsetenv("HALFTONE_HUGE_PAGES");
  EXPECT_GE(bytesOfFile("streamed"), kWeights);
  expectTwice(artefact);
}
