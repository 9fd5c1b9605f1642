//===- ContractPartition.cpp - a contraction's output, cut into parts -------===//
#include "halftone/Codegen/ContractPartition.h"

using namespace mlir;
using namespace mlir::halftone;

/// Multiply-accumulates of one part: some microseconds, so that a part is worth handing to a thread.
static constexpr int64_t kPartWork = int64_t(1) << 20;
/// A part with fewer tiles than this reads the weights too often.
static constexpr int64_t kTilesPerPart = 8;
/// Parts that a contraction with few positions, or many weights, is cut into along its columns.
static constexpr int64_t kColumnParts = 16;
/// A panel in few bits is decoded once, into a scratch of at most so many bytes, if so many tiles of rows read it.
static constexpr int64_t kScratchBytes = 256 << 10;
static constexpr int64_t kScratchTiles = 3;
/// Threads, a power of two, that parts of equal size are shared out among evenly.
static constexpr int64_t kEvenThreads = 8;
/// Samples that read the weights together, where the batch is dynamic.
static constexpr int64_t kSamples = 8;

int64_t mlir::halftone::columnUnits(const PackedLayout &layout) {
  return layout.groups > 1 ? layout.groups : layout.fullPanels() + (layout.restVectors() ? 1 : 0);
}

/// `size`, made smaller so that `total` is cut into equal pieces that 2, 4 or 8 threads share evenly: 7 pieces become 8, for of
/// 7 one of two threads gets 4.
static int64_t evenPiece(int64_t total, int64_t size) {
  const int64_t pieces = llvm::divideCeil(total, size);
  const int64_t threads = std::min<int64_t>(llvm::bit_floor(uint64_t(pieces)), kEvenThreads);
  return llvm::divideCeil(total, llvm::alignTo(pieces, threads));
}

/// Positions in all; of a few samples where the batch is dynamic.
static int64_t countPositions(const OutputWalk &walk) {
  if (ShapedType::isDynamic(walk.lineCount()) || ShapedType::isDynamic(walk.span()))
    return kSamples * walk.imagePositions();
  return walk.lineCount() * walk.span();
}

int64_t mlir::halftone::leastPartPositions(int64_t workPerPosition, int64_t tileRows) {
  return std::max<int64_t>(llvm::divideCeil(kPartWork, workPerPosition), kTilesPerPart * tileRows);
}

bool mlir::halftone::decodesOnce(int64_t partPositions, int64_t tileRows, int64_t panelBytes, bool hasTables) {
  return (hasTables ? partPositions > tileRows : partPositions >= kScratchTiles * tileRows) && panelBytes <= kScratchBytes;
}

/// The rows of a full tile.
static int64_t tileHeight(const PackedLayout &layout) {
  return layout.kernel->rows[layout.fullPanels() ? layout.panelVectors : layout.restVectors()];
}

/// The positions that a part should have, or more.
static int64_t leastPositions(const PackedLayout &layout, int64_t positions, bool weightsLead) {
  const int64_t least = leastPartPositions(layout.workPerPosition(), tileHeight(layout));
  if (!weightsLead)
    return least;
  int64_t columnParts = std::min(columnUnits(layout), kColumnParts);
  return std::max<int64_t>(least, llvm::divideCeil(positions * columnParts, kColumnParts));
}

Partition mlir::halftone::choosePartition(const PackedLayout &layout, const OutputWalk &walk) {
  const int64_t positions = countPositions(walk), units = columnUnits(layout);
  const bool weightsLead = layout.elements() > positions * layout.channels * layout.groups;
  const int64_t least = leastPositions(layout, positions, weightsLead);
  const int64_t step = walk.band() ? walk.band() : tileHeight(layout);
  const int64_t span = walk.span(), lines = walk.lineCount();
  Partition chosen = {1, span, units, weightsLead};
  int64_t rowParts = 1, rows = 1;
  if (ShapedType::isDynamic(span)) {
    chosen.rows = llvm::alignTo(least, step);
  } else if (span >= 2 * least) {
    chosen.rows = llvm::alignTo(evenPiece(span, least), step);
    rowParts = llvm::divideCeil(span, chosen.rows);
    rows = chosen.rows;
  } else {
    chosen.lines = std::max<int64_t>(1, llvm::divideCeil(least, span));
    if (!ShapedType::isDynamic(lines)) {
      chosen.lines = evenPiece(lines, std::min(chosen.lines, lines));
      rowParts = llvm::divideCeil(lines, chosen.lines);
    }
    rows = span * (ShapedType::isDynamic(lines) ? 1 : chosen.lines);
  }
  // Too few parts: cut the columns, into parts of an eighth of the usual work or more.
  int64_t worthwhile = std::max<int64_t>(1, rows * layout.workPerPosition() / (kPartWork / 8));
  int64_t unitParts = std::min<int64_t>({units, static_cast<int64_t>(llvm::divideCeil(kColumnParts, rowParts)), worthwhile});
  chosen.units = llvm::divideCeil(units, unitParts);
  return chosen;
}
