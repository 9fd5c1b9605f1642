//===- ThreadPool.h - Runs a model's parallel loops -----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_THREADPOOL_H
#define HALFTONE_RUNTIME_THREADPOOL_H

#include "halftone-c/Artefact.h"
#include <memory>

struct pthreadpool;

namespace mlir::halftone {

/// A pool of the pthreadpool library, behind the artefact's callback. Loops
/// started by different threads take turns. A pool of one thread starts none.
class ThreadPool {
public:
  /// Null when the threads cannot be started.
  static std::unique_ptr<ThreadPool> create(int numThreads);
  ~ThreadPool();

  int size() const { return numThreads; }

  /// For HalftoneModel::run: null for one thread, which means serially.
  HalftoneParallelFor callback() const {
    return pool ? &ThreadPool::parallelFor : nullptr;
  }

  /// A HalftoneParallelFor whose `self` is a ThreadPool.
  static void parallelFor(void *self, HalftoneBody body, void *context,
                          int64_t count);

private:
  explicit ThreadPool(int numThreads) : numThreads(numThreads) {}

  int numThreads;
  pthreadpool *pool = nullptr;
};

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_THREADPOOL_H
