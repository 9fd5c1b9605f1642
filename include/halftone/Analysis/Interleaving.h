//===- Interleaving.h - values whose dimensions are split, moved and joined ---===//
//
// How channels become positions (the phases of a transposed convolution, depth to space), positions channels, and how groups
// of channels are shuffled: `tensor.expand_shape`, `linalg.transpose`, `tensor.collapse_shape`, each read by the next alone.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_ANALYSIS_INTERLEAVING_H
#define HALFTONE_ANALYSIS_INTERLEAVING_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <optional>

namespace mlir::halftone {

struct Interleaving {
  tensor::ExpandShapeOp expand;
  linalg::TransposeOp transpose;
  tensor::CollapseShapeOp collapse;

  /// The three operations that end in `result`; nothing if it is not made so.
  static std::optional<Interleaving> match(Value result);

  Value getSource() { return expand.getSrc(); }

  /// For a dimension of the result that is made of parts of one dimension of the source alone: that dimension, and the index in
  /// the result's for each of its indices (static extents). Nothing for other dimensions.
  struct Origin {
    int64_t dimension;
    SmallVector<int64_t> indices;
  };
  std::optional<Origin> findOrigin(int64_t resultDimension);
};

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_INTERLEAVING_H
