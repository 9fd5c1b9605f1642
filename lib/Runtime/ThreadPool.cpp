//===- ThreadPool.cpp - Runs a model's parallel loops ---------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/ThreadPool.h"
#include "halftone/Runtime/FloatMode.h"
#include <algorithm>
#include <map>
#include <mutex>
#include <pthread.h>
#include <pthreadpool.h>

using namespace mlir::halftone;

/// Chunks for each thread: enough that a thread that was interrupted does not
/// hold up the others (the library moves chunks from slow threads to fast
/// ones), few enough that handing them out costs nothing.
static constexpr int64_t kChunksPerThread = 4;

namespace {
struct Loop {
  HalftoneBody body;
  void *context;
};
} // namespace

namespace mlir::halftone {
/// The pools of the process. Locked while the process forks, so that a child
/// finds the list as it is between two changes. Never destroyed: a module may
/// outlive main().
class PoolRegistry {
public:
  static PoolRegistry &get() {
    static auto *registry = new PoolRegistry;
    return *registry;
  }

  std::mutex mutex;
  std::map<int, std::weak_ptr<ThreadPool>> pools; // By number of threads.

private:
  PoolRegistry() {
    pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                   [] { get().enterChild(); });
  }

  /// The child has none of the parent's workers, and the library's lock may be
  /// held by one of them: the old pools are abandoned, not destroyed.
  void enterChild() {
    for (auto &[numThreads, weak] : pools)
      if (std::shared_ptr<ThreadPool> pool = weak.lock())
        pool->pool = nullptr;
    mutex.unlock();
  }
};
} // namespace mlir::halftone

std::shared_ptr<ThreadPool> ThreadPool::shared(int numThreads) {
  numThreads = std::max(numThreads, 1);
  PoolRegistry &registry = PoolRegistry::get();
  std::lock_guard<std::mutex> lock(registry.mutex);
  std::weak_ptr<ThreadPool> &entry = registry.pools[numThreads];
  std::shared_ptr<ThreadPool> pool = entry.lock();
  if (!pool) {
    pool.reset(new ThreadPool(numThreads));
    entry = pool;
  }
  return pool;
}

bool ThreadPool::start() {
  if (numThreads == 1 || pool.load(std::memory_order_acquire))
    return true;
  std::lock_guard<std::mutex> lock(PoolRegistry::get().mutex);
  if (!pool.load(std::memory_order_relaxed))
    pool.store(pthreadpool_create(static_cast<size_t>(numThreads)),
               std::memory_order_release);
  return pool.load(std::memory_order_relaxed) != nullptr;
}

ThreadPool::~ThreadPool() {
  if (pthreadpool *started = pool.load())
    pthreadpool_destroy(started);
}

static void runChunk(void *opaque, size_t begin, size_t count) {
  IeeeFloatMode mode;
  const Loop &loop = *static_cast<const Loop *>(opaque);
  loop.body(loop.context, static_cast<int64_t>(begin),
            static_cast<int64_t>(begin + count));
}

void ThreadPool::parallelFor(void *self, HalftoneBody body, void *context,
                             int64_t count) {
  auto &threadPool = *static_cast<ThreadPool *>(self);
  if (count <= 0)
    return;
  int64_t chunks = threadPool.numThreads * kChunksPerThread;
  int64_t tile = std::max<int64_t>((count + chunks - 1) / chunks, 1);
  Loop loop = {body, context};
  pthreadpool *pool = threadPool.pool.load(std::memory_order_acquire);
  pthreadpool_parallelize_1d_tile_1d(pool, runChunk, &loop,
                                     static_cast<size_t>(count),
                                     static_cast<size_t>(tile), /*flags=*/0);
}
