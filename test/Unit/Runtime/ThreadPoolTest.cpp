//===- ThreadPoolTest.cpp - Each iteration exactly once
//--------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/ThreadPool.h"
#include "gtest/gtest.h"
#include <atomic>
#include <thread>
#include <vector>

using namespace mlir::halftone;

static void countIterations(void *context, int64_t begin, int64_t end) {
  auto &hits = *static_cast<std::vector<std::atomic<int>> *>(context);
  for (int64_t i = begin; i < end; ++i)
    ++hits[i];
}

TEST(ThreadPoolTest, EachIterationExactlyOnce) {
  for (int numThreads : {2, 3, 8}) {
    auto pool = ThreadPool::create(numThreads);
    ASSERT_NE(nullptr, pool);
    EXPECT_EQ(numThreads, pool->size());
    for (int64_t count : {0, 1, 2, 7, 31, 32, 33, 1000}) {
      std::vector<std::atomic<int>> hits(count);
      pool->callback()(pool.get(), countIterations, &hits, count);
      for (const std::atomic<int> &hit : hits)
        EXPECT_EQ(1, hit);
    }
  }
}

TEST(ThreadPoolTest, OneThreadIsSerial) {
  auto pool = ThreadPool::create(1);
  EXPECT_EQ(nullptr, pool->callback());
}

TEST(ThreadPoolTest, CallersTakeTurns) {
  auto pool = ThreadPool::create(2);
  std::vector<std::atomic<int>> hits(100);
  std::vector<std::thread> callers;
  for (int i = 0; i < 4; ++i)
    callers.emplace_back([&] {
      for (int round = 0; round < 50; ++round)
        pool->callback()(pool.get(), countIterations, &hits, 100);
    });
  for (std::thread &caller : callers)
    caller.join();
  for (const std::atomic<int> &hit : hits)
    EXPECT_EQ(200, hit);
}
