//===- RunTest.cpp - One run, and what it validates
//------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include "halftone/Runtime/FloatMode.h"
#include <vector>

namespace {
/// Buffers for a batch of the test model.
struct Buffers {
  explicit Buffers(int64_t batch)
      : matrix{batch, 3}, vector{batch}, x(batch * 3), y(batch * 3),
        runs(batch) {
    for (size_t i = 0; i < x.size(); ++i)
      x[i] = static_cast<float>(i);
    in = {"x", matrix, 2, HALFTONE_F32, x.data()};
    out[0] = {"y", matrix, 2, HALFTONE_F32, y.data()};
    out[1] = {"runs", vector, 1, HALFTONE_I32, runs.data()};
  }

  Buffers(const Buffers &) = delete;

  HalftoneStatus run(HalftoneSession *session) {
    return halftone_session_run(session, &in, 1, out, 2);
  }

  int64_t matrix[2], vector[1];
  std::vector<float> x, y;
  std::vector<int32_t> runs;
  HalftoneBuffer in, out[2];
};
} // namespace

TEST(RunTest, EveryBatchOfTheRange) {
  for (int32_t numThreads : {1, 2, 5}) {
    TestArtefact artefact("dynamic", numThreads);
    for (int64_t batch = 1; batch <= 4; ++batch) {
      Buffers buffers(batch);
      ASSERT_EQ(HALFTONE_OK, buffers.run(artefact.session))
          << halftone_last_error();
      for (int64_t i = 0; i < batch * 3; ++i)
        EXPECT_EQ(2.0f * i + i / 3, buffers.y[i]);
      EXPECT_EQ(batch, buffers.runs[0]);
    }
  }
}

TEST(RunTest, ByPositionAndInAnyOrder) {
  TestArtefact artefact("dynamic");
  Buffers buffers(2);
  std::swap(buffers.out[0], buffers.out[1]);
  EXPECT_EQ(HALFTONE_OK, buffers.run(artefact.session));
  std::swap(buffers.out[0], buffers.out[1]);
  buffers.in.name = buffers.out[0].name = buffers.out[1].name = nullptr;
  EXPECT_EQ(HALFTONE_OK, buffers.run(artefact.session));
}

TEST(RunTest, OneMessageNamesEveryMistake) {
  TestArtefact artefact("side");
  Buffers buffers(2);
  buffers.in.name = "image";
  buffers.out[0].elementType = HALFTONE_I8;
  buffers.out[1].data = nullptr;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, buffers.run(artefact.session));
  expectError("no input 'image'; the model has 'x', 'bias'",
              "input 'x' is not given", "input 'bias' is not given",
              "output 'y' has elements of type f32, the array has i8",
              "output 'runs' is given a null pointer");
}

TEST(RunTest, RefusesWrongShapes) {
  TestArtefact artefact("dynamic");
  Buffers buffers(2);
  int64_t wide[] = {2, 5}, three[] = {3};
  buffers.in.shape = wide;
  buffers.out[1].shape = three;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, buffers.run(artefact.session));
  expectError(
      "'x' has shape [batch, 3], the array has [2, 5]",
      "'runs' has shape [batch], the array has [3], but the batch is 2");
  Buffers flat(2);
  flat.in.rank = 1;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, flat.run(artefact.session));
}

TEST(RunTest, RefusesABatchOutOfRange) {
  TestArtefact artefact("two-to-four");
  Buffers small(1), large(5);
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, small.run(artefact.session));
  expectError("the batch is 1", "2 to 4");
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, large.run(artefact.session));
}

TEST(RunTest, RefusesNullPointersAndRepetition) {
  TestArtefact artefact("dynamic");
  Buffers buffers(1);
  HalftoneBuffer twice[] = {buffers.in, buffers.in};
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(artefact.session, twice, 2, buffers.out, 2));
  expectError("input 'x' is given twice");
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(artefact.session, nullptr, 1, buffers.out, 2));
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(nullptr, &buffers.in, 1, buffers.out, 2));
  HalftoneSession *session = nullptr;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_create(nullptr, &session));
}

TEST(RunTest, RefusesMisalignedData) {
  TestArtefact artefact("dynamic");
  Buffers buffers(1);
  buffers.in.data = reinterpret_cast<char *>(buffers.x.data()) + 1;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, buffers.run(artefact.session));
  expectError("not aligned");
}

TEST(RunTest, ReportsTheModelsOwnFailure) {
  TestArtefact artefact("dynamic");
  Buffers buffers(1);
  buffers.x[0] = -12345.0f;
  EXPECT_EQ(HALFTONE_RUN_FAILED, buffers.run(artefact.session));
  expectError("dynamic.so", "code 7");
}

#if defined(__x86_64__)
TEST(RunTest, ACallersFloatModeChangesNoBits) {
  constexpr unsigned flushAndTruncate = 0xffc0; // FTZ, DAZ, round to zero.
  for (int32_t numThreads : {1, 2}) {
    TestArtefact artefact("dynamic", numThreads);
    Buffers buffers(4);
    buffers.x[0] = 1e-40f; // Denormal.
    buffers.x[9] = 0.1f;   // 2 x + 3 rounds up.
    unsigned saved = _mm_getcsr();
    _mm_setcsr(flushAndTruncate);
    HalftoneStatus status = buffers.run(artefact.session);
    unsigned after = _mm_getcsr();
    _mm_setcsr(saved);
    EXPECT_EQ(HALFTONE_OK, status);
    EXPECT_EQ(flushAndTruncate, after & ~0x3fu);
    EXPECT_EQ(2 * buffers.x[0], buffers.y[0]);
    EXPECT_EQ(2 * 0.1f + 3.0f, buffers.y[9]);
  }
}
#endif
