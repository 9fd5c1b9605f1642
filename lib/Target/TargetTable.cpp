//===- TargetTable.cpp - the CPUs that code is generated for ----------------===//
#include "halftone/Target/TargetTable.h"
#include "halftone/Codegen/IsaTable.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace mlir::halftone;

#define V3 "avx,avx2,bmi1,bmi2,f16c,fma,movbe,popcnt,sse4_2"
#define V4 V3 ",avx512f,avx512bw,avx512cd,avx512dq,avx512vl"

static constexpr StringLiteral kX86 = "x86_64-unknown-linux-gnu", kArm = "aarch64-unknown-linux-gnu";

static constexpr CpuTarget kTargets[] = {
    {"x86-64-v4+amx", "amx", kX86, "x86-64-v4", "+avx512vnni,+avx512vbmi,+amx-tile,+amx-int8",
     V4 ",avx512_vnni,avx512vbmi,amx_tile,amx_int8"},
    {"znver4", "znver4", kX86, "x86-64-v4", "+avx512vnni,+avx512vbmi", V4 ",avx512_vnni,avx512vbmi", "znver4"},
    {"x86-64-v4+avx512vnni", "avx512vnni", kX86, "x86-64-v4", "+avx512vnni,+avx512vbmi", V4 ",avx512_vnni,avx512vbmi"},
    {"x86-64-v4", "avx512", kX86, "x86-64-v4", "", V4},
    {"x86-64-v3+avxvnni", "avxvnni", kX86, "x86-64-v3", "+avxvnni", V3 ",avx_vnni"},
    {"x86-64-v3", "avx2", kX86, "x86-64-v3", "", V3},
    {"armv8.2-a+i8mm", "i8mm", kArm, "generic", "+v8.2a,+dotprod,+i8mm", "asimd,asimddp,i8mm"},
    {"armv8.2-a+dotprod", "dotprod", kArm, "generic", "+v8.2a,+dotprod", "asimd,asimddp"},
    {"armv8-a", "neon", kArm, "generic", "", "asimd"},
    {"reference", "", kX86, "x86-64-v3", "", V3},
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
      .Case("asimd", "neon")
      .Case("asimddp", "dotprod")
      .Default(name);
}

bool mlir::halftone::canRunHere(const CpuTarget &target) {
  if (llvm::Triple(target.triple).getArch() != llvm::Triple(llvm::sys::getProcessTriple()).getArch())
    return false;
  if (!target.hostCpu.empty() && target.hostCpu != llvm::sys::getHostCPUName())
    return false;
  const llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  SmallVector<StringRef> needed;
  target.cpuFeatures.split(needed, ',');
  return llvm::all_of(needed, [&](StringRef name) { return features.lookup(llvmFeatureName(name)); });
}

llvm::Expected<CpuTarget> mlir::halftone::findCpuTarget(StringRef name) {
  if (name == "native") {
    for (const CpuTarget &target : kTargets)
      if (canRunHere(target))
        return target;
    return llvm::createStringError("this machine's CPU is below the least that Halftone compiles for: x86-64-v3, or "
                                   "armv8-a");
  }
  for (const CpuTarget &target : kTargets)
    if (target.name == name || (!name.empty() && target.isa == name))
      return target;
  auto both = [](const CpuTarget &t) { return t.isReference() || t.name == t.isa ? t.name.str() : (t.name + " (" + t.isa + ")").str(); };
  std::string known = llvm::join(llvm::map_range(kTargets, both), ", ");
  return llvm::createStringError("unknown target CPU '" + name + "'; known are native, " + known);
}

const Isa *mlir::halftone::findIsaOfTarget(StringRef name) {
  llvm::Expected<CpuTarget> target = findCpuTarget(name);
  if (target)
    return findIsa(target->isa);
  llvm::consumeError(target.takeError());
  return nullptr;
}

llvm::Expected<SmallVector<CpuTarget>> mlir::halftone::findCpuTargets(StringRef names) {
  SmallVector<StringRef> list;
  names.split(list, ',');
  SmallVector<CpuTarget> targets;
  for (StringRef name : list) {
    llvm::Expected<CpuTarget> target = findCpuTarget(name);
    if (!target)
      return target.takeError();
    if (!targets.empty() && targets.front().triple != target->triple)
      return llvm::createStringError("one library cannot hold code for '" + targets.front().name + "' and for '" +
                                     target->name + "', which are different architectures");
    targets.push_back(*target);
  }
  auto place = [](const CpuTarget &target) {
    return llvm::find_if(kTargets, [&](const CpuTarget &row) { return row.name == target.name; });
  };
  llvm::sort(targets, [&](const CpuTarget &a, const CpuTarget &b) { return place(a) < place(b); });
  auto same = [](const CpuTarget &a, const CpuTarget &b) { return a.name == b.name; };
  targets.erase(std::unique(targets.begin(), targets.end(), same), targets.end());
  return targets;
}
