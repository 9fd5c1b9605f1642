//===- Emit.h - LLVM IR to machine code and files ---------------------------===//
#ifndef HALFTONE_LIB_TARGET_EMIT_H
#define HALFTONE_LIB_TARGET_EMIT_H

#include "halftone/Target/TargetTable.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <functional>
#include <memory>

namespace mlir::halftone {

/// A machine for the target: position-independent, no contraction of floats, full optimization.
llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine(const CpuTarget &target);

/// Sets what every function of an artefact carries: the CPU, and that no loop may become a library call.
void setFunctionAttributes(llvm::Module &module, const CpuTarget &target);

/// LLVM's O3; the reference target is not vectorized.
void optimize(llvm::Module &module, llvm::TargetMachine &machine, const CpuTarget &target);

/// Gives each constant that one function uses the name "<function>.constant.<number>", and keeps LLVM from counting on its
/// contents.
void openConstants(llvm::Module &module);

/// Names each optimized constant of 64 bytes or more by its contents, so that linking several modules keeps one of those
/// that are alike. Returns the names of the model's, not of its table's, with their bytes.
llvm::StringMap<int64_t> shareConstants(llvm::Module &module);

/// Lets code reach constants by 64 bits where there are so many that the 32 bits of x86's addresses may be too few for all that is linked.
void placeConstants(llvm::Module &module);

/// Machine code as an object or as assembly text.
llvm::Error emitCode(llvm::Module &module, llvm::TargetMachine &machine, llvm::CodeGenFileType type,
                     llvm::raw_pwrite_stream &os);

/// Links objects for the target's architecture into a shared library without dependencies, by lld in this process.
llvm::Error linkShared(ArrayRef<std::string> objects, const CpuTarget &target, StringRef soname, StringRef path);

/// Writes a file whole or not at all: `write` gets the path of a temporary file in the same folder, which then takes
/// the place of `path`.
llvm::Error writeAtomically(StringRef path, std::function<llvm::Error(StringRef)> write);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_TARGET_EMIT_H
