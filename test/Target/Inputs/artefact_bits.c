/* Prints a digest of each output of a compiled model, the same text on every CPU and under every emulator.

   artefact_bits MODEL.so [MAX_BATCH [SLACK]]

   For each batch, once serially and twice in parts (backwards, of 1 and of 3 iterations; the former with another
   rounding mode of the caller): the bits must not depend on it. Inputs are a fixed pattern of all codes. They and the
   outputs end where a page ends that is followed by one without access, or SLACK bytes before it. Status 3, and the names on stdout: this CPU, or
   the emulated one, lacks features that the model needs. */
#include "halftone-c/Artefact.h"
#include <dlfcn.h>
#include <fenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

enum { MAX_TENSORS = 128 };

static int64_t slack = 0;

static void stop(const char *why, const char *what) {
  fprintf(stderr, "%s: %s\n", why, what);
  exit(1);
}

static int64_t element_bytes(int32_t type) { return type == HALFTONE_I64 ? 8 : type == HALFTONE_F32 || type == HALFTONE_I32 ? 4 : 1; }

static int64_t count(const HalftoneTensorInfo *tensor, int64_t batch) {
  int64_t product = 1;
  for (int32_t axis = 0; axis < tensor->rank; ++axis)
    product *= tensor->shape[axis] < 0 ? batch : tensor->shape[axis];
  return product;
}

/* `bytes` bytes at the end of their memory. */
static void *guarded(int64_t bytes) {
  bytes += slack;
  int64_t page = sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  char *memory = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory + whole, page, PROT_NONE))
    stop("cannot allocate", "memory with a guard page");
  return memory + whole - bytes;
}

static void fill(const HalftoneTensorInfo *tensor, int64_t elements, uint32_t seed, void *data) {
  uint32_t state = seed * 7919 + 1;
  for (int64_t i = 0; i < elements; ++i) {
    state = (state * 1103515245u + 12345u) & 0x7fffffffu;
    int number = (int)(state >> 8 & 255) - 128;
    switch (tensor->elementType) {
    case HALFTONE_F32: ((float *)data)[i] = (float)number / 53.0f; break;
    case HALFTONE_I8: ((int8_t *)data)[i] = (int8_t)number; break;
    case HALFTONE_U8: ((uint8_t *)data)[i] = (uint8_t)(number + 128); break;
    case HALFTONE_I32: ((int32_t *)data)[i] = number; break;
    case HALFTONE_I64: ((int64_t *)data)[i] = number; break;
    default: ((uint8_t *)data)[i] = number & 1;
    }
  }
}

static uint64_t digest(const unsigned char *bytes, int64_t size) {
  uint64_t hash = 14695981039346656037ull;
  for (int64_t i = 0; i < size; ++i)
    hash = (hash ^ bytes[i]) * 1099511628211ull;
  return hash;
}

/* Of the emulator, where it is preloaded (test/Emulator). */
extern const char *halftone_emulated_features(void) __attribute__((weak));

static int is_emulated(const char *name) {
  size_t length = strlen(name);
  for (const char *list = halftone_emulated_features ? halftone_emulated_features() : ""; *list;) {
    size_t size = strcspn(list, ",");
    if (size == length && !strncmp(list, name, size))
      return 1;
    list += size + (list[size] == ',');
  }
  return 0;
}

/* Whether the CPU has a feature, by its name in /proc/cpuinfo; those of x86-64-v3 stand and fall with avx2 here. */
static int has_feature(const char *name) {
  if (is_emulated(name))
    return 1;
#if defined(__aarch64__)
  return !strcmp(name, "asimd")     ? (getauxval(AT_HWCAP) & HWCAP_ASIMD) != 0
         : !strcmp(name, "asimddp") ? (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0
         : !strcmp(name, "i8mm")    ? (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0
                                    : 0;
#else
#define FEATURE(linux_name, clang_name)                                                                               \
  if (!strcmp(name, linux_name))                                                                                       \
    return __builtin_cpu_supports(clang_name) != 0;
  FEATURE("avx512f", "avx512f")
  FEATURE("avx512bw", "avx512bw")
  FEATURE("avx512cd", "avx512cd")
  FEATURE("avx512dq", "avx512dq")
  FEATURE("avx512vl", "avx512vl")
  FEATURE("avx512vbmi", "avx512vbmi")
  FEATURE("avx512_vnni", "avx512vnni")
  FEATURE("avx_vnni", "avxvnni")
  FEATURE("amx_tile", "amx-tile")
  FEATURE("amx_int8", "amx-int8")
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
}

/* Prints the features of a comma-separated list that the CPU lacks; their number. */
static int print_missing(const char *list) {
  char copy[1024];
  int missing = 0;
  snprintf(copy, sizeof copy, "%s", list);
  for (char *name = strtok(copy, ","); name; name = strtok(NULL, ","))
    if (!has_feature(name))
      printf("%s%s", missing++ ? ", " : "lacks ", name);
  if (missing)
    printf("\n");
  return missing;
}

/* parallel_for over pieces of `*pool` iterations, the last one first. */
static void backwards(void *pool, HalftoneBody body, void *context, int64_t total) {
  int64_t piece = *(int64_t *)pool;
  for (int64_t begin = (total - 1) / piece * piece; begin >= 0; begin -= piece)
    body(context, begin, begin + piece < total ? begin + piece : total);
}

static void run_batch(const HalftoneModel *model, int64_t batch, void *workspace) {
  const void *inputs[MAX_TENSORS];
  void *outputs[MAX_TENSORS];
  uint64_t expected[MAX_TENSORS];
  for (int32_t i = 0; i < model->numInputs; ++i) {
    int64_t elements = count(&model->inputs[i], batch);
    void *data = guarded(elements * element_bytes(model->inputs[i].elementType));
    fill(&model->inputs[i], elements, i + 1, data);
    inputs[i] = data;
  }
  for (int64_t piece = 0; piece <= 3; piece = piece == 1 ? 3 : piece + 1) {
    for (int32_t i = 0; i < model->numOutputs; ++i)
      outputs[i] = guarded(count(&model->outputs[i], batch) * element_bytes(model->outputs[i].elementType));
    int mode = piece == 1 ? FE_UPWARD : FE_TONEAREST;
    fesetround(mode);
    int32_t status = model->run(inputs, outputs, batch, workspace, piece ? backwards : NULL, &piece);
    if (fegetround() != mode)
      stop(model->name, "the caller's rounding mode is lost");
    fesetround(FE_TONEAREST);
    if (status)
      stop(model->name, "run failed");
    for (int32_t i = 0; i < model->numOutputs; ++i) {
      int64_t size = count(&model->outputs[i], batch) * element_bytes(model->outputs[i].elementType);
      uint64_t hash = digest(outputs[i], size);
      if (piece && hash != expected[i])
        stop(model->outputs[i].name, "depends on the parts or on the caller's rounding mode");
      expected[i] = hash;
      if (!piece)
        printf("batch %lld %s %016llx\n", (long long)batch, model->outputs[i].name, (unsigned long long)hash);
    }
    if (piece == 3)
      break;
  }
}

int main(int argc, char **argv) {
  if (argc < 2)
    stop("usage", "artefact_bits MODEL.so [MAX_BATCH [SLACK]]");
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library)
    stop("cannot load", dlerror());
  const HalftoneModel *(*query)(void) = (const HalftoneModel *(*)(void))dlsym(library, HALFTONE_QUERY_SYMBOL);
  const HalftoneModel *model = query ? query() : NULL;
  if (!model || model->numInputs > MAX_TENSORS || model->numOutputs > MAX_TENSORS)
    stop("cannot use", argv[1]);
  if (print_missing(model->cpuFeatures))
    return 3;
  void *workspace = NULL;
  if (posix_memalign(&workspace, model->workspaceAlignment, model->workspaceBytes + 1))
    stop("cannot allocate", "the workspace");
  memset(workspace, 0x5A, model->workspaceBytes);
  slack = argc > 3 ? atoll(argv[3]) : 0;
  int64_t last = argc > 2 && atoll(argv[2]) < model->maxBatch ? atoll(argv[2]) : model->maxBatch;
  for (int64_t batch = model->minBatch; batch <= last; ++batch)
    run_batch(model, batch, workspace);
  return 0;
}
