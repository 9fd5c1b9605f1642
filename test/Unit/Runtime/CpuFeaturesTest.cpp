//===- CpuFeaturesTest.cpp - Detected features
//-----------------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/CpuFeatures.h"
#include "halftone-c/Runtime.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <fstream>
#include <sstream>

using namespace mlir::halftone;

TEST(CpuFeaturesTest, NamesTheMissingOnesInOrder) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(Names(), missingCpuFeatures(""));
  EXPECT_EQ(Names({"zzz", "avx1024"}), missingCpuFeatures("zzz,avx1024"));
  EXPECT_EQ(Names(), missingCpuFeatures(halftone_host_cpu_features()));
}

#if defined(__x86_64__)
TEST(CpuFeaturesTest, AgreesWithTheCompilersDetection) {
  const std::vector<std::string> &host = hostCpuFeatures();
  auto has = [&](const char *name) {
    return std::find(host.begin(), host.end(), name) != host.end();
  };
  EXPECT_EQ(__builtin_cpu_supports("avx2") != 0, has("avx2"));
  EXPECT_EQ(__builtin_cpu_supports("fma") != 0, has("fma"));
  EXPECT_EQ(__builtin_cpu_supports("avx512f") != 0, has("avx512f"));
  EXPECT_EQ(__builtin_cpu_supports("avx512bw") != 0, has("avx512bw"));
  EXPECT_EQ(__builtin_cpu_supports("avx512vl") != 0, has("avx512vl"));
  EXPECT_EQ(__builtin_cpu_supports("avx512dq") != 0, has("avx512dq"));
  EXPECT_EQ(__builtin_cpu_supports("avx512vnni") != 0, has("avx512_vnni"));
  EXPECT_EQ(__builtin_cpu_supports("avx512vbmi") != 0, has("avx512vbmi"));
  EXPECT_EQ(has("avx512vbmi"), missingCpuFeatures("avx512_vbmi").empty());
}

TEST(CpuFeaturesTest, EveryNameIsTheKernels) {
  std::ifstream file("/proc/cpuinfo");
  std::stringstream text;
  text << file.rdbuf();
  size_t flags = text.str().find("\nflags");
  if (flags == std::string::npos)
    GTEST_SKIP() << "no flags in /proc/cpuinfo";
  std::string line = text.str().substr(flags + 1);
  line = " " + line.substr(line.find(':') + 1);
  line = line.substr(0, line.find('\n')) + " ";
  for (const std::string &name : hostCpuFeatures())
    EXPECT_NE(std::string::npos, line.find(" " + name + " ")) << name;
}
#endif
