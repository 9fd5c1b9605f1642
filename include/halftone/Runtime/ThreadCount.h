//===- ThreadCount.h - How many threads to start --------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_THREADCOUNT_H
#define HALFTONE_RUNTIME_THREADCOUNT_H

#include "halftone-c/Runtime.h"
#include <string>

namespace mlir::halftone {

/// The CPUs that a cgroup quota leaves this process, rounded down and at least
/// 1; 0 when there is no quota. `membership` is the text of
/// /proc/self/cgroup, `root` is where the cgroup file systems are mounted
/// (/sys/fs/cgroup). Reads versions 1 and 2, and all parents of the group.
int cgroupCpuLimit(const std::string &membership, const std::string &root);

/// CPUs that the calling thread may run on, at least 1; also right beyond 1,024.
int affinityCount();

/// Resolves a requested thread count: itself if positive, else the value of
/// HALFTONE_NUM_THREADS, else affinity and cgroup quota. Fails on a negative
/// request and on a value of the variable that is no positive number.
HalftoneStatus resolveThreadCount(int requested, int &count);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_THREADCOUNT_H
