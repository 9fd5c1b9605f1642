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
#include <filesystem>
#include <iterator>
#include <sched.h>
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

static int threadsOfTheProcess() {
  auto folder = std::filesystem::directory_iterator("/proc/self/task");
  return static_cast<int>(std::distance(begin(folder), end(folder)));
}

TEST(ThreadPoolTest, NoMoreThreadsThanCpus) {
  cpu_set_t own;
  ASSERT_EQ(0, sched_getaffinity(0, sizeof(own), &own));
  const int numThreads = CPU_COUNT(&own) + 3;
  auto pool = ThreadPool::shared(numThreads);
  const int before = threadsOfTheProcess();
  ASSERT_TRUE(pool->start());
  EXPECT_EQ(CPU_COUNT(&own) - 1, threadsOfTheProcess() - before);
  EXPECT_EQ(numThreads, pool->size());
  std::vector<std::atomic<int>> hits(1000);
  pool->callback()(pool.get(), countIterations, &hits, 1000);
  for (const std::atomic<int> &hit : hits)
    EXPECT_EQ(1, hit);
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

namespace {
/// Where the threads of a loop other than its caller may run.
struct Places {
  pthread_t caller;
  std::atomic<bool> seen = false;
  cpu_set_t allowed;
};
} // namespace

static void recordWorker(void *context, int64_t, int64_t) {
  auto &places = *static_cast<Places *>(context);
  if (pthread_equal(pthread_self(), places.caller)) {
    while (!places.seen) // leave some chunks to the worker
      sched_yield();
    return;
  }
  if (!places.seen) {
    sched_getaffinity(0, sizeof(places.allowed), &places.allowed);
    places.seen = true;
  }
}

TEST(ThreadPoolTest, WorkersKeepOffTheCallersCpu) {
  cpu_set_t own;
  ASSERT_EQ(0, sched_getaffinity(0, sizeof(own), &own));
  if (CPU_COUNT(&own) < 2)
    GTEST_SKIP() << "one CPU";
  auto pool = ThreadPool::shared(2);
  for (int attempt = 0; attempt < 100; ++attempt) {
    int before = sched_getcpu();
    ASSERT_TRUE(pool->start());
    bool stayed = sched_getcpu() == before; // else start() may have seen another
    Places places;
    places.caller = pthread_self();
    pool->callback()(pool.get(), recordWorker, &places, 8);
    if (!stayed)
      continue;
    EXPECT_FALSE(CPU_ISSET(before, &places.allowed));
    EXPECT_GE(CPU_COUNT(&places.allowed), 1);
    return;
  }
  GTEST_SKIP() << "the caller never stayed on its CPU";
}

TEST(ThreadPoolTest, CallerWithOneCpuChangesNothing) {
  cpu_set_t own, one;
  ASSERT_EQ(0, sched_getaffinity(0, sizeof(own), &own));
  if (CPU_COUNT(&own) < 2)
    GTEST_SKIP() << "one CPU";
  auto pool = ThreadPool::shared(2);
  ASSERT_TRUE(pool->start());
  std::thread([&] {
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
    ASSERT_TRUE(pool->start());
    std::vector<std::atomic<int>> hits(100);
    pool->callback()(pool.get(), countIterations, &hits, 100);
    for (const std::atomic<int> &hit : hits)
      EXPECT_EQ(1, hit);
  }).join();
}
