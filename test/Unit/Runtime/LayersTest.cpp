//===- LayersTest.cpp - The list of layers, and their times ---------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include <numeric>
#include <vector>

namespace {
/// One run of the test artefact at that batch.
struct Arrays {
  explicit Arrays(int64_t batch)
      : x(size_t(batch) * 3, 1.0f), y(size_t(batch) * 3), runs(size_t(batch)),
        matrix{batch, 3} {}

  HalftoneStatus run(HalftoneSession *session, int64_t *nanoseconds) {
    HalftoneBuffer input = {"x", matrix, 2, HALFTONE_F32, x.data()};
    HalftoneBuffer outputs[] = {{"y", matrix, 2, HALFTONE_F32, y.data()},
                                {"runs", matrix, 1, HALFTONE_I32, runs.data()}};
    return halftone_session_run_profiled(session, &input, 1, outputs, 2,
                                         nanoseconds);
  }

  std::vector<float> x, y;
  std::vector<int32_t> runs;
  int64_t matrix[2];
};
} // namespace

TEST(LayersTest, ReadsTheList) {
  TestArtefact artefact("dynamic");
  ASSERT_EQ(2, halftone_module_num_layers(artefact.module));
  EXPECT_STREQ("first", halftone_module_layer(artefact.module, 0)->name);
  const HalftoneLayerInfo *second = halftone_module_layer(artefact.module, 1);
  EXPECT_STREQ("addition", second->kind);
  EXPECT_EQ(12, second->writtenBytes);
  EXPECT_EQ(nullptr, halftone_module_layer(artefact.module, 2));
  EXPECT_EQ(nullptr, halftone_module_layer(artefact.module, -1));
  EXPECT_EQ(0, halftone_module_num_layers(nullptr));
}

TEST(LayersTest, AddsTheTimeOfEachLayer) {
  for (int threads : {1, 2}) {
    TestArtefact artefact("dynamic", threads);
    Arrays arrays(4);
    std::vector<int64_t> times = {1000000000, 0, 0};
    ASSERT_EQ(HALFTONE_OK, arrays.run(artefact.session, times.data()));
    EXPECT_EQ(2.0f + 3, arrays.y.back());
    EXPECT_GE(times[0], 1000000000);
    EXPECT_GE(times[2], times[0] - 1000000000 + times[1]);
    ASSERT_EQ(HALFTONE_OK, arrays.run(artefact.session, times.data()));
    EXPECT_GT(times[1], 0);
  }
}

TEST(LayersTest, AnArtefactWithoutAListRuns) {
  TestArtefact artefact("no-layers");
  EXPECT_EQ(0, halftone_module_num_layers(artefact.module));
  EXPECT_EQ(nullptr, halftone_module_layer(artefact.module, 0));
  Arrays arrays(2);
  int64_t whole = 0;
  ASSERT_EQ(HALFTONE_OK, arrays.run(artefact.session, &whole));
  EXPECT_GT(whole, 0);
  EXPECT_EQ(2.0f + 1, arrays.y.back());
}

TEST(LayersTest, RefusesABadList) {
  HalftoneModule *module = nullptr;
  EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT,
            halftone_module_load(artefactPath("bad-layers").c_str(), nullptr,
                                 &module));
  expectError("bad-layers", "the list of layers");
}

TEST(LayersTest, ChecksItsArguments) {
  TestArtefact artefact("dynamic");
  Arrays arrays(2);
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, arrays.run(artefact.session, nullptr));
  expectError("nanoseconds");
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, arrays.run(nullptr, &arrays.matrix[0]));
  arrays.matrix[1] = 4;
  std::vector<int64_t> times(3);
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            arrays.run(artefact.session, times.data()));
  expectError("has shape [batch, 3]");
  EXPECT_EQ(0, std::accumulate(times.begin(), times.end(), int64_t(0)));
}
