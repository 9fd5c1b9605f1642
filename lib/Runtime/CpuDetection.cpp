//===- CpuDetection.cpp - What this CPU can execute -----------------------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One table: name, CPUID leaf, subleaf, register and bit (on AArch64 the bit of
// the auxiliary vector), and the bits of XCR0 that the operating system must
// have enabled for the feature's registers (Intel 64 manual, volume 1, section
// 13.3, volume 2, CPUID).
//
//===----------------------------------------------------------------------===//

#include "halftone/Runtime/CpuFeatures.h"
#include <cstdint>
#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

using namespace mlir::halftone;

#if defined(__x86_64__)
namespace {
enum Register { eax, ebx, ecx, edx };

/// State components in XCR0.
enum : uint64_t {
  kNoState = 0,
  kAvxState = 0x6,     // SSE and AVX.
  kAvx512State = 0xe6, // And opmask, ZMM_Hi256, Hi16_ZMM.
  kAmxState = 0x60000  // TILECFG and TILEDATA.
};

struct Feature {
  const char *name;
  uint32_t leaf, subleaf;
  Register reg;
  unsigned bit;
  uint64_t state;
};
} // namespace

static constexpr Feature kFeatures[] = {
    {"ssse3", 1, 0, ecx, 9, kNoState},
    {"cx16", 1, 0, ecx, 13, kNoState},
    {"sse4_1", 1, 0, ecx, 19, kNoState},
    {"sse4_2", 1, 0, ecx, 20, kNoState},
    {"movbe", 1, 0, ecx, 22, kNoState},
    {"popcnt", 1, 0, ecx, 23, kNoState},
    {"fma", 1, 0, ecx, 12, kAvxState},
    {"avx", 1, 0, ecx, 28, kAvxState},
    {"f16c", 1, 0, ecx, 29, kAvxState},
    {"abm", 0x80000001, 0, ecx, 5, kNoState},
    {"bmi1", 7, 0, ebx, 3, kNoState},
    {"avx2", 7, 0, ebx, 5, kAvxState},
    {"bmi2", 7, 0, ebx, 8, kNoState},
    {"avx512f", 7, 0, ebx, 16, kAvx512State},
    {"avx512dq", 7, 0, ebx, 17, kAvx512State},
    {"avx512ifma", 7, 0, ebx, 21, kAvx512State},
    {"avx512cd", 7, 0, ebx, 28, kAvx512State},
    {"avx512bw", 7, 0, ebx, 30, kAvx512State},
    {"avx512vl", 7, 0, ebx, 31, kAvx512State},
    {"avx512vbmi", 7, 0, ecx, 1, kAvx512State},
    {"avx512_vbmi2", 7, 0, ecx, 6, kAvx512State},
    {"gfni", 7, 0, ecx, 8, kNoState},
    {"avx512_vnni", 7, 0, ecx, 11, kAvx512State},
    {"avx512_bitalg", 7, 0, ecx, 12, kAvx512State},
    {"avx512_vpopcntdq", 7, 0, ecx, 14, kAvx512State},
    {"amx_bf16", 7, 0, edx, 22, kAmxState},
    {"avx512_fp16", 7, 0, edx, 23, kAvx512State},
    {"amx_tile", 7, 0, edx, 24, kAmxState},
    {"amx_int8", 7, 0, edx, 25, kAmxState},
    {"avx_vnni", 7, 1, eax, 4, kAvxState},
    {"avx512_bf16", 7, 1, eax, 5, kAvx512State},
    {"avx_ifma", 7, 1, eax, 23, kAvxState},
    {"avx_vnni_int8", 7, 1, edx, 4, kAvxState},
};

/// XCR0, or 0 where the operating system has not enabled XGETBV.
static uint64_t readEnabledState() {
  unsigned regs[4];
  constexpr unsigned osxsave = 27;
  if (!__get_cpuid(1, &regs[eax], &regs[ebx], &regs[ecx], &regs[edx]) ||
      !(regs[ecx] >> osxsave & 1))
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

static bool hasFeature(const Feature &feature, uint64_t enabledState) {
  unsigned regs[4];
  if ((enabledState & feature.state) != feature.state)
    return false;
  if (!__get_cpuid_count(feature.leaf, feature.subleaf, &regs[eax], &regs[ebx],
                         &regs[ecx], &regs[edx]))
    return false;
  return regs[feature.reg] >> feature.bit & 1;
}

std::vector<std::string> mlir::halftone::detectCpuFeatures() {
  std::vector<std::string> names;
  uint64_t enabledState = readEnabledState();
  for (const Feature &feature : kFeatures)
    if (hasFeature(feature, enabledState))
      names.push_back(feature.name);
  return names;
}
#elif defined(__aarch64__)
namespace {
struct Feature {
  const char *name;
  unsigned long key, bit; // Of getauxval.
};
} // namespace

static constexpr Feature kFeatures[] = {{"asimd", AT_HWCAP, HWCAP_ASIMD},
                                        {"asimddp", AT_HWCAP, HWCAP_ASIMDDP},
                                        {"i8mm", AT_HWCAP2, HWCAP2_I8MM}};

std::vector<std::string> mlir::halftone::detectCpuFeatures() {
  std::vector<std::string> names;
  for (const Feature &feature : kFeatures)
    if (getauxval(feature.key) & feature.bit)
      names.push_back(feature.name);
  return names;
}
#endif

bool mlir::halftone::requestCpuState(const std::string &required) {
#if defined(__x86_64__)
  constexpr long requestPermission = 0x1023, tileData = 18; // ARCH_REQ_XCOMP_PERM
  if (required.find("amx_") != std::string::npos)
    return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#endif
  return true;
}
