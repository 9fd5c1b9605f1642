//===- CpuFeatures.h - What this CPU can execute --------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_CPUFEATURES_H
#define HALFTONE_RUNTIME_CPUFEATURES_H

#include <string>
#include <vector>

namespace mlir::halftone {

/// The features, named as in /proc/cpuinfo, that both this CPU and its
/// operating system support, of those that the runtime knows.
std::vector<std::string> detectCpuFeatures();

/// The same, asked once; less those that the environment variable
/// HALFTONE_HIDE_CPU_FEATURES lists then.
const std::vector<std::string> &hostCpuFeatures();

/// Those names of a comma-separated list that this CPU does not have, in the
/// list's order. A name that the runtime does not know counts as missing.
std::vector<std::string> missingCpuFeatures(const std::string &required);

/// Asks the operating system for what `required` needs beyond the CPU: the state of AMX tiles, once a process. Returns
/// false if it refuses.
bool requestCpuState(const std::string &required);

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_CPUFEATURES_H
