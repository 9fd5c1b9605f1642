//===- SizesTest.cpp - Libraries for several sizes of dimensions ----------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include <cstring>
#include <vector>

namespace {
/// Two rows of that many columns.
struct Rows {
  explicit Rows(int64_t columns)
      : matrix{2, columns}, x(2 * columns, 1.0f), y(2 * columns),
        in{"x", matrix, 2, HALFTONE_F32, x.data()},
        out{{"y", matrix, 2, HALFTONE_F32, y.data()},
            {"runs", matrix, 1, HALFTONE_I32, runs}} {}

  int64_t matrix[2];
  std::vector<float> x, y;
  int32_t runs[2] = {0, 0};
  HalftoneBuffer in, out[2];
};
} // namespace

TEST(SizesTest, InputsSayWhichOneRuns) {
  TestArtefact loaded("sizes");
  EXPECT_EQ(2, halftone_module_info(loaded.module)->numSizes);
  Rows three(3), five(5);
  for (auto run : {halftone_session_run, halftone_session_run_samples}) {
    EXPECT_EQ(HALFTONE_OK, run(loaded.session, &three.in, 1, three.out, 2))
        << halftone_last_error();
    EXPECT_EQ(2.0f, three.y[0]);
    EXPECT_EQ(HALFTONE_OK, run(loaded.session, &five.in, 1, five.out, 2))
        << halftone_last_error();
    EXPECT_EQ(5.0f, five.y[9]);
    EXPECT_EQ(2, five.runs[1]);
  }
}

TEST(SizesTest, OthersAreRefusedWithThoseThatThereAre) {
  TestArtefact loaded("sizes");
  Rows four(4);
  HalftoneSamplePlan plan;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(loaded.session, &four.in, 1, four.out, 2));
  expectError("no size for input 'x' [2, 4]; its sizes are width=3; width=5");
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_samples_plan(loaded.module, &four.in, 1, &plan));
  EXPECT_EQ(nullptr, halftone_module_for_inputs(loaded.module, &four.in, 1));
  EXPECT_EQ(nullptr, halftone_module_for_inputs(nullptr, &four.in, 1));
  four.in.name = "z"; // What is no input is for the first size to say.
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(loaded.session, &four.in, 1, four.out, 2));
  expectError("there is no input 'z'; the model has 'x'");
}

TEST(SizesTest, AModuleOfOneSize) {
  TestArtefact loaded("sizes");
  Rows five(5);
  HalftoneModule *wide = halftone_module_for_inputs(loaded.module, &five.in, 1);
  ASSERT_NE(nullptr, wide);
  EXPECT_STREQ("width=5", halftone_module_info(wide)->size);
  EXPECT_EQ(0, halftone_module_num_layers(wide));
  EXPECT_EQ(2, halftone_module_num_layers(loaded.module));
  EXPECT_EQ(wide, halftone_module_for_inputs(wide, &five.in, 1));

  HalftoneSamplePlan plan;
  int64_t shape[3];
  int32_t rank = 0;
  EXPECT_EQ(HALFTONE_OK,
            halftone_samples_plan(loaded.module, &five.in, 1, &plan));
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_samples_output_shape(loaded.module, &plan, 0, shape, &rank));
  expectError("several sizes");
  EXPECT_EQ(HALFTONE_OK,
            halftone_samples_output_shape(wide, &plan, 0, shape, &rank));
  EXPECT_EQ(5, shape[1]);

  int64_t nanoseconds[] = {0};
  EXPECT_EQ(HALFTONE_OK, halftone_session_run_profiled(loaded.session, &five.in,
                                                       1, five.out, 2,
                                                       nanoseconds));
  HalftoneSession *session = nullptr;
  EXPECT_EQ(HALFTONE_OK, halftone_session_create(wide, &session));
  EXPECT_EQ(HALFTONE_OK,
            halftone_session_run(session, &five.in, 1, five.out, 2));
  halftone_session_destroy(session);
}

TEST(SizesTest, OfAModelOfOneTheModuleItself) {
  TestArtefact loaded("dynamic");
  Rows four(4);
  EXPECT_EQ(loaded.module,
            halftone_module_for_inputs(loaded.module, &four.in, 1));
}

TEST(SizesTest, DamagedListsAreRefused) {
  for (const char *name : {"bad-sizes", "other-sizes"}) {
    HalftoneModule *module = nullptr;
    EXPECT_EQ(HALFTONE_NOT_AN_ARTEFACT,
              halftone_module_load(artefactPath(name).c_str(), nullptr, &module));
    expectError("damaged", "sizes");
  }
}

TEST(SizesTest, OlderTablesHaveOne) {
  TestArtefact loaded("before-sizes");
  Rows three(3), five(5);
  EXPECT_EQ(HALFTONE_OK,
            halftone_session_run(loaded.session, &three.in, 1, three.out, 2));
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run(loaded.session, &five.in, 1, five.out, 2));
}
