//===- Cgroup.h - What the groups of this process are limited to ----------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_CGROUP_H
#define HALFTONE_RUNTIME_CGROUP_H

#include <string>

namespace mlir::halftone {

/// The text of a file, "" without one.
std::string readText(const std::string &path);

/// The least limit of a group and its parents, up to the mount point, of those
/// that have one; 0 when none has. `membership` is the text of
/// /proc/self/cgroup, `root` where the cgroup file systems are mounted
/// (/sys/fs/cgroup), `controller` version 1's name of what is limited.
/// `limitOf` gives the limit that a group's folder says, or 0.
double leastCgroupLimit(const std::string &membership, const std::string &root,
                        const std::string &controller,
                        double (*limitOf)(const std::string &folder));

/// The bytes of memory that cgroups leave this process; 0 without a limit.
double cgroupMemoryLimit(const std::string &membership, const std::string &root);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_CGROUP_H
