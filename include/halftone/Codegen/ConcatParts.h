//===- ConcatParts.h - concatenations that are written in place -------------===//
#ifndef HALFTONE_CODEGEN_CONCATPARTS_H
#define HALFTONE_CODEGEN_CONCATPARTS_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {

/// The operation that computes the first part of a concatenation, of those that only the concatenation reads: what exists
/// before it can be the place of all parts. Null if there is none, or for a dynamic shape.
inline Operation *findFirstPart(tensor::ConcatOp concat) {
  Operation *first = nullptr;
  if (!concat.getResultType().hasStaticShape())
    return first;
  for (Value part : concat.getInputs()) {
    Operation *producer = part.hasOneUse() ? part.getDefiningOp() : nullptr;
    if (producer && producer->getBlock() == concat->getBlock() && (!first || producer->isBeforeInBlock(first)))
      first = producer;
  }
  return first;
}

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_CONCATPARTS_H
