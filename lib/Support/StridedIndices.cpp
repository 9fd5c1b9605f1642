//===- StridedIndices.cpp - an index of each element of a tensor -----------===//
//
// Weights are millions of elements: one addition for each, where a division for each dimension took as long as rounding them.
//
//===----------------------------------------------------------------------===//
#include "halftone/Support/StridedIndices.h"
#include "llvm/ADT/STLExtras.h"

std::vector<int32_t> mlir::halftone::stridedIndices(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> strides) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<int32_t> indices(count, 0);
  // Blocks of the innermost dimensions are there already: each further one repeats them, a stride apart.
  int64_t block = 1;
  for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0 && count; --dim) {
    for (int64_t step = 1; step < shape[dim]; ++step)
      for (int64_t i = 0; i < block; ++i)
        indices[step * block + i] = indices[i] + static_cast<int32_t>(step * strides[dim]);
    block *= shape[dim];
  }
  return indices;
}

std::vector<int64_t> mlir::halftone::stridesOver(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims, int64_t &extent) {
  std::vector<int64_t> strides(shape.size(), 0);
  extent = 1;
  for (int64_t dim : llvm::reverse(dims)) {
    strides[dim] = extent;
    extent *= shape[dim];
  }
  return strides;
}
