//===- SparseEmitter.h - what one sparse contraction's loops share ----------===//
#ifndef HALFTONE_LIB_CODEGEN_SPARSEEMITTER_H
#define HALFTONE_LIB_CODEGEN_SPARSEEMITTER_H

#include "halftone/Codegen/ContractKernel.h"
#include "halftone/Codegen/DotEmitter.h"
#include "halftone/Codegen/LoopEmission.h"
#include "halftone/Codegen/SparseLayout.h"
#include "halftone/Codegen/SparseSquares.h"
#include "halftone/Codegen/TileEpilogue.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::halftone {

/// The positions of one tile.
struct SparseTile {
  Value unit;      ///< the line, or the first line of an image
  Value begin;     ///< in the unit
  int64_t vectors; ///< positions / lanes
  int64_t lastLanes; ///< of the last vector, those that are computed
};

/// The loops over parts, tiles and lists, and the epilogue (SparseKernel.cpp), and the words that dots read (SparseActivations.cpp).
class SparseEmitter {
public:
  SparseEmitter(ContractOp op, const SparseLayout &layout, const Isa &isa)
      : op(op), layout(layout), b(op.getLoc(), op), walk(b, op), epilogue(b, op, walk, isa),
        lanes(layout.kernel->lanes), mostVectorsOfTwo(hasManyRegisters(isa) ? 12 : 5), squares(b, layout) {}
  void emit();

private:
  static constexpr int64_t kQuad = SparseLayout::kQuad;
  /// Words of a vector that stay together in a transposition.
  static constexpr int64_t kWords = 4;

  /// Whether there are 32 vectors, not 16.
  static bool hasManyRegisters(const Isa &isa) { return isa.architecture == Architecture::AArch64 || isa.vectorBytes == 64; }

  void allocate();
  void emitPart(Value unit, Bounds tiles, Bounds strips);
  void emitTile(const SparseTile &tile, Bounds strips);
  std::pair<Value, Value> placeOf(const SparseTile &tile, Value index);
  Value planeOf(const SparseTile &tile, const WalkedBuffer &buffer, Value channel);

  void emitOffsets(const SparseTile &tile);
  void emitActivations(const SparseTile &tile, Value chunk);
  void emitPlanes(const SparseTile &tile, Value chunk);
  SmallVector<Value> interleaveRows(ArrayRef<Value> rows, bool areMixed);
  void emitVectors(Bounds vectors, bool areMixed, function_ref<void(Value vector, ArrayRef<Value> rowOffsets)> emit);
  void transposeActivations(ArrayRef<Value> rows, Value source, Value target);
  void storeActivations(Value bytes, Value target);

  /// Of a chunk: whether accumulators begin, and whether they are complete behind it.
  struct Turn {
    bool first, last;
  };
  void emitLists(const SparseTile &tile, Value strip, Value chunk, Turn turn);
  Value emitList(const SparseTile &tile, Value strip, Value list, Value quad, Turn turn);
  std::pair<Value, Value> halves(Value word);
  void prefetch(Value memory, Value offset, bool write) {
    memref::PrefetchOp::create(b, memory, ValueRange{offset}, write, /*localityHint=*/3, /*isDataCache=*/true);
  }
  void prefetchQuads(Value quad);
  void prefetchPlanes(const SparseTile &tile, Value strip, Value list);
  SmallVector<Value> beginColumn(const SparseTile &tile, Value strip, Value column, Turn turn);
  void endColumn(const SparseTile &tile, Value strip, Value column, ArrayRef<Value> accumulators, Turn turn);
  /// Where `sums` has a vector of a column.
  Value sumOf(Value column, int64_t vector) { return add(b, mul(b, column, layout.tilePositions()), vector * lanes); }
  void emitCodes(const SparseTile &tile, Value strip, Value column, ArrayRef<Value> accumulators);
  void emitQuads(const SparseTile &tile, Value quad, int64_t columns, MutableArrayRef<Value> accumulators);
  /// The first vectors of a tile, whose positions are mixed by fours (TileEpilogue::mixedPosition) so that the epilogue need not put bytes in order.
  int64_t mixedOf(const SparseTile &tile) const {
    return byColumns && epilogue.takesMixed() ? llvm::alignDown(tile.vectors - (tile.lastLanes < lanes), kQuad) : 0;
  }
  /// The positions that a tile computes.
  int64_t positionsOf(const SparseTile &tile) const { return (tile.vectors - 1) * lanes + tile.lastLanes; }
  /// The lanes of a vector of the tile that are computed.
  int64_t lanesOf(const SparseTile &tile, int64_t vector) const { return vector + 1 == tile.vectors ? tile.lastLanes : lanes; }
  Value widen(Value accumulator);

  void emitPanels(const SparseTile &tile, Value strip);
  void emitPanel(const SparseTile &tile, Value stripColumn, Value panel, int64_t valid);
  SmallVector<Value> transposeAccumulators(Value panelInStrip, Value first);

  Value loadWord(Value offset);
  SmallVector<Value> transposeWords(function_ref<Value(int64_t row)> load);

  ContractOp op;
  const SparseLayout &layout;
  ImplicitLocOpBuilder b;
  OutputWalk walk;
  TileEpilogue epilogue;
  const int64_t lanes;
  const int64_t mostVectorsOfTwo; ///< of a tile, for accumulators of two columns
  FlatBuffer weights;
  int64_t positions = 0, linesPerUnit = 0; ///< of a unit
  int64_t tilesPerUnit = 0, firstTiles = 0, firstVectors = 0, lastVectors = 0; ///< of the first tiles and of those behind them
  Value offsets, activations, sums, rows;
  SparseSquares squares;
  bool byColumns; ///< the epilogue works on columns of positions
  std::optional<TransposedBuffer> output; ///< unless it has planes of channels
  SmallVector<std::optional<TransposedBuffer>> residuals; ///< of each operand that has channels side by side
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_CODEGEN_SPARSEEMITTER_H
