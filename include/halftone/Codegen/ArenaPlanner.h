//===- ArenaPlanner.h - offsets of buffers with lifetimes -------------------===//
//
// Offline memory planning: given the size and the lifetime of every buffer, find offsets in one arena such that
// buffers which live at the same time do not overlap. Greedy by size: the largest first, each into the smallest gap
// that fits between the buffers already placed that it meets in time.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_ARENAPLANNER_H
#define HALFTONE_CODEGEN_ARENAPLANNER_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace mlir::halftone {

/// A buffer of `bytes` that lives at the times first..last, both inclusive. `offset` is the result.
struct PlannedBuffer {
  int64_t bytes = 0;
  int64_t first = 0, last = 0;
  int64_t offset = 0;
};

/// Sets the offset of each buffer, a multiple of `alignment` (a power of two), and returns the arena's size. The result
/// depends on the order of the buffers only.
int64_t planArena(llvm::MutableArrayRef<PlannedBuffer> buffers, int64_t alignment);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_ARENAPLANNER_H
