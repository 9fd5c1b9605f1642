//===- Cgroup.cpp - What the groups of this process are limited to --------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Cgroup.h"
#include <fstream>
#include <sstream>

using namespace mlir::halftone;

std::string mlir::halftone::readText(const std::string &path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

static void lower(double &least, double limit) {
  if (limit > 0 && (least == 0 || limit < least))
    least = limit;
}

double mlir::halftone::leastCgroupLimit(
    const std::string &membership, const std::string &root,
    const std::string &controller,
    double (*limitOf)(const std::string &folder)) {
  std::istringstream lines(membership);
  std::string line;
  double least = 0;
  while (std::getline(lines, line)) {
    // "0::/group" in version 2, "4:cpu,cpuacct:/group" in version 1.
    size_t first = line.find(':');
    size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = line.substr(first + 1, second - first - 1);
    std::string group = line.substr(second + 1);
    bool isMeant = ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
    if (!controllers.empty() && !isMeant)
      continue;
    std::string mount = isMeant ? root + "/" + controllers : root;
    while (true) {
      lower(least, limitOf(mount + group));
      size_t slash = group.rfind('/');
      if (group.empty() || slash == std::string::npos)
        break;
      group.resize(slash);
    }
  }
  return least;
}

/// "max" or bytes in version 2; in version 1 a number beyond any memory for none.
static double groupMemory(const std::string &folder) {
  constexpr double none = 0x1p62;
  for (const char *name : {"/memory.max", "/memory.limit_in_bytes"}) {
    std::istringstream text(readText(folder + name));
    double bytes = 0;
    if (text >> bytes && bytes < none)
      return bytes;
  }
  return 0;
}

double mlir::halftone::cgroupMemoryLimit(const std::string &membership,
                                         const std::string &root) {
  return leastCgroupLimit(membership, root, "memory", groupMemory);
}
