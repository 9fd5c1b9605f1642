//===- ThreadCountTest.cpp - Affinity, quota and environment
//---------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/Cgroup.h"
#include "halftone/Runtime/ThreadCount.h"
#include "TestArtefact.h"
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace mlir::halftone;

namespace {
/// A made-up cgroup file system.
class ThreadCountTest : public testing::Test {
protected:
  void SetUp() override {
    root = testing::TempDir() + "cgroup" + std::to_string(getpid());
  }
  void TearDown() override {
    std::filesystem::remove_all(root);
    unsetenv("HALFTONE_NUM_THREADS");
  }
  void write(const std::string &file, const std::string &text) {
    std::filesystem::path path = root + "/" + file;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text << "\n";
  }
  std::string root;
};
} // namespace

TEST_F(ThreadCountTest, NoQuota) {
  EXPECT_EQ(0, cgroupCpuLimit("", root));
  EXPECT_EQ(0, cgroupCpuLimit("0::/a/b\n", root));
  write("a/cpu.max", "max 100000");
  EXPECT_EQ(0, cgroupCpuLimit("0::/a/b\n", root));
}

TEST_F(ThreadCountTest, TheLeastQuotaOfAllParents) {
  write("a/cpu.max", "300000 100000");
  write("a/b/cpu.max", "800000 100000");
  EXPECT_EQ(3, cgroupCpuLimit("0::/a/b\n", root));
  EXPECT_EQ(3, cgroupCpuLimit("0::/a/unknown/deeper\n", root));
  write("cpu.max", "250000 100000");
  EXPECT_EQ(2, cgroupCpuLimit("0::/a/b\n", root));
}

TEST_F(ThreadCountTest, MemoryOfBothVersions) {
  EXPECT_EQ(0, cgroupMemoryLimit("0::/a/b\n", root));
  write("a/memory.max", "max");
  EXPECT_EQ(0, cgroupMemoryLimit("0::/a/b\n", root));
  write("a/memory.max", "3000000000");
  write("a/b/memory.max", "5000000000");
  EXPECT_EQ(3e9, cgroupMemoryLimit("0::/a/b\n", root));
  write("memory/x/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_EQ(0, cgroupMemoryLimit("5:memory:/x\n4:cpu,cpuacct:/box\n", root));
  write("memory/x/memory.limit_in_bytes", "2000000000");
  EXPECT_EQ(2e9, cgroupMemoryLimit("5:memory:/x\n4:cpu,cpuacct:/box\n", root));
}

TEST_F(ThreadCountTest, PartsOfACpuAreOne) {
  write("cpu.max", "50000 100000");
  EXPECT_EQ(1, cgroupCpuLimit("0::/\n", root));
}

TEST_F(ThreadCountTest, VersionOne) {
  std::string membership = "5:memory:/x\n4:cpu,cpuacct:/box\n";
  write("cpu,cpuacct/box/cpu.cfs_quota_us", "-1");
  write("cpu,cpuacct/box/cpu.cfs_period_us", "100000");
  EXPECT_EQ(0, cgroupCpuLimit(membership, root));
  write("cpu,cpuacct/box/cpu.cfs_quota_us", "400000");
  EXPECT_EQ(4, cgroupCpuLimit(membership, root));
}

TEST_F(ThreadCountTest, OptionThenEnvironmentThenMachine) {
  int count = 0;
  setenv("HALFTONE_NUM_THREADS", "3", 1);
  EXPECT_EQ(HALFTONE_OK, resolveThreadCount(7, count));
  EXPECT_EQ(7, count);
  EXPECT_EQ(HALFTONE_OK, resolveThreadCount(0, count));
  EXPECT_EQ(3, count);
  unsetenv("HALFTONE_NUM_THREADS");
  EXPECT_EQ(HALFTONE_OK, resolveThreadCount(0, count));
  EXPECT_GE(count, 1);
}

TEST_F(ThreadCountTest, RefusesWhatIsNoCount) {
  int count = 0;
  EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, resolveThreadCount(-1, count));
  for (const char *text : {"0", "-2", "many", "3x", "99999999999999999999"}) {
    setenv("HALFTONE_NUM_THREADS", text, 1);
    EXPECT_EQ(HALFTONE_INVALID_ARGUMENT, resolveThreadCount(0, count));
    expectError("HALFTONE_NUM_THREADS", text);
  }
}
