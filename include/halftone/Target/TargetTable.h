//===- TargetTable.h - the CPUs that code is generated for ------------------===//
//
// One row for each instruction set that --target-cpu names: what LLVM calls it, which kernels it has, and what a loader asks the
// system for.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TARGET_TARGETTABLE_H
#define HALFTONE_TARGET_TARGETTABLE_H

#include "mlir/Support/LLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {
struct Isa;

/// A target. All x86-64-v3 instructions are the least of x86: below, fma and roundeven are library calls.
struct CpuTarget {
  StringRef name;        ///< The value of --target-cpu, and of HalftoneModel::target.
  StringRef isa;         ///< The kernels' name of the instruction set (IsaTable.h), which --target-cpu takes too; empty:
                         ///< scalar reference code.
  StringRef triple;      ///< LLVM's name of the architecture and system.
  StringRef llvmCpu;     ///< LLVM's name of the CPU.
  StringRef llvmFeatures; ///< LLVM's features on top, "+a,+b".
  StringRef cpuFeatures; ///< All needed features as in /proc/cpuinfo, comma-separated.
  StringRef hostCpu = ""; ///< LLVM's name of the CPU that "native" takes it for, whose costs it has; empty: any.

  /// Whether the code needs Linux's permission for AMX tiles.
  bool usesTiles() const { return cpuFeatures.contains("amx_tile"); }
  bool isReference() const { return isa.empty(); }
};

/// All targets, the most capable first, the reference last.
ArrayRef<CpuTarget> allCpuTargets();

/// Whether this machine has the features that a target needs, and is the CPU that it is for.
bool canRunHere(const CpuTarget &target);

/// The targets of a comma-separated list of names, the most capable first, each once. They are of one architecture.
llvm::Expected<SmallVector<CpuTarget>> findCpuTargets(StringRef names);

/// The target named `name`; "native" is the most capable one that this machine can run. The error names all targets.
llvm::Expected<CpuTarget> findCpuTarget(StringRef name);

/// The kernels of the target named `name`; null for scalar reference code, and where there is no such target.
const Isa *findIsaOfTarget(StringRef name);

} // namespace mlir::halftone

#endif // HALFTONE_TARGET_TARGETTABLE_H
