//===- SparseKernel.cpp - contractions whose weights are mostly zero --------===//
//
// The lanes of a vector are positions, not columns: a quad of weights is one word in all lanes, and meets the same 4
// input channels of 16 positions at a time. So a quad that is zero costs nothing, whatever its neighbours are.
//
//   forall part:                      tiles of positions x strips of columns
//     for tile:                       up to 4 or 8 vectors of positions, from any lines
//       for strip: for chunk:
//         transpose the chunk's activations:     [quad][position][4 bytes], in L1
//         for list: for quad of each column:     one load and one dot for each vector
//         accumulators to memory:                [column][position]; those of the last chunk to the epilogue
//       transpose the bytes, store
//
// The epilogue works on accumulators as they are, all lanes of one column, so what is transposed are bytes (SparseSquares.h), and
// residuals before. Between sparse kernels that work position by position buffers have planes of channels
// (halftone-assign-planes): there columns are read and written as they are, and activations are 4 planes interleaved.
// Where the results are not i8, or an operand is neither one for each channel nor i8, accumulators are transposed instead, in
// panels of columns:
//
//       for panel of the strip:
//         transpose the accumulators; for position: epilogue, store
//
// The transposition of activations is shared by all columns. Code does not grow with the weights: lists are data
// (SparseLayout.h). A list is of two columns, so that there are enough dots at once to hide their latency, and so that activations of
// places that both have are loaded once: loads bound the kernel, and what else runs on the core slows them more than dots.
//
//===----------------------------------------------------------------------===//
#include "SparseEmitter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Multiply-accumulates of one part that are stored.
static constexpr int64_t kPartWork = int64_t(1) << 19;
/// Parts that a contraction with few tiles is cut into along its columns, of at least so many columns.
static constexpr int64_t kLeastParts = 4, kLeastPartColumns = 256;
/// Vectors of columns in the epilogue.
static constexpr int64_t kPanelVectors = 4;
/// Quads are asked for so far ahead of their use, and so many lines of them in each list.
static constexpr int64_t kAheadQuads = 256, kAheadLines = 2, kLine = 64;
/// Planes of the columns of a later list are asked for, which come in no order.
static constexpr int64_t kAheadLists = 4;

void mlir::halftone::emitSparseKernel(ContractOp op, const SparseLayout &layout, const Isa &isa) {
  SparseEmitter(op, layout, isa).emit();
}

//===----------------------------------------------------------------------===//
// Parts and tiles
//===----------------------------------------------------------------------===//

void SparseEmitter::allocate() {
  auto scratch = [&](int64_t elements, Type type) {
    return memref::AllocaOp::create(b, MemRefType::get({elements}, type), b.getI64IntegerAttr(64));
  };
  const int64_t tile = layout.tilePositions();
  if (!OutputWalk::hasPlanes(walk.input))
    offsets = scratch(tile, b.getIndexType());
  activations = scratch(layout.chunkQuads() * layout.quadBytes(), b.getI8Type());
  byColumns = epilogue.hasColumns();
  if (layout.chunks() > 1 || !byColumns)
    sums = scratch(layout.stripColumns() * tile, b.getI32Type());
  if (!byColumns) {
    rows = scratch(layout.panelColumns() * kWords, b.getI32Type());
    return;
  }
  auto transposed = [&](const WalkedBuffer &buffer) -> std::optional<TransposedBuffer> {
    if (OutputWalk::hasPlanes(buffer) || TileEpilogue::isOfChannels(buffer))
      return std::nullopt;
    return TransposedBuffer{&buffer, scratch(tile, b.getIndexType()), scratch(layout.stripColumns() * layout.codesStride(), b.getI8Type())};
  };
  output = transposed(walk.output);
  for (const WalkedBuffer &operand : walk.operands)
    residuals.push_back(transposed(operand));
}

/// A unit is an image, or one line of all positions where there is only that.
void SparseEmitter::emit() {
  weights = flatten(b, op.getWeights());
  positions = std::max(walk.span(), walk.imagePositions());
  linesPerUnit = positions / walk.span();
  const int64_t vectors = llvm::divideCeil(positions, lanes);
  tilesPerUnit = llvm::divideCeil(vectors, layout.tileVectors);
  firstVectors = layout.sharesEvenly() ? vectors / tilesPerUnit : layout.tileVectors;
  firstTiles = tilesPerUnit - (layout.sharesEvenly() ? vectors % tilesPerUnit : 1);
  lastVectors = layout.sharesEvenly() ? firstVectors + 1 : vectors - firstTiles * firstVectors;
  allocate();

  const int64_t tileWork = std::max<int64_t>(1, layout.quads * layout.quadBytes());
  const int64_t partTiles = std::min(tilesPerUnit, std::max<int64_t>(1, kPartWork / tileWork));
  const int64_t tileParts = llvm::divideCeil(tilesPerUnit, partTiles);
  const int64_t most = std::max<int64_t>(1, layout.columns / kLeastPartColumns);
  const int64_t wanted = std::min(std::min(layout.strips(), most), std::max<int64_t>(1, kLeastParts / tileParts));
  const int64_t partStrips = llvm::divideCeil(layout.strips(), wanted);
  const int64_t stripParts = llvm::divideCeil(layout.strips(), partStrips);
  Value units = b.createOrFold<arith::DivUIOp>(walk.emitLineCount(b), indexConstant(b, linesPerUnit));
  Value perUnit = indexConstant(b, tileParts * stripParts), perTile = indexConstant(b, stripParts);
  // Always a function of its own: its scratch is on the stack.
  emitParts(b, mul(b, units, tileParts * stripParts), [&](Value part) {
    Value unit = b.createOrFold<arith::DivUIOp>(part, perUnit), rest = b.createOrFold<arith::RemUIOp>(part, perUnit);
    Value tilePart = b.createOrFold<arith::DivUIOp>(rest, perTile), stripPart = b.createOrFold<arith::RemUIOp>(rest, perTile);
    emitPart(unit, pieceBounds(b, tilePart, partTiles, indexConstant(b, tilesPerUnit)),
             pieceBounds(b, stripPart, partStrips, indexConstant(b, layout.strips())));
  }, /*always=*/true);
}

/// The last vector of a unit may be short if it ends one tile that is emitted alone.
void SparseEmitter::emitPart(Value unit, Bounds tiles, Bounds strips) {
  const int64_t lastLanes = layout.lastLanes(positions), lastTiles = tilesPerUnit - firstTiles;
  auto emitTiles = [&](int64_t first, int64_t count, int64_t vectors) {
    if (count == 0)
      return;
    const Bounds bounds = {maximum(b, tiles.begin, indexConstant(b, first)), minimum(b, tiles.end, indexConstant(b, first + count))};
    const int64_t skipped = first * (firstVectors - vectors) * lanes;
    emitLoop(b, bounds, 1, [&](Value tile) {
      const bool endsUnit = first + count == tilesPerUnit && count == 1;
      emitTile({unit, add(b, mul(b, tile, vectors * lanes), skipped), vectors, endsUnit ? lastLanes : lanes}, strips);
    });
  };
  if (lastVectors == firstVectors && lastLanes == lanes)
    return emitTiles(0, tilesPerUnit, firstVectors);
  emitTiles(0, firstTiles, firstVectors);
  emitTiles(firstTiles, lastTiles, lastVectors);
}

void SparseEmitter::emitTile(const SparseTile &tile, Bounds strips) {
  Value zero = indexConstant(b, 0), one = indexConstant(b, 1);
  const int64_t chunks = layout.chunks();
  emitOffsets(tile);
  if (chunks == 1)
    emitActivations(tile, zero);
  emitLoop(b, strips, 1, [&](Value strip) {
    for (const std::optional<TransposedBuffer> &residual : residuals)
      if (residual)
        squares.emit(positionsOf(tile), strip, *residual, /*loads=*/true);
    if (chunks > 1)
      emitActivations(tile, zero);
    emitLists(tile, strip, zero, {/*first=*/true, /*last=*/chunks == 1});
    auto emitChunk = [&](Value chunk, bool last) {
      emitActivations(tile, chunk);
      emitLists(tile, strip, chunk, {/*first=*/false, last});
    };
    if (chunks > 1) {
      emitLoop(b, {one, indexConstant(b, chunks - 1)}, 1, [&](Value chunk) { emitChunk(chunk, /*last=*/false); });
      emitChunk(indexConstant(b, chunks - 1), /*last=*/true);
    }
    if (!byColumns)
      emitPanels(tile, strip);
    else if (output)
      squares.emit(positionsOf(tile), strip, *output, /*loads=*/false);
  });
}

/// The line and the position in it of a position of the tile.
std::pair<Value, Value> SparseEmitter::placeOf(const SparseTile &tile, Value index) {
  Value position = add(b, tile.begin, index);
  if (linesPerUnit == 1)
    return {tile.unit, position};
  Value span = indexConstant(b, walk.span());
  Value line = add(b, mul(b, tile.unit, linesPerUnit), b.createOrFold<arith::DivUIOp>(position, span));
  return {line, b.createOrFold<arith::RemUIOp>(position, span)};
}

/// Where a buffer of planes has the tile's first position in a channel. The others follow it.
Value SparseEmitter::planeOf(const SparseTile &tile, const WalkedBuffer &buffer, Value channel) {
  Value begin = add(b, walk.emitLineOffset(b, buffer, mul(b, tile.unit, linesPerUnit)), tile.begin);
  return add(b, mul(b, channel, buffer.advance.channel), begin);
}

//===----------------------------------------------------------------------===//
// Lists of quads
//===----------------------------------------------------------------------===//

/// The i32 at a byte offset of the weights.
Value SparseEmitter::loadWord(Value offset) {
  Value bytes = vector::LoadOp::create(b, VectorType::get({kQuad}, b.getI8Type()), weights.memory, offset);
  return vector::ExtractOp::create(b, vector::BitCastOp::create(b, VectorType::get({1}, b.getI32Type()), bytes), 0);
}

static Value toIndex(ImplicitLocOpBuilder &b, Value word) { return arith::IndexCastUIOp::create(b, b.getIndexType(), word); }

void SparseEmitter::emitLists(const SparseTile &tile, Value strip, Value chunk, Turn turn) {
  Value number = add(b, mul(b, strip, layout.chunks()), chunk);
  Value quad = toIndex(b, loadWord(add(b, mul(b, number, 4), layout.firstsOffset())));
  Value lists = add(b, mul(b, number, layout.stripLists() * SparseLayout::kListBytes), layout.listsOffset());
  Value left = b.createOrFold<arith::SubIOp>(indexConstant(b, layout.columns), mul(b, strip, layout.stripColumns()));
  Value columns = minimum(b, left, indexConstant(b, layout.stripColumns()));
  emitCarryingLoop(b, pieceCount(b, columns, 2), {quad}, [&](Value index, SmallVector<Value> carried) -> SmallVector<Value> {
    return {emitList(tile, strip, add(b, lists, mul(b, index, SparseLayout::kListBytes)), carried[0], turn)};
  });
}

/// The two halves of a word.
std::pair<Value, Value> SparseEmitter::halves(Value word) {
  Value bits = arith::ConstantIntOp::create(b, 16, 32), mask = arith::ConstantIntOp::create(b, 0xffff, 32);
  return {toIndex(b, arith::AndIOp::create(b, word, mask)), toIndex(b, arith::ShRUIOp::create(b, word, bits))};
}

/// Two columns; gives the first quad of the next list.
Value SparseEmitter::emitList(const SparseTile &tile, Value strip, Value list, Value quad, Turn turn) {
  const auto [firstColumn, secondColumn] = halves(loadWord(list));
  const auto [shared, count] = halves(loadWord(add(b, list, 4)));
  const Value columns[] = {firstColumn, secondColumn};
  prefetchQuads(quad);
  if (turn.last && byColumns)
    prefetchPlanes(tile, strip, list);
  SmallVector<Value> accumulators;
  for (Value column : columns)
    llvm::append_range(accumulators, beginColumn(tile, strip, column, turn));
  auto emitPairs = [&](Value begin, Value pairs, function_ref<void(Value, MutableArrayRef<Value>)> emitPair) {
    accumulators = emitCarryingLoop(b, pairs, accumulators, [&](Value pair, SmallVector<Value> carried) {
      emitPair(add(b, begin, mul(b, pair, 2)), carried);
      return carried;
    });
  };
  // Of column k, one quad of the pair.
  auto emitOne = [&](Value first, int64_t k, MutableArrayRef<Value> carried) {
    emitQuads(tile, add(b, first, k), 1, carried.slice(k * tile.vectors, tile.vectors));
  };
  if (tile.vectors <= mostVectorsOfTwo) {
    emitPairs(quad, shared, [&](Value first, MutableArrayRef<Value> carried) { emitQuads(tile, first, 2, carried); });
    Value rest = b.createOrFold<arith::SubIOp>(count, shared);
    emitPairs(add(b, quad, mul(b, shared, 2)), rest, [&](Value first, MutableArrayRef<Value> carried) {
      for (int64_t k = 0; k < 2; ++k)
        emitOne(first, k, carried);
    });
  } else { // registers do not hold both: one column follows the other
    for (int64_t k = 0; k < 2; ++k)
      emitPairs(quad, count, [&](Value first, MutableArrayRef<Value> carried) { emitOne(first, k, carried); });
  }
  for (auto [i, column] : llvm::enumerate(columns))
    endColumn(tile, strip, column, ArrayRef<Value>(accumulators).slice(i * tile.vectors, tile.vectors), turn);
  return add(b, quad, mul(b, count, 2));
}

/// Asks for quads of a later list, which the core's own prefetchers do not where lists are short.
void SparseEmitter::prefetchQuads(Value quad) {
  prefetch(weights.memory, add(b, quad, layout.placesOffset() + kAheadQuads), /*write=*/false);
  for (int64_t line = 0; line < kAheadLines; ++line)
    prefetch(weights.memory, add(b, mul(b, quad, kQuad), layout.quadsOffset() + kAheadQuads * kQuad + line * kLine), /*write=*/false);
}

/// Asks for the planes that the epilogue of a later list reads and writes.
void SparseEmitter::prefetchPlanes(const SparseTile &tile, Value strip, Value list) {
  SmallVector<std::pair<const WalkedBuffer *, bool>> planes;
  if (OutputWalk::hasPlanes(walk.output))
    planes.push_back({&walk.output, /*write=*/true});
  for (auto [buffer, operand] : llvm::zip_equal(walk.operands, op.getEpilogueInputs()))
    if (OutputWalk::hasPlanes(buffer) && operand != op.getOutput())
      planes.push_back({&buffer, /*write=*/false});
  if (planes.empty())
    return;
  const auto [first, second] = halves(loadWord(add(b, list, kAheadLists * SparseLayout::kListBytes)));
  const int64_t bytes = tile.vectors * lanes, most = layout.tilePositions() % kLine == 0 ? bytes : bytes + kLine;
  for (auto [buffer, write] : planes)
    for (Value column : {first, second}) {
      Value begin = planeOf(tile, *buffer, add(b, mul(b, strip, layout.stripColumns()), column));
      for (int64_t at = 0; at < most; at += kLine) // the last byte may be in one line more, unless tiles begin with one
        prefetch(buffer->flat.memory, add(b, begin, std::min(at, bytes - 1)), write);
    }
}

/// The accumulators of a column: its start, or what earlier chunks have left.
SmallVector<Value> SparseEmitter::beginColumn(const SparseTile &tile, Value strip, Value column, Turn turn) {
  Value start = turn.first ? loadWord(mul(b, add(b, mul(b, strip, layout.stripColumns()), column), 4)) : Value();
  SmallVector<Value> accumulators;
  for (int64_t v = 0; v < tile.vectors; ++v) {
    auto type = VectorType::get({lanesOf(tile, v)}, b.getI32Type());
    accumulators.push_back(turn.first ? Value(vector::BroadcastOp::create(b, type, start))
                                      : Value(vector::LoadOp::create(b, type, sums, sumOf(column, v))));
  }
  return accumulators;
}

/// To the epilogue, or to memory.
void SparseEmitter::endColumn(const SparseTile &tile, Value strip, Value column, ArrayRef<Value> accumulators, Turn turn) {
  if (turn.last && byColumns)
    return emitCodes(tile, strip, column, llvm::map_to_vector(accumulators, [&](Value sum) { return widen(sum); }));
  for (auto [v, sum] : llvm::enumerate(accumulators))
    vector::StoreOp::create(b, sum, sums, sumOf(column, v));
}

/// Quads of so many columns at one place, whose activations are loaded once.
void SparseEmitter::emitQuads(const SparseTile &tile, Value quad, int64_t columns, MutableArrayRef<Value> accumulators) {
  auto bytes = VectorType::get({lanes * kQuad}, b.getI8Type()), words = VectorType::get({lanes}, b.getI32Type());
  Value place = toIndex(b, memref::LoadOp::create(b, weights.memory, add(b, quad, layout.placesOffset())));
  SmallVector<Value> weight;
  for (int64_t k = 0; k < columns; ++k) {
    Value word = loadWord(add(b, mul(b, quad, kQuad), layout.quadsOffset() + k * kQuad));
    weight.push_back(vector::BitCastOp::create(b, bytes, vector::BroadcastOp::create(b, words, word)));
  }
  for (int64_t v = 0; v < tile.vectors; ++v) {
    const int64_t width = lanesOf(tile, v), size = width * kQuad;
    const DotEmitter dots(*layout.kernel, width, /*storedUnsigned=*/true);
    Value offset = add(b, mul(b, place, layout.quadBytes()), v * lanes * kQuad);
    Value loaded = vector::LoadOp::create(b, VectorType::get({size}, b.getI8Type()), activations, offset);
    const DotEmitter::Activation prepared = dots.prepareActivation(b, loaded);
    for (auto [k, whole] : llvm::enumerate(weight)) {
      Value part = whole;
      if (width < lanes)
        part = vector::ExtractStridedSliceOp::create(b, whole, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
      Value &sum = accumulators[k * tile.vectors + v];
      sum = dots.dot(b, sum, prepared, part);
    }
  }
}

/// An accumulator with all lanes, of which those that the tile has not are zero.
Value SparseEmitter::widen(Value accumulator) {
  auto type = VectorType::get({lanes}, b.getI32Type());
  if (accumulator.getType() == type)
    return accumulator;
  Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
  return vector::InsertStridedSliceOp::create(b, accumulator, zero, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{1});
}

//===----------------------------------------------------------------------===//
// Epilogue by columns
//===----------------------------------------------------------------------===//

/// The results of one column of the strip, between transposed parts or in planes.
void SparseEmitter::emitCodes(const SparseTile &tile, Value strip, Value column, ArrayRef<Value> accumulators) {
  Value row = mul(b, column, layout.codesStride());
  Value channel = add(b, mul(b, strip, layout.stripColumns()), column);
  auto load = [&](unsigned operand, int64_t vector, int64_t count) -> Value {
    auto type = VectorType::get({count * lanes}, b.getI8Type());
    if (residuals[operand])
      return vector::LoadOp::create(b, type, residuals[operand]->codes, add(b, row, vector * lanes));
    const WalkedBuffer &planes = walk.operands[operand];
    return vector::LoadOp::create(b, type, planes.flat.memory, add(b, planeOf(tile, planes, channel), vector * lanes));
  };
  SmallVector<Value> codes = epilogue.emitColumn(channel, accumulators, mixedOf(tile), load);
  Value memory = output ? output->codes : walk.output.flat.memory;
  Value first = output ? row : planeOf(tile, walk.output, channel);
  int64_t position = 0;
  for (Value part : codes) {
    vector::StoreOp::create(b, part, memory, add(b, first, position));
    position += cast<VectorType>(part.getType()).getDimSize(0);
  }
}

//===----------------------------------------------------------------------===//
// Epilogue by rows
//===----------------------------------------------------------------------===//

void SparseEmitter::emitPanels(const SparseTile &tile, Value strip) {
  const int64_t whole = layout.columns / layout.panelColumns(), rest = layout.columns % layout.panelColumns();
  const int64_t perStrip = layout.stripColumns() / layout.panelColumns();
  Value first = mul(b, strip, perStrip), last = add(b, first, perStrip), wholeEnd = indexConstant(b, whole);
  emitLoop(b, {first, minimum(b, last, wholeEnd)}, 1,
           [&](Value panel) { emitPanel(tile, first, panel, layout.panelColumns()); });
  if (rest) // the last panel, in the strip that has it
    emitLoop(b, {maximum(b, first, wholeEnd), minimum(b, last, indexConstant(b, whole + 1))}, 1,
             [&](Value panel) { emitPanel(tile, first, panel, rest); });
}

/// The accumulators of a panel at 4 positions from `first` on, from [column][position] to [position][column].
SmallVector<Value> SparseEmitter::transposeAccumulators(Value panelInStrip, Value first) {
  auto words = VectorType::get({kWords}, b.getI32Type());
  SmallVector<Value> results(kWords * kPanelVectors);
  for (int64_t v = 0; v < kPanelVectors; ++v) {
    Value column = add(b, mul(b, panelInStrip, layout.panelColumns()), v * lanes);
    Value place = add(b, mul(b, column, layout.tilePositions()), first);
    SmallVector<Value> transposed = transposeWords([&](int64_t row) -> Value {
      return vector::LoadOp::create(b, words, sums, add(b, place, row * layout.tilePositions()));
    });
    for (auto [i, result] : llvm::enumerate(transposed))
      results[i * kPanelVectors + v] = result;
  }
  return results;
}

/// 4 positions at a time, from registers where they follow one another in memory; else, and behind the last of these,
/// one by one from a scratch.
void SparseEmitter::emitPanel(const SparseTile &tile, Value firstPanel, Value panel, int64_t valid) {
  Value panelInStrip = b.createOrFold<arith::SubIOp>(panel, firstPanel), zero = indexConstant(b, 0);
  Value left = b.createOrFold<arith::SubIOp>(indexConstant(b, positions), tile.begin);
  Value end = minimum(b, left, indexConstant(b, tile.vectors * lanes)), begin = zero;
  const TileColumns columns = {mul(b, panel, layout.panelColumns()), lanes, kPanelVectors, valid};
  if (linesPerUnit == 1 || walk.span() % kWords == 0) {
    Value whole = mul(b, b.createOrFold<arith::DivUIOp>(end, indexConstant(b, kWords)), kWords);
    emitLoop(b, {zero, whole}, kWords, [&](Value first) {
      auto [line, position] = placeOf(tile, first);
      epilogue.enterLine(line);
      epilogue.emit(kWords, position, columns, transposeAccumulators(panelInStrip, first));
    });
    if (positions % kWords == 0)
      return;
    begin = whole;
  }
  auto type = VectorType::get({lanes}, b.getI32Type());
  emitLoop(b, {begin, end}, kWords, [&](Value first) {
    for (auto [i, sum] : llvm::enumerate(transposeAccumulators(panelInStrip, first)))
      vector::StoreOp::create(b, sum, rows, indexConstant(b, i * lanes));
    Value count = minimum(b, b.createOrFold<arith::SubIOp>(end, first), indexConstant(b, kWords));
    emitLoop(b, {zero, count}, 1, [&](Value index) {
      auto [line, position] = placeOf(tile, add(b, first, index));
      epilogue.enterLine(line);
      SmallVector<Value> accumulators;
      for (int64_t v = 0; v < kPanelVectors; ++v)
        accumulators.push_back(vector::LoadOp::create(b, type, rows, add(b, mul(b, index, layout.panelColumns()), v * lanes)));
      epilogue.emit(1, position, columns, accumulators);
    });
  });
}
