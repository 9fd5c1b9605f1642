//===- Passes.h - the codegen stage's passes --------------------------------===//
//
// From linalg and halftone.contract on tensors to loops of vector operations on planned memory; see Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_PASSES_H
#define HALFTONE_CODEGEN_PASSES_H

#include "halftone/Codegen/WeightStorage.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {

#define GEN_PASS_DECL
#include "halftone/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "halftone/Codegen/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PASSES_H
