//===- StridedIndices.h - an index of each element of a tensor -------------===//
#ifndef HALFTONE_SUPPORT_STRIDEDINDICES_H
#define HALFTONE_SUPPORT_STRIDEDINDICES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// The sum over the dimensions of index * stride, for each element of a tensor of the shape in row-major order.
std::vector<int32_t> stridedIndices(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides);

/// The strides of a row-major index over the dimensions `dims` in their order, 0 for all others; `extent` becomes the number of such indices.
std::vector<int64_t> stridesOver(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims, int64_t &extent);

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_STRIDEDINDICES_H
