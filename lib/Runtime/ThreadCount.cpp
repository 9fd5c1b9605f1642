//===- ThreadCount.cpp - How many threads to start ------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// More threads than the cgroup's quota are worse than useless: the group is
// throttled as a whole, in the middle of a parallel loop. Hence the quota is
// rounded down.
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/ThreadCount.h"
#include "halftone/Runtime/Cgroup.h"
#include "halftone/Runtime/LastError.h"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sched.h>
#include <sstream>

using namespace mlir::halftone;

static constexpr int kMaxThreads = 4096;

/// The quota of one group in CPUs, or 0 when it has none. Version 2 writes
/// "max 100000" or "150000 100000"; version 1 has two files, and -1 for none.
static double groupLimit(const std::string &folder) {
  double quota = 0, period = 0;
  std::istringstream version2(readText(folder + "/cpu.max"));
  if (!(version2 >> quota >> period)) {
    std::istringstream quotaText(readText(folder + "/cpu.cfs_quota_us"));
    std::istringstream periodText(readText(folder + "/cpu.cfs_period_us"));
    if (!(quotaText >> quota) || !(periodText >> period))
      return 0;
  }
  if (quota <= 0 || period <= 0)
    return 0;
  return std::clamp(std::floor(quota / period), 1.0,
                    static_cast<double>(kMaxThreads));
}

int mlir::halftone::cgroupCpuLimit(const std::string &membership,
                                   const std::string &root) {
  return static_cast<int>(
      leastCgroupLimit(membership, root, "cpu", groupLimit));
}

int mlir::halftone::affinityCount() {
  for (int cpus = CPU_SETSIZE; cpus <= (1 << 20); cpus *= 2) {
    cpu_set_t *mask = CPU_ALLOC(cpus);
    if (!mask)
      break;
    size_t bytes = CPU_ALLOC_SIZE(cpus);
    int count =
        sched_getaffinity(0, bytes, mask) == 0 ? CPU_COUNT_S(bytes, mask) : 0;
    CPU_FREE(mask);
    if (count > 0)
      return count;
  }
  return 1;
}

HalftoneStatus mlir::halftone::resolveThreadCount(int requested, int &count) {
  if (requested < 0 || requested > kMaxThreads)
    return fail(HALFTONE_INVALID_ARGUMENT,
                "the number of threads must be 0 (choose) to " +
                    std::to_string(kMaxThreads) + ", not " +
                    std::to_string(requested));
  count = requested;
  if (count > 0)
    return HALFTONE_OK;

  const char *variable = std::getenv("HALFTONE_NUM_THREADS");
  if (variable && *variable) {
    char *end = nullptr;
    long value = std::strtol(variable, &end, 10);
    if (*end != '\0' || value < 1 || value > kMaxThreads)
      return fail(HALFTONE_INVALID_ARGUMENT,
                  "HALFTONE_NUM_THREADS must be 1 to " +
                      std::to_string(kMaxThreads) + ", not '" + variable + "'");
    count = static_cast<int>(value);
    return HALFTONE_OK;
  }

  count = std::min(affinityCount(), kMaxThreads);
  int limit = cgroupCpuLimit(readText("/proc/self/cgroup"), "/sys/fs/cgroup");
  if (limit > 0)
    count = std::min(count, limit);
  return HALFTONE_OK;
}
