//===- StridedIndices.cpp - an index of each element of a tensor -----------===//
#include "halftone/Support/StridedIndices.h"
#include "llvm/ADT/STLExtras.h"

std::vector<int64_t> mlir::halftone::stridesOver(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<int64_t> dims, int64_t &extent) {
  std::vector<int64_t> strides(shape.size(), 0);
  extent = 1;
  for (int64_t dim : llvm::reverse(dims)) {
    strides[dim] = extent;
    extent *= shape[dim];
  }
  return strides;
}
