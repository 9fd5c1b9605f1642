//===- ArenaPlanner.cpp - offsets of buffers with lifetimes -----------------===//
#include "halftone/Codegen/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <limits>

using namespace mlir::halftone;
using llvm::SmallVector;

static bool meet(const PlannedBuffer &a, const PlannedBuffer &b) { return a.first <= b.last && b.first <= a.last; }

/// The start of the smallest gap of at least `bytes` between the blocks (sorted by offset), or the end of all.
static int64_t findGap(llvm::ArrayRef<const PlannedBuffer *> blocks, int64_t bytes) {
  int64_t end = 0, best = -1, bestSize = std::numeric_limits<int64_t>::max();
  for (const PlannedBuffer *block : blocks) {
    int64_t gap = block->offset - end;
    if (gap >= bytes && gap < bestSize) {
      best = end;
      bestSize = gap;
    }
    end = std::max(end, block->offset + block->bytes);
  }
  return best >= 0 ? best : end;
}

int64_t mlir::halftone::planArena(llvm::MutableArrayRef<PlannedBuffer> buffers, int64_t alignment) {
  SmallVector<PlannedBuffer *> order;
  for (PlannedBuffer &buffer : buffers) {
    buffer.bytes = llvm::alignTo(buffer.bytes, alignment);
    order.push_back(&buffer);
  }
  // Ties keep the order of the buffers: pointers into one array compare by index.
  llvm::sort(order, [](const PlannedBuffer *a, const PlannedBuffer *b) {
    return std::pair(-a->bytes, a) < std::pair(-b->bytes, b);
  });

  SmallVector<const PlannedBuffer *> placed;
  int64_t arena = 0;
  for (PlannedBuffer *buffer : order) {
    SmallVector<const PlannedBuffer *> rivals;
    llvm::copy_if(placed, std::back_inserter(rivals), [&](const PlannedBuffer *other) { return meet(*buffer, *other); });
    llvm::sort(rivals, [](const PlannedBuffer *a, const PlannedBuffer *b) {
      return std::pair(a->offset, a) < std::pair(b->offset, b);
    });
    buffer->offset = findGap(rivals, buffer->bytes);
    arena = std::max(arena, buffer->offset + buffer->bytes);
    placed.push_back(buffer);
  }
  return arena;
}
