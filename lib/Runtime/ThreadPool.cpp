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

std::unique_ptr<ThreadPool> ThreadPool::create(int numThreads) {
  std::unique_ptr<ThreadPool> result(new ThreadPool(std::max(numThreads, 1)));
  if (numThreads <= 1)
    return result;
  result->pool = pthreadpool_create(static_cast<size_t>(numThreads));
  return result->pool ? std::move(result) : nullptr;
}

ThreadPool::~ThreadPool() {
  if (pool)
    pthreadpool_destroy(pool);
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
  pthreadpool_parallelize_1d_tile_1d(threadPool.pool, runChunk, &loop,
                                     static_cast<size_t>(count),
                                     static_cast<size_t>(tile), /*flags=*/0);
}
