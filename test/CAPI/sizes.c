/* A library for several sizes of a dimension from C: each size has its module,
 * which gives what a library for it alone gives.
 *
 *     SizesCTest ALL.so TOKENS=ONE.so ...
 *
 * of the model of test/Driver/sizes.test: words and mask [batch, tokens] to y
 * [batch, tokens, 32]. */
#include "check.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { kSamples = 3, kMost = 64, kWidth = 32 };

static int64_t words[kSamples * kMost], mask[kSamples * kMost];
static float all[kSamples * kMost * kWidth], one[kSamples * kMost * kWidth],
    several[kSamples * kMost * kWidth];
static int64_t inputShape[2], outputShape[3];
static const HalftoneBuffer inputs[] = {
    {"words", inputShape, 2, HALFTONE_I64, words},
    {"mask", inputShape, 2, HALFTONE_I64, mask}};

static HalftoneBuffer outputTo(float *values) {
  HalftoneBuffer buffer = {"y", NULL, 3, HALFTONE_F32, NULL};
  buffer.shape = outputShape;
  buffer.data = values;
  return buffer;
}

static void setSize(int64_t tokens) {
  inputShape[0] = outputShape[0] = kSamples;
  inputShape[1] = outputShape[1] = tokens;
  outputShape[2] = kWidth;
}

/* Runs the inputs in a session of the module. */
static HalftoneStatus runOnce(HalftoneModule *module, float *y) {
  HalftoneSession *session = NULL;
  HalftoneBuffer output = outputTo(y);
  HalftoneStatus status = halftone_session_create(module, &session);
  if (status == HALFTONE_OK)
    status = halftone_session_run(session, inputs, 2, &output, 1);
  halftone_session_destroy(session);
  return status;
}

/* One size against the library for it alone. */
static int checkSize(HalftoneModule *module, int64_t tokens, const char *path) {
  HalftoneModule *size, *alone = NULL;
  HalftoneSamplePlan plan;
  int64_t shape[4];
  int32_t rank = 0;
  const size_t bytes = sizeof(float) * kSamples * tokens * kWidth;
  setSize(tokens);
  size = halftone_module_for_inputs(module, inputs, 2);
  CHECK(size != NULL && size != module);
  CHECK(halftone_module_for_inputs(module, inputs, 2) == size);
  CHECK(halftone_module_for_inputs(size, inputs, 2) == size);
  CHECK(halftone_module_info(size)->inputs[0].shape[1] == tokens);
  CHECK(halftone_module_info(size)->outputs[0].shape[1] == tokens);
  CHECK(halftone_module_threads(size) == halftone_module_threads(module));

  CHECK(halftone_module_load(path, NULL, &alone) == HALFTONE_OK);
  CHECK(halftone_module_for_inputs(alone, inputs, 2) == alone);
  CHECK(halftone_module_num_layers(size) == halftone_module_num_layers(alone));
  CHECK(halftone_samples_plan(size, inputs, 2, &plan) == HALFTONE_OK);
  CHECK(plan.numSamples == kSamples);
  CHECK(halftone_samples_output_shape(size, &plan, 0, shape, &rank) ==
        HALFTONE_OK);
  CHECK(rank == 3 && shape[0] == kSamples && shape[1] == tokens);

  /* By the module of the size, by that of all sizes, and alone. */
  memset(all, 1, bytes), memset(one, 2, bytes), memset(several, 3, bytes);
  CHECK(runOnce(size, several) == HALFTONE_OK);
  CHECK(runOnce(module, all) == HALFTONE_OK);
  CHECK(runOnce(alone, one) == HALFTONE_OK);
  CHECK(memcmp(several, one, bytes) == 0 && memcmp(all, one, bytes) == 0);
  halftone_module_unload(alone);
  return 0;
}

int main(int argc, char **argv) {
  HalftoneModule *module = NULL;
  int i;
  if (argc < 3)
    return 2;
  for (i = 0; i < kSamples * kMost; ++i) {
    words[i] = (i * 7 + 3) % 10;
    mask[i] = i % 5 != 4;
  }
  CHECK(halftone_module_load(argv[1], NULL, &module) == HALFTONE_OK);
  CHECK(halftone_module_info(module)->numSizes == argc - 2);
  for (i = 2; i < argc; ++i) {
    const char *path = strchr(argv[i], '=');
    CHECK(path != NULL);
    if (checkSize(module, strtol(argv[i], NULL, 10), path + 1))
      return 1;
  }
  setSize(kMost); /* which it does not have */
  CHECK(halftone_module_for_inputs(module, inputs, 2) == NULL);
  CHECK(strstr(halftone_last_error(), "tokens=") != NULL);
  puts(halftone_last_error());
  CHECK(runOnce(module, all) == HALFTONE_INVALID_ARGUMENT);
  CHECK(halftone_module_for_inputs(module, inputs, 1) == NULL);
  halftone_module_unload(module);
  puts("the same bits in each size");
  return 0;
}
