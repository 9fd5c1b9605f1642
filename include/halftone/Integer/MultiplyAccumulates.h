//===- MultiplyAccumulates.h - how much of a model runs in integers
//---------===//
#ifndef HALFTONE_INTEGER_MULTIPLYACCUMULATES_H
#define HALFTONE_INTEGER_MULTIPLYACCUMULATES_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::halftone {

/// Products that are summed, for one sample.
struct MultiplyAccumulates {
  int64_t integer = 0, floating = 0;

  /// 100 if there are none at all.
  double integerPercent() const {
    return integer + floating == 0
               ? 100.0
               : 100.0 * double(integer) / double(integer + floating);
  }
};

/// The product of extents, for one sample: a dynamic one is the batch and
/// counts as 1.
int64_t elementsPerSample(ArrayRef<int64_t> extents);

/// Those of one structured operation, for one sample; 0 unless it multiplies and reduces. On tensors, a dynamic dimension
/// in which others are joined with the batch counts as often as a sample has entries in it; on buffers as 1.
int64_t countMultiplyAccumulates(linalg::LinalgOp op);

/// Counts the structured operations below `root` that multiply and reduce, and
/// halftone.contract on tensors.
MultiplyAccumulates countMultiplyAccumulates(Operation *root);

} // namespace mlir::halftone

#endif // HALFTONE_INTEGER_MULTIPLYACCUMULATES_H
