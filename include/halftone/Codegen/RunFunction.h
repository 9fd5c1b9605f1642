//===- RunFunction.h - the C entry of an artefact ---------------------------===//
#ifndef HALFTONE_CODEGEN_RUNFUNCTION_H
#define HALFTONE_CODEGEN_RUNFUNCTION_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone {

/// A private function with an empty entry block and internal linkage, at the end of the module.
func::FuncOp createInternalFunction(ModuleOp module, Location loc, StringRef name, FunctionType type);

/// `run` of include/halftone-c/Artefact.h: (inputs, outputs, batch, workspace, parallelFor, pool) -> i32. Public, which is what
/// symbol-dce begins with.
func::FuncOp createRunFunction(ModuleOp module, Location loc, StringRef name);

/// Makes `run` return 1 for a batch outside of [low, high]; the builder continues where it is inside.
OpBuilder checkBatch(func::FuncOp run, int64_t low, int64_t high);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_RUNFUNCTION_H
