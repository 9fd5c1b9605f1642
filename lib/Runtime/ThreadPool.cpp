//===- ThreadPool.cpp - Runs a model's parallel loops ---------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/ThreadPool.h"
#include "halftone/Runtime/FloatMode.h"
#include "halftone/Runtime/ThreadCount.h"
#include <algorithm>
#include <chrono>
#include <map>
#include <mutex>
#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <unistd.h>

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
      if (std::shared_ptr<ThreadPool> pool = weak.lock()) {
        pool->pool = nullptr;
        pool->avoidedCpu = -1;
      }
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

//===----------------------------------------------------------------------===//
// Where the workers run
//===----------------------------------------------------------------------===//

namespace {
/// Each thread of a pool takes one item of a loop and keeps it until all have
/// one: then none has two.
struct RollCall {
  std::vector<pid_t> threads;
  std::atomic<size_t> present = 0;
  std::chrono::steady_clock::time_point end;

  static void answer(void *opaque, size_t item) {
    auto &call = *static_cast<RollCall *>(opaque);
    call.threads[item] = gettid();
    ++call.present;
    while (call.present < call.threads.size() && std::chrono::steady_clock::now() < call.end)
      sched_yield();
  }
};
} // namespace

/// The threads of the pool but the caller's; none if some did not come.
static std::vector<pid_t> findWorkers(pthreadpool *pool) {
  RollCall call;
  call.threads.resize(pthreadpool_get_threads_count(pool));
  call.end = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  pthreadpool_parallelize_1d(pool, RollCall::answer, &call, call.threads.size(), /*flags=*/0);
  std::sort(call.threads.begin(), call.threads.end());
  bool isComplete = std::adjacent_find(call.threads.begin(), call.threads.end()) == call.threads.end();
  call.threads.erase(std::remove(call.threads.begin(), call.threads.end(), gettid()), call.threads.end());
  return isComplete ? call.threads : std::vector<pid_t>();
}

bool ThreadPool::create() {
  std::lock_guard<std::mutex> lock(PoolRegistry::get().mutex);
  if (pool.load(std::memory_order_relaxed))
    return true;
  // Workers spin: with one more than there are CPUs each loop waits for the scheduler, 200 times as long as it runs.
  pthreadpool *made = pthreadpool_create(static_cast<size_t>(std::min(numThreads, affinityCount())));
  workers = made ? findWorkers(made) : std::vector<pid_t>();
  pool.store(made, std::memory_order_release);
  return made != nullptr;
}

/// Of the CPUs that the caller may use, its own is left to it. Nothing is done
/// where the rest is too few for the workers, and again only when the caller
/// has moved.
void ThreadPool::keepOffCaller() {
  int cpu = sched_getcpu();
  if (cpu < 0 || avoidedCpu.exchange(cpu, std::memory_order_relaxed) == cpu)
    return;
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof(allowed), &allowed))
    return;
  CPU_CLR(cpu, &allowed);
  if (static_cast<size_t>(CPU_COUNT(&allowed)) < workers.size())
    return;
  for (pid_t worker : workers)
    (void)sched_setaffinity(worker, sizeof(allowed), &allowed); // a wish, no more
}

bool ThreadPool::start() {
  if (numThreads == 1)
    return true;
  if (!pool.load(std::memory_order_acquire) && !create())
    return false;
  keepOffCaller();
  return true;
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
