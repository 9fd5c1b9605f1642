//===- Runtime.h - Loads and runs compiled models ----------------*- C -*-===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The C API of libhalftone_runtime, which depends on no compiler library:
//
//   HalftoneModule *module = NULL;
//   HalftoneSession *session = NULL;
//   if (halftone_module_load("model.so", NULL, &module) ||
//       halftone_session_create(module, &session) ||
//       halftone_session_run(session, inputs, 1, outputs, 1))
//     fprintf(stderr, "%s\n", halftone_last_error());
//   halftone_session_destroy(session);
//   halftone_module_unload(module);
//
// Loading reads the file as bytes first: its format, its ABI version and the
// CPU features that it needs are known before any of its code is mapped. The
// file is code nevertheless: load only what you trust.
//
// Thread-safety: a module may be used by any number of threads; a session, by
// one at a time. All modules with the same number of threads share one pool, on
// which the parallel loops of their sessions take turns; its threads start with
// the first run. After fork(), a child may use what its parent loaded: the pool
// starts anew there.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_C_RUNTIME_H
#define HALFTONE_C_RUNTIME_H

#include "halftone-c/Artefact.h"

#define HALFTONE_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  HALFTONE_OK = 0,
  HALFTONE_CANNOT_READ = 1,         /**< No such file, or no permission. */
  HALFTONE_NOT_AN_ARTEFACT = 2,     /**< Not a compiled model, or damaged. */
  HALFTONE_WRONG_VERSION = 3,       /**< Another ABI version. */
  HALFTONE_MISSING_CPU_FEATURE = 4, /**< This machine cannot run it. */
  HALFTONE_INVALID_ARGUMENT = 5,    /**< A name, type, shape or pointer. */
  HALFTONE_OUT_OF_MEMORY = 6,
  HALFTONE_RUN_FAILED = 7 /**< The model itself reported an error. */
} HalftoneStatus;

/// What went wrong in the last call on this thread that did not return
/// HALFTONE_OK: one message, naming every instance, without a final newline.
/// Valid until the next failing call on this thread; "" before the first.
HALFTONE_EXPORT const char *halftone_last_error(void);

/// A loaded model.
typedef struct HalftoneModule HalftoneModule;

/// A dense, row-major array that the caller owns.
typedef struct {
  const char *name;     /**< NULL: the tensor at the same position. */
  const int64_t *shape; /**< `rank` extents; may be NULL when rank is 0. */
  int32_t rank;
  int32_t elementType; /**< A HalftoneElementType. */
  void *data;          /**< Read only, when it is an input. */
} HalftoneBuffer;

/// Options of halftone_module_load; all zeros are the defaults.
typedef struct {
  /// Threads that run a model's parallel loops, the caller's included. 0: the
  /// environment variable HALFTONE_NUM_THREADS if it is set, else the CPUs
  /// that this process may use (affinity and cgroup quota). Of more than there
  /// are CPUs in the affinity, so many start: more would wait for one another.
  int32_t numThreads;
} HalftoneLoadOptions;

/// Loads a compiled model; of a library for several instruction sets, the best
/// model that this CPU can run. Constants of models that read them once a run, as
/// products of one row do, or lists of sparse kernels, are moved to huge pages of
/// the process, if there are 4 MiB or more; HALFTONE_HUGE_PAGES=0 in the
/// environment leaves them in the mapped file, which processes share. `options` may be NULL. On success `*module` is to
/// be freed by halftone_module_unload; on failure it is NULL.
HALFTONE_EXPORT HalftoneStatus
halftone_module_load(const char *path, const HalftoneLoadOptions *options,
                     HalftoneModule **module);

/// Frees the module, after all its sessions. NULL is allowed.
HALFTONE_EXPORT void halftone_module_unload(HalftoneModule *module);

/// The model's table (Artefact.h), valid until the module is unloaded; of a
/// library for several sizes, that of the first.
HALFTONE_EXPORT const HalftoneModel *
halftone_module_info(const HalftoneModule *module);

/// Of a library for several sizes of dimensions (HalftoneModel::sizes): the
/// module of the size that these inputs have, whole ones or samples of them
/// along a leading axis; of any other, the module itself. Its model, layers,
/// sessions and sample plans are those of that size. It is freed with `module`.
/// NULL if the library has no such size; the message names those that it has.
HALFTONE_EXPORT HalftoneModule *
halftone_module_for_inputs(HalftoneModule *module, const HalftoneBuffer *inputs,
                           int32_t numInputs);

/// The number of threads that its parallel loops are shared out for, at least 1.
HALFTONE_EXPORT int32_t halftone_module_threads(const HalftoneModule *module);

/// The number of layers that the model lists; 0 for an artefact without a list.
HALFTONE_EXPORT int32_t
halftone_module_num_layers(const HalftoneModule *module);

/// One of them, in the order of running, valid until the module is unloaded;
/// NULL for an index out of range.
HALFTONE_EXPORT const HalftoneLayerInfo *
halftone_module_layer(const HalftoneModule *module, int32_t index);

/// A module with a workspace of its own.
typedef struct HalftoneSession HalftoneSession;

/// Makes a session, whose workspace is allocated once, here. On success
/// `*session` is to be freed by halftone_session_destroy; on failure it is
/// NULL. The module must outlive it.
HALFTONE_EXPORT HalftoneStatus
halftone_session_create(HalftoneModule *module, HalftoneSession **session);

/// Frees the session. NULL is allowed.
HALFTONE_EXPORT void halftone_session_destroy(HalftoneSession *session);

/// Runs the model once. Each input and output of the model is given exactly
/// once, by name or by position, with the model's element type and shape; the
/// batch is what the inputs' shapes say, and so is the size of a library for
/// several.
HALFTONE_EXPORT HalftoneStatus halftone_session_run(
    HalftoneSession *session, const HalftoneBuffer *inputs, int32_t numInputs,
    const HalftoneBuffer *outputs, int32_t numOutputs);

/// The same, and adds the wall time of each layer to `nanoseconds`, which has
/// halftone_module_num_layers + 1 elements, of the module of their size: the
/// last is the time of the whole run, what lies between the layers included.
HALFTONE_EXPORT HalftoneStatus halftone_session_run_profiled(
    HalftoneSession *session, const HalftoneBuffer *inputs, int32_t numInputs,
    const HalftoneBuffer *outputs, int32_t numOutputs, int64_t *nanoseconds);

/// How arrays with a leading sample axis go through a model, whatever its
/// batch. For an input of shape [B, d1, ...], B static or the symbolic batch,
/// the array is [N, d1, ...]: N samples, B of them in each run. An array of
/// shape [N, B, d1, ...] holds one whole input in each sample; with B = 1 the
/// two are the same.
typedef struct {
  int64_t numSamples;    /**< N, equal for all inputs. */
  int64_t samplesPerRun; /**< P: the most samples that one run consumes. */
  int64_t batch;         /**< The value of extents -1 in a run of P samples. */
} HalftoneSamplePlan;

/// Finds the plan for these inputs, or says why there is none.
HALFTONE_EXPORT HalftoneStatus halftone_samples_plan(
    const HalftoneModule *module, const HalftoneBuffer *inputs,
    int32_t numInputs, HalftoneSamplePlan *plan);

/// The shape of all samples of one output: [N, d1, ...] for [P, d1, ...], or
/// [N, d0, d1, ...] where the output has no sample axis and P is 1. Writes at
/// most rank + 1 extents of the output into `shape`. Of a library for several
/// sizes it takes the module of the inputs' (halftone_module_for_inputs).
HALFTONE_EXPORT HalftoneStatus halftone_samples_output_shape(
    const HalftoneModule *module, const HalftoneSamplePlan *plan,
    int32_t output, int64_t *shape, int32_t *rank);

/// Runs all samples. The last run of a model with a batch above 1 repeats the
/// last sample where there are too few, and drops what that gives.
HALFTONE_EXPORT HalftoneStatus halftone_session_run_samples(
    HalftoneSession *session, const HalftoneBuffer *inputs, int32_t numInputs,
    const HalftoneBuffer *outputs, int32_t numOutputs);

/// "f32", "i8", ... for a HalftoneElementType; NULL for another value.
HALFTONE_EXPORT const char *halftone_element_name(int32_t elementType);

/// Bytes of one element; 0 for a value that is no HalftoneElementType.
HALFTONE_EXPORT int64_t halftone_element_bytes(int32_t elementType);

/// The features of this CPU that the runtime knows, comma-separated, named as
/// in /proc/cpuinfo, less those that the environment variable
/// HALFTONE_HIDE_CPU_FEATURES (comma-separated) hides, e.g. to run the code for
/// a lesser CPU. Lives as long as the process.
HALFTONE_EXPORT const char *halftone_host_cpu_features(void);

#ifdef __cplusplus
}
#endif

#endif /* HALFTONE_C_RUNTIME_H */
