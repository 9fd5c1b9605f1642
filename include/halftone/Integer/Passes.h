//===- Passes.h - passes of the integer stage
//-------------------------------===//
#ifndef HALFTONE_INTEGER_PASSES_H
#define HALFTONE_INTEGER_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {
#define GEN_PASS_DECL
#include "halftone/Integer/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

#endif // HALFTONE_INTEGER_PASSES_H
