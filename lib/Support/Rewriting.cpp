//===- Rewriting.cpp - patterns to their end --------------------------------===//
#include "halftone/Support/Rewriting.h"

using namespace mlir;

/// More rounds than a chain of layers in any model.
static constexpr int64_t kMaxRounds = 10000;

LogicalResult mlir::halftone::applyToEnd(Operation *op, const FrozenRewritePatternSet &patterns, GreedyRewriteConfig config) {
  config.setMaxIterations(kMaxRounds);
  if (succeeded(applyPatternsGreedily(op, patterns, config)))
    return success();
  return op->emitError("patterns come to no end in ") << kMaxRounds << " rounds";
}
