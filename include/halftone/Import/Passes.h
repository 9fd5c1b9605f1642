//===- Passes.h - passes of the import stage --------------------------------===//
#ifndef HALFTONE_IMPORT_PASSES_H
#define HALFTONE_IMPORT_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {
#define GEN_PASS_DECL
#include "halftone/Import/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

#endif // HALFTONE_IMPORT_PASSES_H
