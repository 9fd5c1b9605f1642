//===- SamplesTest.cpp - A sample axis through any batch
//-------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestArtefact.h"
#include <vector>

namespace {
/// N samples for the test model, and the result of running them.
struct Samples {
  Samples(const char *artefact, std::vector<int64_t> shape,
          std::vector<int64_t> biasShape = {})
      : loaded(artefact, 2), shape(std::move(shape)),
        biasShape(std::move(biasShape)) {
    int64_t count = 1;
    for (int64_t extent : this->shape)
      count *= extent;
    for (int64_t i = 0; i < count; ++i)
      x.push_back(static_cast<float>(i));
    bias.assign(3 * (this->biasShape.empty() ? 1 : this->biasShape[0]), 0.5f);
  }

  HalftoneStatus run() {
    inputs = {{"x", shape.data(), static_cast<int32_t>(shape.size()),
               HALFTONE_F32, x.data()}};
    if (!biasShape.empty())
      inputs.push_back({"bias", biasShape.data(),
                        static_cast<int32_t>(biasShape.size()), HALFTONE_F32,
                        bias.data()});
    auto numInputs = static_cast<int32_t>(inputs.size());
    if (HalftoneStatus status = halftone_samples_plan(
            loaded.module, inputs.data(), numInputs, &plan))
      return status;
    if (HalftoneStatus status = shapeOutputs())
      return status;
    HalftoneBuffer outputs[] = {
        {"y", yShape, yRank, HALFTONE_F32, y.data()},
        {"runs", runsShape, runsRank, HALFTONE_I32, runs.data()}};
    return halftone_session_run_samples(loaded.session, inputs.data(),
                                        numInputs, outputs, 2);
  }

  HalftoneStatus shapeOutputs() {
    HalftoneStatus status =
        halftone_samples_output_shape(loaded.module, &plan, 0, yShape, &yRank);
    if (status)
      return status;
    y.assign(x.size() + 64, -1.0f);
    runs.assign(x.size() / 3 + 64, -1);
    return halftone_samples_output_shape(loaded.module, &plan, 1, runsShape,
                                         &runsRank);
  }

  /// y = 2 x + (row mod rows of a run) (+ bias), and nothing written behind.
  void expectOutputs(int64_t rowsPerRun) {
    float offset = biasShape.empty() ? 0.0f : 0.5f;
    for (size_t i = 0; i < x.size(); ++i)
      ASSERT_EQ(2 * x[i] + static_cast<float>(i / 3 % rowsPerRun) + offset,
                y[i])
          << i;
    EXPECT_EQ(-1.0f, y[x.size()]);
    EXPECT_EQ(-1, runs[x.size() / 3]);
  }

  TestArtefact loaded;
  std::vector<int64_t> shape, biasShape;
  std::vector<float> x, bias, y;
  std::vector<int32_t> runs;
  std::vector<HalftoneBuffer> inputs;
  HalftoneSamplePlan plan = {};
  int64_t yShape[3], runsShape[2];
  int32_t yRank = 0, runsRank = 0;
};
} // namespace

using Shape = std::vector<int64_t>;

TEST(SamplesTest, SymbolicBatchRunsInChunks) {
  Samples samples("dynamic", {10, 3});
  ASSERT_EQ(HALFTONE_OK, samples.run()) << halftone_last_error();
  EXPECT_EQ(4, samples.plan.samplesPerRun);
  EXPECT_EQ(Shape({10, 3}), Shape(samples.yShape, samples.yShape + 2));
  samples.expectOutputs(4);
  EXPECT_EQ(4, samples.runs[7]);
  EXPECT_EQ(2, samples.runs[9]); // The last run is as short as needed.
}

TEST(SamplesTest, LastChunkIsPaddedToTheLeastBatch) {
  Samples samples("two-to-four", {9, 3});
  ASSERT_EQ(HALFTONE_OK, samples.run()) << halftone_last_error();
  samples.expectOutputs(4);
  EXPECT_EQ(2, samples.runs[8]);
}

TEST(SamplesTest, StaticBatchPadsTheLastRun) {
  for (int64_t count : {1, 3, 4, 5, 8}) {
    Samples samples("four", {count, 3});
    ASSERT_EQ(HALFTONE_OK, samples.run()) << halftone_last_error();
    samples.expectOutputs(4);
    EXPECT_EQ(4, samples.runs[count - 1]);
  }
}

TEST(SamplesTest, BatchOneTakesBothShapes) {
  for (const char *artefact : {"one", "dynamic"})
    for (const Shape &shape : {Shape{5, 3}, Shape{5, 1, 3}}) {
      Samples samples(artefact, shape);
      ASSERT_EQ(HALFTONE_OK, samples.run()) << halftone_last_error();
      EXPECT_EQ(2, samples.yRank);
      samples.expectOutputs(samples.plan.samplesPerRun);
    }
}

TEST(SamplesTest, WholeInputsInEachSample) {
  Samples fixed("four", {3, 4, 3});
  ASSERT_EQ(HALFTONE_OK, fixed.run()) << halftone_last_error();
  EXPECT_EQ(Shape({3, 4, 3}), Shape(fixed.yShape, fixed.yShape + 3));
  fixed.expectOutputs(4);

  Samples symbolic("dynamic", {5, 2, 3});
  ASSERT_EQ(HALFTONE_OK, symbolic.run()) << halftone_last_error();
  EXPECT_EQ(2, symbolic.plan.batch);
  symbolic.expectOutputs(2);
}

TEST(SamplesTest, AnInputWithoutBatchMakesRunsOfOne) {
  Samples samples("side", {6, 3}, {6, 3});
  ASSERT_EQ(HALFTONE_OK, samples.run()) << halftone_last_error();
  EXPECT_EQ(1, samples.plan.samplesPerRun);
  samples.expectOutputs(1);
}

TEST(SamplesTest, OneMessageNamesEveryMistake) {
  Samples unequal("side", {6, 3}, {5, 3});
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, unequal.run());
  expectError("'bias' has 5 samples, the inputs before it have 6");

  Samples wrong("side", {6, 7}, {6, 4});
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, wrong.run());
  expectError("'x' has shape [batch, 3], so the array of N samples must be "
              "[N, 3] or [N, batch, 3], not [6, 7]",
              "'bias' has shape [3]");

  Samples large("dynamic", {2, 9, 3});
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, large.run());
  expectError("the batch is 9", "1 to 4");

  Samples none("dynamic", {0, 3});
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, none.run());
  expectError("has no samples");
}

TEST(SamplesTest, RefusesOutputsOfAnotherSize) {
  Samples samples("dynamic", {6, 3});
  ASSERT_EQ(HALFTONE_OK, samples.run());
  int64_t five[] = {5, 3}, six[] = {6};
  HalftoneBuffer outputs[] = {
      {"y", five, 2, HALFTONE_F32, samples.y.data()},
      {"runs", six, 1, HALFTONE_I32, samples.runs.data()}};
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT,
            halftone_session_run_samples(samples.loaded.session,
                                         samples.inputs.data(), 1, outputs, 2));
  expectError("'y' must have shape [6, 3]", "[5, 3]");
}
