//===- BatchSize.h - another number of samples for a program ----------------===//
#ifndef HALFTONE_ANALYSIS_BATCHSIZE_H
#define HALFTONE_ANALYSIS_BATCHSIZE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::halftone {

/// Gives the leading dimension of each argument of `entry`, whose body has one block, `size` elements, and what is computed from them as many:
/// types, destinations, slices, bodies of composites. Fails, after an error at the operation, where samples are mixed, cut, padded, summed or
/// counted, and where a constant has a value for each sample; the function is to be thrown away then.
LogicalResult setBatchSize(func::FuncOp entry, int64_t size);

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_BATCHSIZE_H
