//===- StridedIndices.h - an index of each element of a tensor -------------===//
#ifndef HALFTONE_SUPPORT_STRIDEDINDICES_H
#define HALFTONE_SUPPORT_STRIDEDINDICES_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// `start` and the sum over the dimensions of index * stride, for each element of a tensor of the shape in row-major order. Weights are millions of
/// elements: one addition for each, where a division for each dimension took as long as rounding them.
template <typename T>
std::vector<T> stridedIndices(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides, T start = 0) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<T> indices(count, start);
  // Blocks of the innermost dimensions are there already: each further one repeats them, a stride apart.
  int64_t block = 1;
  for (int64_t dim = static_cast<int64_t>(shape.size()) - 1; dim >= 0 && count; --dim) {
    for (int64_t step = 1; step < shape[dim]; ++step)
      for (int64_t i = 0; i < block; ++i)
        indices[step * block + i] = indices[i] + static_cast<T>(step * strides[dim]);
    block *= shape[dim];
  }
  return indices;
}

/// The strides of a row-major index over the dimensions `dims` in their order, 0 for all others; `extent` becomes the number of such indices.
std::vector<int64_t> stridesOver(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims, int64_t &extent);

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_STRIDEDINDICES_H
