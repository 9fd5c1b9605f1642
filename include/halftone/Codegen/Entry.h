//===- Entry.h - the entry function and what is recorded about it -----------===//
//
// The names that the passes between `halftone-form-entry` and the target stage share.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_ENTRY_H
#define HALFTONE_CODEGEN_ENTRY_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone {

/// The entry function up to memory planning, and the C entry behind it.
inline constexpr llvm::StringLiteral kEntryName = "main";
inline constexpr llvm::StringLiteral kRunName = "halftone_run";

/// Attributes of the module: arrays of {name, preprocess, type}; [least, greatest] batch; bytes of the arena.
inline constexpr llvm::StringLiteral kInputsAttr = "halftone.inputs";
inline constexpr llvm::StringLiteral kOutputsAttr = "halftone.outputs";
inline constexpr llvm::StringLiteral kBatchAttr = "halftone.batch";
inline constexpr llvm::StringLiteral kWorkspaceAttr = "halftone.workspace_bytes";

/// Attribute of a module whose @main takes one sample: the samples of a run (ShapedType::kDynamic: the batch), the least and the greatest number. From
/// halftone-split-batch to halftone-loop-samples.
inline constexpr llvm::StringLiteral kSamplesAttr = "halftone.samples";

/// Behind it: the run of one sample, and how often a run calls it (-1: for each of the batch).
inline constexpr llvm::StringLiteral kRunSampleName = "halftone_run_sample";
inline constexpr llvm::StringLiteral kSampleCallsAttr = "halftone.sample_calls";

/// The entry function, or null after a diagnostic.
func::FuncOp lookupEntry(ModuleOp module);

/// The bounds of the leading dimension of an argument, or null.
DimAttr leadingDim(func::FuncOp entry, unsigned argument);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_ENTRY_H
