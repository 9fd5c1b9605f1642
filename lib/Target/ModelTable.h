//===- ModelTable.h - the table that an artefact exports --------------------===//
#ifndef HALFTONE_LIB_TARGET_MODELTABLE_H
#define HALFTONE_LIB_TARGET_MODELTABLE_H

#include "halftone/Target/Compile.h"
#include "llvm/IR/Module.h"

namespace mlir::halftone {

/// Fails with a diagnostic when the module is not the output of the target pipeline, or an input or output has an element type
/// that the table cannot say.
LogicalResult verifySignature(ModuleOp module);

/// The place of a table among those of its library: instruction set `index` of `count`, the most capable first, size `size` of `numSizes`. That of
/// the last instruction set and the first size is returned by `halftone_query`.
struct VariantPlace {
  unsigned index = 0, count = 1;
  unsigned size = 0, numSizes = 1;
  bool usesTiles = false; ///< some variant of the library needs AMX, which `halftone_query` asks the system for

  bool isOnly() const { return count == 1 && numSizes == 1; }
  bool isQueried() const { return index + 1 == count && size == 0; }
};

/// Adds the HalftoneModel of include/halftone-c/Artefact.h, `halftone_query` (to the last variant), and the ELF note to the
/// LLVM module that the verified `module` was translated to.
void addModelTable(ModuleOp module, const TargetOptions &options, const CpuTarget &target, VariantPlace place,
                   llvm::Module &llvmModule);

/// A C header that declares the entry of an object file, the function `query`, and lists its inputs and outputs.
std::string makeHeader(ModuleOp module, const TargetOptions &options, StringRef query);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TARGET_MODELTABLE_H
