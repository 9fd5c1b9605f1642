//===- Passes.h - the evaluator as a pass -----------------------------------===//
#ifndef HALFTONE_EVALUATOR_PASSES_H
#define HALFTONE_EVALUATOR_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::halftone {
#define GEN_PASS_DECL
#include "halftone/Evaluator/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "halftone/Evaluator/Passes.h.inc"
} // namespace mlir::halftone

#endif // HALFTONE_EVALUATOR_PASSES_H
