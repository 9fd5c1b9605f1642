//===- SparseLayout.h - weights of which only some quads are stored ---------===//
//
// A quad is the 4 weights of one output channel and 4 consecutive input channels of one tap: what one lane of a dot
// multiplies. Only quads that are not all zero are stored, with the place of their activations. The reduction is cut
// into chunks, whose activations stay in L1 for a tile of positions; the columns into strips, whose accumulators stay
// in the second cache. For each strip and chunk there are lists, each with the quads of two columns, which alternate.
// The two of a list have as many quads, or almost (the shorter one is filled up with quads of zeros), and share as many
// places as can be had: these come first, and their activations are loaded once for both. Lists are ordered by their lengths,
// which branch prediction likes.
//
//   [start of each column: i32] [first quad of each strip and chunk: i32]
//   [strips x chunks x lists: two columns in the strip u16, places that they share u16, quads of each u16]
//   [place of each quad in its chunk: u8] [each quad: 4 x s8]
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_SPARSELAYOUT_H
#define HALFTONE_CODEGEN_SPARSELAYOUT_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"

namespace mlir::halftone {

struct SparseLayout {
  static constexpr int64_t kQuad = 4;
  static constexpr int64_t kListBytes = 8; ///< of a list's columns and length
  static constexpr int64_t kSquare = 16;   ///< columns and positions of the squares of bytes that are transposed

  const DotKernel *kernel;
  int64_t kernelHeight, kernelWidth;
  int64_t channels; ///< of the input, a multiple of a quad
  int64_t columns;  ///< of the output
  int64_t tileVectors; ///< vectors of positions in a tile, the most
  int64_t quads = 0; ///< stored, those that fill lists up included
  bool storedUnsigned = false;

  /// Positions of a full tile, and bytes of their activations for one quad.
  int64_t tilePositions() const { return tileVectors * kernel->lanes; }
  int64_t quadBytes() const { return tilePositions() * kQuad; }
  /// Lanes that are computed of the last vector of so many positions: all, or as few as there are dots of, where the kernel
  /// has shorter dots and one tile alone ends with that vector.
  int64_t lastLanes(int64_t positions) const;
  /// The most quads of a chunk: their activations are 40 KB with 16 lanes, and the place of each is a byte. What L1 does not hold of
  /// them is less than what shorter lists cost.
  int64_t chunkQuads() const { return 640 / tileVectors; }
  int64_t taps() const { return kernelHeight * kernelWidth; }
  int64_t quadsPerTap() const { return channels / kQuad; }
  int64_t allQuads() const { return taps() * quadsPerTap() * columns; }
  /// Parts that a tap with many channels is cut into; or taps of a chunk if there are few.
  int64_t splits() const { return llvm::divideCeil(quadsPerTap(), chunkQuads()); }
  int64_t splitChannels() const { return llvm::alignTo(llvm::divideCeil(channels, splits()), 4 * kQuad); }
  int64_t tapsPerChunk() const {
    const int64_t most = std::max<int64_t>(1, chunkQuads() / quadsPerTap());
    return llvm::divideCeil(taps(), llvm::divideCeil(taps(), most)); // shared out evenly
  }
  int64_t chunks() const { return llvm::divideCeil(taps(), tapsPerChunk()) * splits(); }
  /// Whether tiles get about as many vectors each, which leaves more of L1 to windows of several chunks. Else all but the last one are full: they
  /// begin with lines of the cache, and the epilogue takes vectors by fours.
  bool sharesEvenly() const { return taps() > 1 && chunks() > 1; }
  /// Columns of the epilogue's panels.
  int64_t panelColumns() const { return kernel->lanes * 4; }
  int64_t stripColumns() const;
  int64_t stripLists() const { return stripColumns() / 2; }
  int64_t strips() const { return llvm::divideCeil(columns, stripColumns()); }

  /// Bytes of a vector of squares, and of one column of a tile's transposed bytes, in whole vectors.
  int64_t squareVector() const { return std::max(kSquare, kernel->lanes * kQuad); }
  int64_t codesStride() const { return llvm::alignTo(tilePositions(), squareVector()); }

  int64_t firstsOffset() const { return llvm::alignTo(columns, kernel->lanes) * 4; }
  int64_t listsOffset() const { return firstsOffset() + strips() * chunks() * 4; }
  int64_t placesOffset() const { return listsOffset() + strips() * chunks() * stripLists() * kListBytes; }
  int64_t quadsOffset() const { return llvm::alignTo(placesOffset() + quads, 64); }
  int64_t elements() const { return quadsOffset() + quads * kQuad; }

  /// The constant for these weights (row-major, columns innermost) and biases, whose `quads` the layout was made for.
  std::vector<int8_t> pack(ArrayRef<int8_t> weights, ArrayRef<int32_t> bias) const;

  DictionaryAttr toAttribute(MLIRContext *context) const;

  /// The layouts of unpacked weights, with no quads yet, one for each height of tiles; none for a contraction that the kernel
  /// cannot compute: groups, less than 16 or odd input channels, a number of positions that is small or not known.
  static SmallVector<SparseLayout, 2> forContract(ContractOp op, const DotKernel &kernel);

  /// Counts the quads of these weights, or expects so many for weights of which a share is zero in whole quads.
  void countQuads(ArrayRef<int8_t> weights);
  void expectQuads(double sparsity);

  /// The layout that `packing` describes; nothing if it is not one of these.
  static std::optional<SparseLayout> fromAttribute(ContractOp op);
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_SPARSELAYOUT_H
