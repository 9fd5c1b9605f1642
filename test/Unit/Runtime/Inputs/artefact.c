/* A compiled model written by hand: y = 2 x + index in the batch, for x of
 * shape [batch, 3], and `runs`, the batch of the run, for each sample.
 * Definitions on the command line make the damaged and the unusual ones. */
#include "halftone-c/Artefact.h"
#include <stddef.h>

#ifndef BATCH
#define BATCH -1
#endif
#ifndef MIN_BATCH
#define MIN_BATCH 1
#endif
#ifndef MAX_BATCH
#define MAX_BATCH 4
#endif
#ifndef NOTE_ABI
#define NOTE_ABI HALFTONE_ABI_VERSION
#endif
#ifndef TABLE_ABI
#define TABLE_ABI HALFTONE_ABI_VERSION
#endif
#ifndef ALIGNMENT
#define ALIGNMENT HALFTONE_ALIGNMENT
#endif
#ifndef FEATURES
#define FEATURES ""
#endif
#ifndef SIDE_INPUT
#define SIDE_INPUT 0
#endif

#ifndef STRUCT_BYTES
#define STRUCT_BYTES sizeof(HalftoneModel)
#endif
#ifndef LAYER_KIND
#define LAYER_KIND "addition"
#endif
#ifndef LAYER_KERNEL
#define LAYER_KERNEL "scalar"
#endif
#ifndef USES
#define USES 1
#endif

#ifndef NO_NOTE
__attribute__((section(HALFTONE_NOTE_SECTION), used,
               aligned(4))) static const struct {
  uint32_t nameBytes, descriptorBytes, type;
  char name[12];
  uint32_t abiVersion, reserved;
  char features[64];
} note = {sizeof(HALFTONE_NOTE_NAME),
          72,
          HALFTONE_NOTE_TYPE,
          HALFTONE_NOTE_NAME,
          NOTE_ABI,
          0,
          FEATURES};
#endif

#ifdef STREAMED
/* Ones, of which a run reads some. */
enum { STREAMED_BYTES = 12 << 20, STREAMED_STEP = (1 << 20) - 1 };
static const unsigned char weights[STREAMED_BYTES] = {
    [0 ... STREAMED_BYTES - 1] = 1};
#define WEIGHT(index) (weights[(index) * STREAMED_STEP] - 1)
#else
enum { STREAMED_BYTES = 0 };
#define WEIGHT(index) 0
#endif

typedef struct {
  const float *x, *bias;
  float *scratch;
} Context;

static void addIndex(void *opaque, int64_t begin, int64_t end) {
  const Context *context = opaque;
  for (int64_t i = begin; i < end; ++i)
    for (int64_t c = 0; c < 3; ++c)
      context->scratch[i * 3 + c] = 2 * context->x[i * 3 + c] + (float)i +
                                    (float)WEIGHT(i * 3 + c) +
                                    (context->bias ? context->bias[c] : 0);
}

static void nothing(void *opaque, int64_t begin, int64_t end) {}

static int32_t run(const void *const *inputs, void *const *outputs,
                   int64_t batch, void *workspace,
                   HalftoneParallelFor parallelFor, void *pool) {
  int64_t rows = BATCH > 0 ? BATCH : batch;
  float *y = outputs[0];
  int32_t *runs = outputs[1];
  Context context = {inputs[0], SIDE_INPUT ? inputs[1] : NULL, workspace};
  if (batch < MIN_BATCH || batch > MAX_BATCH)
    return 1;
  if (context.x[0] == -12345.0f)
    return 7;
  if (parallelFor) {
    parallelFor(pool, nothing, &context, 1);
    parallelFor(pool, addIndex, &context, rows);
  } else {
    addIndex(&context, 0, rows);
  }
  for (int64_t i = 0; i < rows; ++i) {
    runs[i] = (int32_t)rows;
    for (int64_t c = 0; c < 3; ++c)
      y[i * 3 + c] = context.scratch[i * 3 + c];
  }
  return 0;
}

static const int64_t matrix[] = {BATCH, 3}, vector[] = {BATCH}, bias[] = {3};
static const HalftoneTensorInfo inputs[] = {
    {"x", matrix, 2, HALFTONE_F32, "x: u8 nhwc rgb"},
    {"bias", bias, 1, HALFTONE_F32, ""}};
static const HalftoneTensorInfo outputs[] = {
    {"y", matrix, 2, HALFTONE_F32, ""}, {"runs", vector, 1, HALFTONE_I32, ""}};
static const HalftoneLayerInfo layers[] = {
    {"first", "nothing", "scalar", "", nothing, 0, 0, 0, 0, 0, 0, ""},
    {"second", LAYER_KIND, LAYER_KERNEL, "Bx3 -> Bx3", addIndex, 1, 0,
     3 + USES * (int64_t)STREAMED_BYTES, 12, 12, STREAMED_BYTES, ""}};
#ifdef SIZES
/* A second size, of 5 columns, which gives the number of columns. */
static int32_t runWide(const void *const *inputs, void *const *outputs,
                       int64_t batch, void *workspace,
                       HalftoneParallelFor parallelFor, void *pool) {
  for (int64_t i = 0; i < 5 * batch; ++i)
    ((float *)outputs[0])[i] = 5;
  for (int64_t i = 0; i < batch; ++i)
    ((int32_t *)outputs[1])[i] = (int32_t)batch;
  return 0;
}

static const HalftoneModel model, wide;
static const HalftoneModel *const sizes[] = {&model, &wide};
static const int64_t wideMatrix[] = {BATCH, 5};
static const HalftoneTensorInfo wideInputs[] = {
    {WIDE_NAME, wideMatrix, 2, HALFTONE_F32, ""}};
static const HalftoneTensorInfo wideOutputs[] = {
    {"y", wideMatrix, 2, HALFTONE_F32, ""}, {"runs", vector, 1, HALFTONE_I32, ""}};
static const HalftoneModel wide = {
    .abiVersion = TABLE_ABI,
    .structBytes = STRUCT_BYTES,
    .name = "twice",
    .target = "any",
    .cpuFeatures = FEATURES,
    .sourceHash = "00",
    .compilerVersion = "test",
    .report = "{}",
    .numInputs = 1,
    .numOutputs = 2,
    .inputs = wideInputs,
    .outputs = wideOutputs,
    .minBatch = MIN_BATCH,
    .maxBatch = MAX_BATCH,
    .workspaceAlignment = ALIGNMENT,
    .run = runWide,
    .size = "width=5",
};
#else
static const HalftoneModel *const *const sizes = 0;
enum { SIZES = 0 };
#endif
static const HalftoneModel model = {TABLE_ABI,
                                    STRUCT_BYTES,
                                    "twice",
                                    "any",
                                    FEATURES,
                                    "00",
                                    "test",
                                    "{}",
                                    1 + SIDE_INPUT,
                                    2,
                                    inputs,
                                    outputs,
                                    MIN_BATCH,
                                    MAX_BATCH,
                                    64 * 3 * sizeof(float),
                                    ALIGNMENT,
                                    0,
                                    run,
                                    2,
                                    sizeof(HalftoneLayerInfo),
                                    layers,
                                    0,
                                    0,
                                    0,
                                    "",
                                    0,
                                    0,
                                    SIZES,
                                    0,
                                    sizes,
                                    "width=3"};

#ifndef NO_QUERY
__attribute__((visibility("default")))
const HalftoneModel *halftone_query(void) {
  return &model;
}
#else
__attribute__((visibility("default"))) const HalftoneModel *another_name(void) {
  return &model;
}
#endif
