//===- ModelFile.h - Reads and writes models at any stage -----------------===//
//
// A model is an .onnx file, or a module as text (.mlir) or bytecode (.mlirbc):
// anybody's linalg, or what a stage wrote (`halftone.stage` says which).
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_MODELFILE_H
#define HALFTONE_LIB_DRIVER_MODELFILE_H

#include "halftone/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace mlir::halftone {

/// The version of the stage files that this program reads and writes.
inline constexpr int64_t kStageFileVersion = 1;

/// What a file is, by its content and, for ONNX, its name.
enum class FileKind { Onnx, Module, Artefact };

/// The kind of a file that exists; an error names the kinds that are known.
llvm::Expected<FileKind> fileKind(StringRef path);

/// Makes a context with every dialect and extension that the stages use, whose
/// diagnostics are printed on stderr.
class CompilerContext {
public:
  CompilerContext();
  MLIRContext *get() { return &context; }

private:
  MLIRContext context;
};

/// Parses a module; fails on a version that is not kStageFileVersion, and on
/// files that were written with --elide-weights.
llvm::Expected<OwningOpRef<ModuleOp>> readModule(StringRef path,
                                                 MLIRContext *context);

/// The stage after which the module was written; nothing for a module that is
/// not ours.
std::optional<Stage> stageOf(ModuleOp module);

/// Marks the module as the output of a stage.
void setStage(ModuleOp module, Stage stage);

/// Writes bytecode for *.mlirbc, else text; "-" is stdout. The file appears
/// whole or not at all. Elided weights are for reading only.
llvm::Error writeModule(ModuleOp module, StringRef path, bool elideWeights);

/// Fails when a file could not be made at that path; to be asked before long
/// work. Leaves nothing behind.
llvm::Error checkWritable(StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_MODELFILE_H
