//===- Artefact.h - The binary contract of a compiled model ------*- C -*-===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A compiled model (`model.so`) exports one symbol, halftone_query, which
// returns a table of constants and one function pointer. This header is all
// that a C program needs to call it; libhalftone_runtime (Runtime.h) does the
// same with checks, a thread pool and error messages.
//
// The shared library has no dependency (no DT_NEEDED, no undefined symbol),
// allocates nothing, and has no mutable global state: `run` may be called from
// any number of threads at once, provided that each call has its own outputs
// and its own workspace.
//
// The library is code. Load only what you trust.
//
// Stability: fields are only ever appended to HalftoneModel, and `structBytes`
// says how many the artefact has. `abiVersion` changes when a field changes
// meaning; a reader refuses a version that it does not know.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_C_ARTEFACT_H
#define HALFTONE_C_ARTEFACT_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HALFTONE_ABI_VERSION 1

/// The least alignment of a workspace, in bytes. Inputs and outputs need only
/// the natural alignment of their element type; aligned to this, they are
/// faster.
#define HALFTONE_ALIGNMENT 64

/// The exported symbol, for dlsym.
#define HALFTONE_QUERY_SYMBOL "halftone_query"

/// An ELF note lets a loader judge the file from its bytes, before any of its
/// code is mapped. Its descriptor is: u32 abiVersion, u32 reserved (0), then
/// the same NUL-terminated text as HalftoneModel::cpuFeatures; little-endian,
/// padded with zeros to a multiple of 4 bytes. A library for several instruction
/// sets has a note for each, in the order of HalftoneModel::variants.
#define HALFTONE_NOTE_SECTION ".note.halftone"
#define HALFTONE_NOTE_NAME "Halftone"
#define HALFTONE_NOTE_TYPE 1

/// Element types of inputs and outputs. All are little-endian; BOOL is one
/// byte, 0 or 1.
typedef enum {
  HALFTONE_F32 = 1,
  HALFTONE_I8 = 2,
  HALFTONE_U8 = 3,
  HALFTONE_I32 = 4,
  HALFTONE_I64 = 5,
  HALFTONE_BOOL = 6
} HalftoneElementType;

/// One input or output: dense, row-major (C order), in the layout of the
/// source model.
typedef struct {
  const char *name;       /**< The source model's name; UTF-8. */
  const int64_t *shape;   /**< `rank` extents; -1 is the symbolic batch. */
  int32_t rank;           /**< 0 for a scalar; `shape` may then be NULL. */
  int32_t elementType;    /**< A HalftoneElementType. */
  const char *preprocess; /**< The recorded --input line, or "". */
} HalftoneTensorInfo;

/// A range [begin, end) of the iterations of one parallel loop. Ranges of one
/// loop may run at the same time, in any order, each exactly once.
typedef void (*HalftoneBody)(void *context, int64_t begin, int64_t end);

/// Runs `body` over [0, count) in disjoint chunks that cover it, and returns
/// when all are done. `pool` is what the caller of `run` gave. A null function
/// pointer in `run` means: serially, on the calling thread. Outputs have the
/// same bits whatever the chunks and threads are.
typedef void (*HalftoneParallelFor)(void *pool, HalftoneBody body,
                                    void *context, int64_t count);

/// One layer: a body that `run` gives to parallelFor, serial ones too. Counts
/// are what the layer's operands need at least, each counted once: what a
/// profile divides by the time.
typedef struct {
  const char *name;   /**< Of the source model's node, the first of several. */
  const char *kind;   /**< E.g. "conv 3x3/2", "depthwise 5x5", "lookup". */
  const char *kernel; /**< E.g. "vpdpbusd_512", "vector_512", "scalar". */
  const char *shapes; /**< E.g. "1x14x14x96 -> 1x14x14x24". */
  HalftoneBody body;
  /// 1: the layer's work grows with the batch, and the first three counts are
  /// those of batch 1. 0: they are those of any batch.
  int32_t perSample;
  /// Calls of one run, which each of the counts below is of. Negative: so many
  /// for each sample; 0, of older artefacts: 1.
  int32_t calls;
  int64_t multiplyAccumulates;
  int64_t readBytes, writtenBytes; /**< Of inputs, outputs and workspace. */
  int64_t constantBytes;           /**< Of weights, biases and tables. */
  /// What the compiler's cost model reads of a contraction, a text of its own;
  /// "" for other layers. Artefacts whose layerStructBytes ends before have
  /// none.
  const char *cost;
} HalftoneLayerInfo;

/// The table of a compiled model. It and all it points to are constant, and
/// live until the library is unloaded. Strings are NUL-terminated UTF-8 and
/// never NULL.
typedef struct HalftoneModel {
  uint32_t abiVersion;  /**< HALFTONE_ABI_VERSION of the compiler. */
  uint32_t structBytes; /**< sizeof(HalftoneModel) of the compiler. */

  const char *name;
  const char *target;      /**< E.g. "x86-64-v4+avx512vnni". */
  const char *cpuFeatures; /**< Comma-separated features that the code needs,
                                named as in Linux's /proc/cpuinfo, e.g.
                                "avx2,fma"; "" when it needs none. */
  const char *sourceHash;  /**< Hash of the source model, in hexadecimal. */
  const char *compilerVersion;
  const char *report; /**< JSON: the precision of each op, sizes. */

  int32_t numInputs;
  int32_t numOutputs;
  const HalftoneTensorInfo *inputs;  /**< In the source model's order. */
  const HalftoneTensorInfo *outputs; /**< In the source model's order. */

  /// The range of `batch`, the value of every extent that is -1. Both are 1
  /// when all extents are static.
  int64_t minBatch, maxBatch;

  /// Bytes that `run` needs at `workspace`, for batch = maxBatch, and their
  /// alignment (a power of two, at least HALFTONE_ALIGNMENT). Contents before
  /// and after a call mean nothing.
  int64_t workspaceBytes, workspaceAlignment;

  /// Bytes of weights, biases, scales and tables in the file.
  int64_t constantBytes;

  /// Runs the model once. `inputs` and `outputs` hold numInputs and numOutputs
  /// pointers to dense buffers that do not overlap one another; `workspace`
  /// may be NULL when workspaceBytes is 0. `parallelFor` may be NULL: serial.
  /// Kernels keep what they decode or transform on the stack of the thread that
  /// runs them, up to 1 MiB of it.
  /// Returns 0 on success; anything else when `batch` is out of range or the
  /// system refuses what the code needs, and the outputs are then undefined.
  /// Pointers are not checked.
  int32_t (*run)(const void *const *inputs, void *const *outputs, int64_t batch,
                 void *workspace, HalftoneParallelFor parallelFor, void *pool);

  /// The layers in the order in which `run` runs them; `layerStructBytes` is
  /// the distance from one to the next (fields are only ever appended).
  /// Artefacts whose structBytes ends before have no list.
  int32_t numLayers, layerStructBytes;
  const HalftoneLayerInfo *layers;

  /// The models of the library, one for each instruction set, if it was compiled
  /// for several (this one among them), the most capable first; 0 and NULL if
  /// there is only this one. They differ in `target`, `cpuFeatures`, `run`, layers, workspace
  /// and constants, never in a bit of the outputs. Artefacts whose structBytes
  /// ends before have one model.
  int32_t numVariants, reserved;
  const struct HalftoneModel *const *variants;

  /// Name and hash of the table of costs by which code was chosen; "" for the
  /// reference. Artefacts whose structBytes ends before do not say.
  const char *costTable;

  /// Of a model whose `run` computes the samples of a batch one after the
  /// other: how many a run has (-1: the batch), and the run of one, which takes
  /// pointers to its tensors, 1 as the batch, and a workspace that no other
  /// call uses at the time. Samples may run side by side so. Else 0 and NULL.
  /// Artefacts whose structBytes ends before have none.
  int64_t samples;
  int32_t (*runSample)(const void *const *inputs, void *const *outputs,
                       int64_t batch, void *workspace,
                       HalftoneParallelFor parallelFor, void *pool);

  /// All models of this instruction set if the library was compiled for several
  /// sizes of dimensions (this one, the first, among them); 0 and NULL if there
  /// is only this one, and in the others. Their inputs and outputs have the same
  /// names, element types, ranks and open dimensions, and other extents. `size`
  /// names those of this model, e.g. "seq=16"; "" if there is only one.
  /// Artefacts whose structBytes ends before have one size.
  int32_t numSizes, sizesReserved;
  const struct HalftoneModel *const *sizes;
  const char *size;
} HalftoneModel;

/// The one exported symbol of a compiled model; of an object file it is
/// halftone_query_NAME by the file's name, which the header beside it declares,
/// so that a program can have several models. Never returns NULL. Of several
/// models it returns the one that asks least of the CPU; libhalftone_runtime
/// takes the first of `variants` that this CPU can run.
const HalftoneModel *halftone_query(void);

#ifdef __cplusplus
}
#endif

#endif /* HALFTONE_C_ARTEFACT_H */
