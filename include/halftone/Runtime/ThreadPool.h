//===- ThreadPool.h - Runs a model's parallel loops -----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The process has one pool for each number of threads that some module asks
// for, which is one pool unless the caller chose several: two loaded models do
// not have twice the threads. Threads start with the first run, not when a
// model is loaded, so that a server may load and then fork. In a child, where
// fork() leaves no thread but the caller's, a pool starts its threads anew.
//
// Workers keep off the CPU of the thread that starts a run, where there are CPUs
// enough. Left to the kernel, a worker that is woken may share the CPU of its
// caller for a quarter of a second while another one idles.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_THREADPOOL_H
#define HALFTONE_RUNTIME_THREADPOOL_H

#include "halftone-c/Artefact.h"
#include <atomic>
#include <memory>
#include <sys/types.h>
#include <vector>

struct pthreadpool;

namespace mlir::halftone {

/// A pool of the pthreadpool library, behind the artefact's callback. Loops
/// started by different threads take turns. A pool of one thread starts none.
class ThreadPool {
public:
  /// The process's pool of `numThreads` threads, a loop's caller included.
  static std::shared_ptr<ThreadPool> shared(int numThreads);
  ~ThreadPool();

  /// What loops are shared out for. No more threads start than the thread that starts them has CPUs.
  int size() const { return numThreads; }

  /// Starts the threads unless they run; false when the system refuses. To be
  /// called before the loops of each run.
  bool start();

  /// For HalftoneModel::run: null for one thread, which means serially.
  HalftoneParallelFor callback() const {
    return numThreads > 1 ? &ThreadPool::parallelFor : nullptr;
  }

  /// A HalftoneParallelFor whose `self` is a ThreadPool that has started.
  static void parallelFor(void *self, HalftoneBody body, void *context,
                          int64_t count);

private:
  friend class PoolRegistry;
  explicit ThreadPool(int numThreads) : numThreads(numThreads) {}

  bool create();
  void keepOffCaller();

  int numThreads;
  std::atomic<pthreadpool *> pool = nullptr;
  std::vector<pid_t> workers;         ///< Empty if they could not be found.
  std::atomic<int> avoidedCpu = -1;   ///< The caller's, when it was last seen elsewhere.
};

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_THREADPOOL_H
