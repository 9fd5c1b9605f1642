//===- BatchExtents.h - sizes of buffers for a batch ------------------------===//
//
// The leading dimension of the entry function's arguments may be dynamic; all other dynamic sizes are computed from it. For the
// greatest batch they are bounds, for a batch of 1 what a sample has: more than one where other dimensions are joined with it.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_BATCHEXTENTS_H
#define HALFTONE_CODEGEN_BATCHEXTENTS_H

#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include <optional>

namespace mlir::halftone {

/// The extent of a dimension of a memref for the batch; nothing if it does not follow from it.
std::optional<int64_t> extentAtBatch(Value buffer, int64_t dim, int64_t batch);

/// The value of an index for the batch, or nothing.
std::optional<int64_t> evaluateAtBatch(Value value, int64_t batch);
std::optional<int64_t> evaluateAtBatch(OpFoldResult value, int64_t batch);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_BATCHEXTENTS_H
