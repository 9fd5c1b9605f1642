//===- TargetTable.cpp - the CPUs that code is generated for ----------------===//
#include "halftone/Target/TargetTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;
using namespace mlir::halftone;

#define V3 "avx,avx2,bmi1,bmi2,f16c,fma,movbe,popcnt,sse4_2"
#define V4 V3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"

static constexpr CpuTarget kTargets[] = {
    {"x86-64-v4+amx", "amx", "x86-64-v4", "+avx512vnni,+avx512vbmi,+amx-tile,+amx-int8",
     V4 ",avx512_vnni,avx512vbmi,amx_tile,amx_int8"},
    {"x86-64-v4+avx512vnni", "avx512vnni", "x86-64-v4", "+avx512vnni,+avx512vbmi", V4 ",avx512_vnni,avx512vbmi"},
    {"x86-64-v4", "avx512", "x86-64-v4", "", V4},
    {"x86-64-v3+avxvnni", "avxvnni", "x86-64-v3", "+avxvnni", V3 ",avx_vnni"},
    {"x86-64-v3", "avx2", "x86-64-v3", "", V3},
    {"reference", "", "x86-64-v3", "", V3},
};

#undef V4
#undef V3

ArrayRef<CpuTarget> mlir::halftone::allCpuTargets() { return kTargets; }

/// What LLVM calls a feature of /proc/cpuinfo.
static StringRef llvmFeatureName(StringRef name) {
  return llvm::StringSwitch<StringRef>(name)
      .Case("bmi1", "bmi")
      .Case("sse4_2", "sse4.2")
      .Case("avx512_vnni", "avx512vnni")
      .Case("avx_vnni", "avxvnni")
      .Case("amx_tile", "amx-tile")
      .Case("amx_int8", "amx-int8")
      .Default(name);
}

static bool canRun(const CpuTarget &target, const llvm::StringMap<bool> &features) {
  SmallVector<StringRef> needed;
  target.cpuFeatures.split(needed, ',');
  return llvm::all_of(needed, [&](StringRef name) { return features.lookup(llvmFeatureName(name)); });
}

llvm::Expected<CpuTarget> mlir::halftone::findCpuTarget(StringRef name) {
  if (name == "native") {
    llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
    for (const CpuTarget &target : kTargets)
      if (canRun(target, features))
        return target;
    return llvm::createStringError("this machine's CPU is below x86-64-v3, the least that Halftone compiles for");
  }
  for (const CpuTarget &target : kTargets)
    if (target.name == name)
      return target;
  std::string known = llvm::join(llvm::map_range(kTargets, [](const CpuTarget &t) { return t.name; }), ", ");
  return llvm::createStringError("unknown target CPU '" + name + "'; known are native, " + known);
}
