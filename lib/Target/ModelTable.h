//===- ModelTable.h - the table that an artefact exports --------------------===//
#ifndef HALFTONE_LIB_TARGET_MODELTABLE_H
#define HALFTONE_LIB_TARGET_MODELTABLE_H

#include "halftone/Target/Compile.h"
#include "llvm/IR/Module.h"

namespace mlir::halftone {

/// Fails with a diagnostic when the module is not the output of the target pipeline, or an input or output has an element type
/// that the table cannot say.
LogicalResult verifySignature(ModuleOp module);

/// Adds the HalftoneModel of include/halftone-c/Artefact.h, `halftone_query`, and the ELF note to the LLVM module that
/// the verified `module` was translated to.
void addModelTable(ModuleOp module, const TargetOptions &options, const CpuTarget &target, llvm::Module &llvmModule);

/// A C header that declares the entry of an object file and lists its inputs and outputs.
std::string makeHeader(ModuleOp module, const TargetOptions &options);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TARGET_MODELTABLE_H
