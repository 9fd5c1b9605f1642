//===- Module.h - A loaded model and a session of it ----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands behind the opaque handles of Runtime.h.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_MODULE_H
#define HALFTONE_RUNTIME_MODULE_H

#include "halftone-c/Runtime.h"
#include "halftone/Runtime/ThreadPool.h"
#include <memory>
#include <string>
#include <vector>

struct HalftoneModule {
  HalftoneModule() = default;
  ~HalftoneModule();
  HalftoneModule(const HalftoneModule &) = delete;
  HalftoneModule &operator=(const HalftoneModule &) = delete;

  std::string path;
  void *handle = nullptr; // Of dlopen.
  const HalftoneModel *model = nullptr;
  int32_t numLayers = 0; // 0: the artefact is older than the list of layers.
  std::shared_ptr<mlir::halftone::ThreadPool> pool;
  /// Of a library for several sizes of dimensions, a module for each; the model
  /// of the first is this module's.
  std::vector<std::unique_ptr<HalftoneModule>> sizes;
};

namespace mlir::halftone {
/// What halftone_module_for_inputs returns.
const HalftoneModule *findSize(const HalftoneModule &module,
                               const HalftoneBuffer *inputs, int32_t numInputs);
} // namespace mlir::halftone

struct HalftoneSession {
  ~HalftoneSession();

  /// Allocates the workspaces; false if there is no memory for them.
  bool allocate();

  /// Runs the model, or one of its sizes, on buffers that have been checked, on
  /// the module's pool.
  HalftoneStatus run(const HalftoneModel &model, const void *const *inputs,
                     void *const *outputs, int64_t batch);

  /// The same with another parallel_for and its first argument.
  HalftoneStatus run(const HalftoneModel &model, const void *const *inputs,
                     void *const *outputs, int64_t batch,
                     HalftoneParallelFor parallelFor, void *pool);

  HalftoneModule *module = nullptr;
  /// One; of a model whose samples run side by side, one for each thread. They
  /// are large enough for all sizes.
  std::vector<void *> workspaces;
  int64_t workspaceBytes = 0; ///< Of each.

private:
  /// Runs all samples of a batch side by side, each on one thread.
  HalftoneStatus runSamples(const HalftoneModel &model,
                            const void *const *inputs, void *const *outputs,
                            int64_t count);
};

#endif // HALFTONE_RUNTIME_MODULE_H
