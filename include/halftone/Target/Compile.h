//===- Compile.h - from a module to files -----------------------------------===//
//
// The target stage behind the passes: LLVM IR, LLVM's optimizer, an object, a shared library.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_TARGET_COMPILE_H
#define HALFTONE_TARGET_COMPILE_H

#include "halftone/Target/TargetTable.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include <string>

namespace mlir::halftone {

struct TargetOptions {
  /// A name of TargetTable.h, "native", or several with commas between them.
  std::string cpu = "native";
  /// The model's name, for the table, the soname and the header.
  std::string name = "model";
  /// HalftoneModel::compilerVersion.
  std::string compilerVersion;
  /// HalftoneModel::report: a JSON text.
  std::string report = "{}";
  /// Constants of layers are symbols "<layer's function>.constant.<number>", and the code does not depend on their contents: a
  /// caller may write others of equal sizes over them. Slower than constants that LLVM knows.
  bool openConstants = false;
};

/// Compiles a module in the LLVM dialect (the output of the target pipeline, with its recorded signature) and writes
/// what the path's extension says: `.so` a shared library, `.o` an object and beside it a C header, `.ll` LLVM IR,
/// `.s` assembly. The file appears whole or not at all; its bytes depend on the module and the options only.
/// Failures are diagnostics on the module.
LogicalResult writeTarget(ModuleOp module, const TargetOptions &options, StringRef path);

/// The same for a module `source` of an earlier stage and all targets of `options`: `lower` gives its clone lowered for
/// each. Of several targets a shared library is made, which holds constants that are alike once.
LogicalResult writeTargets(ModuleOp source, const TargetOptions &options, StringRef path,
                           function_ref<FailureOr<OwningOpRef<ModuleOp>>(const CpuTarget &)> lower);

} // namespace mlir::halftone

#endif // HALFTONE_TARGET_COMPILE_H
