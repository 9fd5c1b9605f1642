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
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace mlir::halftone;

static void countIterations(void *context, int64_t begin, int64_t end) {
  auto &hits = *static_cast<std::vector<std::atomic<int>> *>(context);
  for (int64_t i = begin; i < end; ++i)
    ++hits[i];
}

TEST(ThreadPoolTest, EachIterationExactlyOnce) {
  for (int numThreads : {2, 3, 8}) {
    auto pool = ThreadPool::shared(numThreads);
    ASSERT_TRUE(pool->start());
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
  auto pool = ThreadPool::shared(1);
  EXPECT_EQ(nullptr, pool->callback());
}

TEST(ThreadPoolTest, CallersTakeTurns) {
  auto pool = ThreadPool::shared(2);
  ASSERT_TRUE(pool->start());
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

TEST(ThreadPoolTest, OneForEachNumberOfThreads) {
  auto first = ThreadPool::shared(3), second = ThreadPool::shared(3);
  EXPECT_EQ(first, second);
  EXPECT_NE(first, ThreadPool::shared(2));
}

/// Runs a loop and returns whether each iteration ran once.
static bool runsALoop(ThreadPool &pool) {
  std::vector<std::atomic<int>> hits(100);
  if (!pool.start())
    return false;
  pool.callback()(&pool, countIterations, &hits, 100);
  for (const std::atomic<int> &hit : hits)
    if (hit != 1)
      return false;
  return true;
}

// fork() copies only the calling thread: a child that waited for the parent's
// workers would wait forever, hence the alarm.
TEST(ThreadPoolTest, WorksInAForkedChild) {
  auto pool = ThreadPool::shared(4);
  ASSERT_TRUE(runsALoop(*pool));
  // Meanwhile another thread keeps the pool, and its lock, busy.
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop)
      runsALoop(*pool);
  });
  for (int round = 0; round < 3; ++round) {
    pid_t child = fork();
    if (child == 0) {
      alarm(20);
      _exit(runsALoop(*pool) && runsALoop(*ThreadPool::shared(2)) ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(child, waitpid(child, &status, 0));
    EXPECT_EQ(0, status);
  }
  stop = true;
  busy.join();
  EXPECT_TRUE(runsALoop(*pool));
}
