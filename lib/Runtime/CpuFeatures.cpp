//===- CpuFeatures.cpp - What models may use of this CPU ------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/CpuFeatures.h"
#include "halftone-c/Runtime.h"
#include <algorithm>
#include <cstdlib>

using namespace mlir::halftone;

/// The names of a comma-separated list.
static std::vector<std::string> splitNames(const std::string &list) {
  std::vector<std::string> names;
  for (size_t begin = 0; begin < list.size();) {
    size_t end = std::min(list.find(',', begin), list.size());
    if (end > begin)
      names.push_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return names;
}

/// The kernel writes avx512vbmi, but avx512_vbmi2; both spellings are read.
static std::string canonicalName(const std::string &name) {
  return name == "avx512_vbmi" ? "avx512vbmi" : name;
}

const std::vector<std::string> &mlir::halftone::hostCpuFeatures() {
  static const std::vector<std::string> features = [] {
    std::vector<std::string> names = detectCpuFeatures();
    const char *hidden = getenv("HALFTONE_HIDE_CPU_FEATURES");
    for (const std::string &name : splitNames(hidden ? hidden : ""))
      names.erase(std::remove(names.begin(), names.end(), canonicalName(name)),
                  names.end());
    return names;
  }();
  return features;
}

std::vector<std::string>
mlir::halftone::missingCpuFeatures(const std::string &required) {
  const std::vector<std::string> &host = hostCpuFeatures();
  std::vector<std::string> missing;
  for (const std::string &name : splitNames(required))
    if (std::find(host.begin(), host.end(), canonicalName(name)) == host.end())
      missing.push_back(name);
  return missing;
}

const char *halftone_host_cpu_features(void) {
  static const std::string joined = [] {
    std::string text;
    for (const std::string &name : hostCpuFeatures())
      text += (text.empty() ? "" : ",") + name;
    return text;
  }();
  return joined.c_str();
}
