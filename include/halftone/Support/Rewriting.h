//===- Rewriting.h - patterns to their end ----------------------------------===//
#ifndef HALFTONE_SUPPORT_REWRITING_H
#define HALFTONE_SUPPORT_REWRITING_H

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {

/// Applies patterns until none matches. The driver's own limit of ten rounds is less than deep models need, where each layer's change makes the
/// next one's possible. An error at `op` if they come to no end, which is a defect of the patterns.
LogicalResult applyToEnd(Operation *op, const FrozenRewritePatternSet &patterns, GreedyRewriteConfig config = {});

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_REWRITING_H
