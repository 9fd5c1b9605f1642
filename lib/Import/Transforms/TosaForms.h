//===- TosaForms.h - operations of TOSA that have a form of ours ------------===//
#ifndef HALFTONE_LIB_IMPORT_TRANSFORMS_TOSAFORMS_H
#define HALFTONE_LIB_IMPORT_TRANSFORMS_TOSAFORMS_H

#include "mlir/IR/PatternMatch.h"

namespace mlir::halftone {

/// On f32: concatenations, padding, average pools, resizes, functions and one-sided clamps become what our importer makes of the same operations, where
/// MLIR's own lowering would write them out in scalars. Constants in f16 or bf16 that are cast to f32 become constants in f32.
void populateTosaForms(RewritePatternSet &patterns);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_IMPORT_TRANSFORMS_TOSAFORMS_H
