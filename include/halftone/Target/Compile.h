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
#include <memory>
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
  /// HalftoneModel::size.
  std::string size;
  /// Constants of layers are symbols "<layer's function>.constant.<number>", and the code does not depend on their contents: a
  /// caller may write others of equal sizes over them. Slower than constants that LLVM knows.
  bool openConstants = false;
};

/// Compiles a module in the LLVM dialect (the output of the target pipeline, with its recorded signature) and writes
/// what the path's extension says: `.so` a shared library, `.o` an object and beside it a C header, `.ll` LLVM IR,
/// `.s` assembly. The file appears whole or not at all; its bytes depend on the module and the options only.
/// Failures are diagnostics on the module.
LogicalResult writeTarget(ModuleOp module, const TargetOptions &options, StringRef path);

/// What a library for several sizes of dimensions has as constants.
struct ConstantSizes {
  int64_t total = 0;  ///< Bytes in the file; what is alike is there once.
  int64_t common = 0; ///< Of them, those that all sizes have, for one target or another.
};

/// A file of models of one graph in several sizes of its dimensions, each for all targets of the options. Of several models a shared library is
/// made, which holds constants that are alike once. One size is compiled after the other, so that only one is in memory.
class TargetWriter {
public:
  using Lowering = function_ref<FailureOr<OwningOpRef<ModuleOp>>(const CpuTarget &)>;

  TargetWriter(StringRef path, unsigned numSizes);
  ~TargetWriter();

  /// Compiles the next size, a module of an earlier stage: `lower` gives its clone lowered for each target. With the last size the file is
  /// written. The options are alike but for `report` and `size`. Failures are diagnostics on the module.
  LogicalResult add(ModuleOp source, const TargetOptions &options, Lowering lower);

  /// When the file is written.
  ConstantSizes constantSizes() const;

private:
  struct Objects;
  std::string path;
  unsigned numSizes, done = 0;
  std::unique_ptr<Objects> objects;
};

} // namespace mlir::halftone

#endif // HALFTONE_TARGET_COMPILE_H
