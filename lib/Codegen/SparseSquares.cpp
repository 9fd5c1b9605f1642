//===- SparseSquares.cpp - bytes from channels side by side to positions ------===//
#include "halftone/Codegen/SparseSquares.h"
#include "halftone/Codegen/LoopEmission.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

static constexpr int64_t kSquare = SparseLayout::kSquare;

/// As many columns as a vector has bytes, of as many positions of a tile.
struct SparseSquares::WideSquare {
  Value column, channel; ///< the first one, in the strip and in the buffer
  int64_t block;         ///< the first position
  const TransposedBuffer *buffer;
  bool loads; ///< from the buffer, else to it
};

/// 16 vectors of bytes, each 128 bits of them as 16 x 16 bytes of which rows and columns change places: a byte's place has 4
/// bits of the row and 4 of the column, and interleaving rows i and i + 8 rotates these by one.
static void transposeSquares(ImplicitLocOpBuilder &b, MutableArrayRef<Value> vectors) {
  const int64_t size = cast<VectorType>(vectors[0].getType()).getDimSize(0);
  for (int64_t turn = 0; turn < 4; ++turn) {
    SmallVector<Value> next;
    for (int64_t i = 0; i < kSquare; ++i) {
      SmallVector<int64_t> order;
      for (int64_t at = 0; at < size; ++at)
        order.push_back(at / kSquare * kSquare + at % kSquare / 2 + i % 2 * (kSquare / 2) + at % 2 * size);
      next.push_back(vector::ShuffleOp::create(b, vectors[i / 2], vectors[i / 2 + kSquare / 2], order));
    }
    llvm::copy(next, vectors.begin());
  }
}

/// As many vectors as each has parts of 16 bytes, of which vectors and parts change places. A part's place has bits of the
/// vector and as many of the part; taking two vectors' even and odd parts apart rotates these by one.
static void transposeParts(ImplicitLocOpBuilder &b, MutableArrayRef<Value> vectors) {
  const int64_t size = cast<VectorType>(vectors[0].getType()).getDimSize(0), count = vectors.size();
  for (int64_t turn = 1; turn < count; turn *= 2) {
    SmallVector<Value> next(count);
    for (int64_t i = 0; i < count; ++i) {
      SmallVector<int64_t> order;
      for (int64_t at = 0; at < size; ++at)
        order.push_back((at / kSquare * 2 + i % 2) * kSquare + at % kSquare);
      next[i % 2 * (count / 2) + i / 2] = vector::ShuffleOp::create(b, vectors[i / 2 * 2], vectors[i / 2 * 2 + 1], order);
    }
    llvm::copy(next, vectors.begin());
  }
}

/// As many columns as a vector has bytes, then 16, at a time.
void SparseSquares::emit(int64_t positions, Value strip, const TransposedBuffer &buffer, bool loads) {
  Value first = mul(b, strip, layout.stripColumns());
  Value last = minimum(b, add(b, first, layout.stripColumns()), indexConstant(b, layout.columns));
  const int64_t wide = layout.squareVector() > kSquare ? layout.columns / layout.squareVector() * layout.squareVector() : 0;
  const int64_t whole = layout.columns / kSquare * kSquare, rest = layout.columns - whole;
  auto columnOf = [&](Value channel) { return b.createOrFold<arith::SubIOp>(channel, first); };
  auto emitAt = [&](Value channel, int64_t valid) { emitSquare(positions, columnOf(channel), channel, valid, buffer, loads); };
  if (wide)
    emitLoop(b, {first, minimum(b, last, indexConstant(b, wide))}, layout.squareVector(),
             [&](Value channel) { emitWideSquare(positions, columnOf(channel), channel, buffer, loads); });
  // What is left is in the strip that has it.
  if (wide < whole)
    emitLoop(b, {maximum(b, first, indexConstant(b, wide)), minimum(b, last, indexConstant(b, whole))}, kSquare,
             [&](Value channel) { emitAt(channel, kSquare); });
  if (rest)
    emitLoop(b, {maximum(b, first, indexConstant(b, whole)), last}, kSquare, [&](Value channel) { emitAt(channel, rest); });
}

/// As many columns as a vector has bytes, of all positions: memory is read and written in whole vectors, which are whole
/// lines of the cache with 512 bits. In between, the 16 x 16 squares stand where the transposed part has their columns.
void SparseSquares::emitWideSquare(int64_t positions, Value column, Value channel, const TransposedBuffer &buffer, bool loads) {
  const int64_t size = layout.squareVector();
  for (int64_t block = 0; block < positions; block += size) {
    const WideSquare square = {column, channel, block, &buffer, loads};
    if (!loads)
      transposeInPlace(square);
    // Position i of each of the squares of 16 positions; the last of these may have fewer.
    const int64_t left = std::min(size, positions - block), rest = left % kSquare;
    movePositions(square, 0, rest, left / kSquare + 1);
    movePositions(square, rest, kSquare, left / kSquare);
    if (loads)
      transposeInPlace(square);
  }
}

/// The vector of a row of the square in the transposed part.
Value SparseSquares::rowOf(const WideSquare &square, Value row) {
  return add(b, mul(b, add(b, square.column, row), layout.codesStride()), square.block);
}

void SparseSquares::transposeInPlace(const WideSquare &square) {
  auto type = VectorType::get({layout.squareVector()}, b.getI8Type());
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, layout.squareVector())}, kSquare, [&](Value first) {
    SmallVector<Value> vectors;
    for (int64_t i = 0; i < kSquare; ++i)
      vectors.push_back(vector::LoadOp::create(b, type, square.buffer->codes, rowOf(square, add(b, first, i))));
    transposeSquares(b, vectors);
    for (int64_t i = 0; i < kSquare; ++i)
      vector::StoreOp::create(b, vectors[i], square.buffer->codes, rowOf(square, add(b, first, i)));
  });
}

/// The positions i, i + 16, ... of so many squares, for each i from `begin` to `end`, between the buffer and rows i, i + 16, ...
void SparseSquares::movePositions(const WideSquare &square, int64_t begin, int64_t end, int64_t squares) {
  if (begin == end)
    return;
  const int64_t size = layout.squareVector();
  auto type = VectorType::get({size}, b.getI8Type());
  const FlatBuffer &flat = square.buffer->buffer->flat;
  emitLoop(b, {indexConstant(b, begin), indexConstant(b, end)}, 1, [&](Value i) {
    // The next columns are asked for: a line further, and lines that are written are read first.
    auto addressOf = [&](int64_t k) {
      Value offset = memref::LoadOp::create(b, square.buffer->table, add(b, i, square.block + k * kSquare));
      Value address = add(b, offset, square.channel);
      memref::PrefetchOp::create(b, flat.memory, ValueRange{add(b, address, size)}, /*isWrite=*/!square.loads,
                                 /*localityHint=*/3, /*isDataCache=*/true);
      return address;
    };
    auto row = [&](int64_t k) { return rowOf(square, add(b, i, k * kSquare)); };
    SmallVector<Value> vectors(size / kSquare, arith::ConstantOp::create(b, b.getZeroAttr(type)));
    const int64_t rows = vectors.size();
    for (int64_t k = 0; k < (square.loads ? squares : rows); ++k)
      vectors[k] = square.loads ? loadLanes(b, flat, addressOf(k), /*stride=*/1, size, size)
                                : Value(vector::LoadOp::create(b, type, square.buffer->codes, row(k)));
    transposeParts(b, vectors);
    for (int64_t k = 0; k < (square.loads ? rows : squares); ++k)
      if (square.loads)
        vector::StoreOp::create(b, vectors[k], square.buffer->codes, row(k));
      else
        storeLanes(b, vectors[k], flat, addressOf(k), size, size);
  });
}

/// 16 columns of all positions.
void SparseSquares::emitSquare(int64_t positions, Value column, Value channel, int64_t valid, const TransposedBuffer &buffer,
                              bool loads) {
  const int64_t size = layout.squareVector();
  auto type = VectorType::get({size}, b.getI8Type());
  const FlatBuffer &flat = buffer.buffer->flat;
  for (int64_t block = 0; block < positions; block += size) {
    SmallVector<Value> vectors;
    auto place = [&](int64_t i) { return add(b, mul(b, add(b, column, i), layout.codesStride()), block); };
    /// Calls visit(where the buffer has it, its first byte in the vector) for the positions of vector k.
    auto forEachPosition = [&](int64_t k, function_ref<void(Value, int64_t)> visit) {
      for (int64_t first = 0; first < size && block + first + k < positions; first += kSquare)
        visit(add(b, memref::LoadOp::create(b, buffer.table, indexConstant(b, block + first + k)), channel), first);
    };
    for (int64_t i = 0; i < kSquare; ++i) {
      if (!loads) {
        vectors.push_back(vector::LoadOp::create(b, type, buffer.codes, place(i)));
        continue;
      }
      Value joined = arith::ConstantOp::create(b, b.getZeroAttr(type));
      forEachPosition(i, [&](Value offset, int64_t first) {
        Value part = loadLanes(b, flat, offset, /*stride=*/1, kSquare, valid);
        joined = vector::InsertStridedSliceOp::create(b, part, joined, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{1});
      });
      vectors.push_back(joined);
    }
    transposeSquares(b, vectors);
    for (int64_t i = 0; i < kSquare; ++i) {
      if (loads) {
        vector::StoreOp::create(b, vectors[i], buffer.codes, place(i));
        continue;
      }
      forEachPosition(i, [&](Value offset, int64_t first) {
        Value part = vector::ExtractStridedSliceOp::create(b, vectors[i], ArrayRef<int64_t>{first}, ArrayRef<int64_t>{kSquare},
                                                           ArrayRef<int64_t>{1});
        storeLanes(b, part, flat, offset, kSquare, valid);
      });
    }
  }
}
