//===- PrunedZeros.h - zeros of weights that stay zero ----------------------===//
//
// `halftone.pruned` on a contraction says that the zeros of its constant weights are meant, and which pattern they have:
// "unstructured", "blocks" (4 input channels of one tap and output channel), "n:m" or "channels" (input channels). Everything
// that changes weights behind it (rounding, reconstruction, training) leaves them 0. `halftone.zeros` beside it is their
// number, so that a verifier can see one that got lost.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_ANALYSIS_PRUNEDZEROS_H
#define HALFTONE_ANALYSIS_PRUNEDZEROS_H

#include "mlir/IR/Operation.h"

namespace mlir::halftone {

inline constexpr llvm::StringLiteral kPrunedAttr = "halftone.pruned";
inline constexpr llvm::StringLiteral kZerosAttr = "halftone.zeros";

/// On contractions, and on trained arguments that are their weights: training prunes them further. Gone when it is over.
inline constexpr llvm::StringLiteral kPruningAttr = "halftone.pruning";

/// Whether the zeros of the contraction's weights stay zero.
inline bool isPruned(Operation *contraction) { return contraction->hasAttr(kPrunedAttr); }

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_PRUNEDZEROS_H
