//===- SparseActivations.cpp - the words that dots of a sparse kernel read --===//
//
// A chunk of input channels, transposed: [quad][position][4 bytes]. Channels side by side are words already, which change places between
// vectors; of planes of channels 4 are interleaved byte by byte.
//
//===----------------------------------------------------------------------===//
#include "SparseEmitter.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

/// Where each position of the tile stands in the buffers; those past the end are the last one again, with the same results.
void SparseEmitter::emitOffsets(const SparseTile &tile) {
  Value last = b.createOrFold<arith::SubIOp>(indexConstant(b, positions - 1), tile.begin);
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, tile.vectors * lanes)}, 1, [&](Value index) {
    const std::pair<Value, Value> place = placeOf(tile, minimum(b, index, last));
    auto note = [&](const WalkedBuffer &buffer, Value table) {
      Value offset = add(b, walk.emitLineOffset(b, buffer, place.first), mul(b, place.second, walk.positionStride(buffer)));
      memref::StoreOp::create(b, offset, table, index);
    };
    if (!OutputWalk::hasPlanes(walk.input))
      note(walk.input, offsets);
    if (output)
      note(walk.output, output->table);
    for (const std::optional<TransposedBuffer> &residual : residuals)
      if (residual)
        note(*residual->buffer, residual->table);
  });
}

/// The channels of a chunk, whose tap is the only one.
void SparseEmitter::emitPlanes(const SparseTile &tile, Value chunk) {
  Value first = mul(b, chunk, layout.splitChannels());
  Value last = minimum(b, add(b, first, layout.splitChannels()), indexConstant(b, layout.channels));
  auto type = VectorType::get({lanes * kQuad}, b.getI8Type());
  emitLoop(b, {first, last}, kQuad, [&](Value channel) {
    Value quad = b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(channel, first), indexConstant(b, kQuad));
    Value target = mul(b, quad, layout.quadBytes());
    for (int64_t group = 0; group < tile.vectors; group += kQuad) {
      // Of 4 vectors of positions; what is read behind the tile is not used.
      SmallVector<Value> rows;
      for (int64_t i = 0; i < kQuad; ++i) {
        Value offset = add(b, planeOf(tile, walk.input, add(b, channel, i)), group * lanes);
        rows.push_back(vector::LoadOp::create(b, type, walk.input.flat.memory, offset));
      }
      for (auto [i, stored] : llvm::enumerate(interleaveRows(rows, group < mixedOf(tile))))
        if (group + static_cast<int64_t>(i) < tile.vectors)
          storeActivations(stored, add(b, target, (group + i) * lanes * kQuad));
    }
  });
}

/// 4 rows of bytes to 4 vectors that have a byte of each row side by side: pairs of bytes from two rows first, ordered so that
/// pairs of pairs need to move within 128 bits only. Mixed positions never leave their 128 bits.
SmallVector<Value> SparseEmitter::interleaveRows(ArrayRef<Value> rows, bool areMixed) {
  const int64_t size = lanes * kQuad, part = kWords * kQuad, half = part / 2;
  auto shuffle = [&](Value x, Value y, function_ref<int64_t(int64_t)> order) {
    return vector::ShuffleOp::create(b, x, y, llvm::map_to_vector(llvm::seq<int64_t>(0, size), order));
  };
  SmallVector<Value> results;
  for (int64_t two = 0; two < 2; ++two) {
    // Byte `at` of a part: row at % 2, and a position of vector 2 * two in its lower half, of the next one in its upper half.
    auto pairs = [&](int64_t at) {
      const int64_t inPart = at % part, vector = 2 * two + inPart / half, inHalf = inPart % half / 2;
      const int64_t position = areMixed ? TileEpilogue::mixedPosition(vector, at / part * kWords + inHalf)
                                        : vector * lanes + at / part * kWords + inHalf;
      return position + at % 2 * size;
    };
    Value first = shuffle(rows[0], rows[1], pairs), second = shuffle(rows[2], rows[3], pairs);
    for (int64_t upper = 0; upper < 2; ++upper)
      results.push_back(shuffle(first, second, [&](int64_t at) {
        const int64_t inPart = at % part;
        return at / part * part + upper * half + inPart / kQuad * 2 + inPart % 2 + inPart % kQuad / 2 * size;
      }));
  }
  return results;
}

/// The activations of a chunk, tap by tap, 16 channels at a time; the last ones of a tap overlap those before them.
void SparseEmitter::emitActivations(const SparseTile &tile, Value chunk) {
  if (OutputWalk::hasPlanes(walk.input))
    return emitPlanes(tile, chunk);
  ArrayRef<int64_t> strides = walk.input.flat.strides;
  const bool convolution = strides.size() == 4;
  const int64_t rowStride = convolution ? strides[1] * op.getDilations()[0] : 0;
  const int64_t tapStride = convolution ? strides[2] * op.getDilations()[1] : 0;
  const int64_t step = kWords * kQuad, quadBytes = layout.quadBytes();
  Value splits = indexConstant(b, layout.splits()), width = indexConstant(b, layout.kernelWidth);
  Value firstTap = mul(b, b.createOrFold<arith::DivUIOp>(chunk, splits), layout.tapsPerChunk());
  Value firstChannel = mul(b, b.createOrFold<arith::RemUIOp>(chunk, splits), layout.splitChannels());
  Value lastTap = minimum(b, add(b, firstTap, layout.tapsPerChunk()), indexConstant(b, layout.taps()));
  Value lastChannel = minimum(b, add(b, firstChannel, layout.splitChannels()), indexConstant(b, layout.channels));
  auto quadsBetween = [&](Value begin, Value end) {
    return b.createOrFold<arith::DivUIOp>(b.createOrFold<arith::SubIOp>(end, begin), indexConstant(b, kQuad));
  };
  Value tapQuads = quadsBetween(firstChannel, lastChannel);
  auto emitVector = [&](Value vector, ArrayRef<Value> rowOffsets) {
    emitLoop(b, {firstTap, lastTap}, 1, [&](Value tap) {
      Value source = add(b, mul(b, b.createOrFold<arith::DivUIOp>(tap, width), rowStride),
                         mul(b, b.createOrFold<arith::RemUIOp>(tap, width), tapStride));
      Value tapPlace = b.createOrFold<arith::MulIOp>(b.createOrFold<arith::SubIOp>(tap, firstTap), tapQuads);
      emitLoop(b, {firstChannel, lastChannel}, step, [&](Value turn) {
        Value channel = minimum(b, turn, b.createOrFold<arith::SubIOp>(lastChannel, indexConstant(b, step)));
        Value target = add(b, mul(b, add(b, tapPlace, quadsBetween(firstChannel, channel)), quadBytes), mul(b, vector, lanes * kQuad));
        transposeActivations(rowOffsets, add(b, source, channel), target);
      });
    });
  };
  const int64_t mixed = mixedOf(tile);
  emitVectors({indexConstant(b, 0), indexConstant(b, mixed)}, /*areMixed=*/true, emitVector);
  if (mixed < tile.vectors)
    emitVectors({indexConstant(b, mixed), indexConstant(b, tile.vectors)}, /*areMixed=*/false, emitVector);
}

/// Calls `emit` in a loop over vectors of positions, with where each of their positions stands.
void SparseEmitter::emitVectors(Bounds vectors, bool areMixed, function_ref<void(Value, ArrayRef<Value>)> emit) {
  emitLoop(b, vectors, 1, [&](Value vector) {
    Value four = b.createOrFold<arith::DivUIOp>(vector, indexConstant(b, kQuad)), inFour = b.createOrFold<arith::RemUIOp>(vector, indexConstant(b, kQuad));
    Value first = areMixed ? add(b, mul(b, four, kQuad * lanes), mul(b, inFour, TileEpilogue::mixedPosition(1, 0))) : mul(b, vector, lanes);
    SmallVector<Value> rowOffsets;
    for (int64_t row = 0; row < lanes; ++row)
      rowOffsets.push_back(memref::LoadOp::create(b, offsets, add(b, first, areMixed ? TileEpilogue::mixedPosition(0, row) : row)));
    emit(vector, rowOffsets);
  });
}

/// 16 channels of one vector of positions: 4 quads.
void SparseEmitter::transposeActivations(ArrayRef<Value> rowOffsets, Value source, Value target) {
  auto bytes = VectorType::get({kWords * kQuad}, b.getI8Type()), words = VectorType::get({kWords}, b.getI32Type());
  SmallVector<Value> quads = transposeWords([&](int64_t row) -> Value {
    Value loaded = vector::LoadOp::create(b, bytes, walk.input.flat.memory, add(b, rowOffsets[row], source));
    return vector::BitCastOp::create(b, words, loaded);
  });
  auto type = VectorType::get({lanes * kQuad}, b.getI8Type());
  for (auto [i, quad] : llvm::enumerate(quads))
    storeActivations(vector::BitCastOp::create(b, type, quad), add(b, target, i * layout.quadBytes()));
}

/// One quad of one vector of positions.
void SparseEmitter::storeActivations(Value bytes, Value target) {
  auto type = cast<VectorType>(bytes.getType());
  if (layout.kernel->flipsSign() && !layout.storedUnsigned) // s8 + 128 as u8; the start takes it back
    bytes = arith::XOrIOp::create(b, bytes, arith::ConstantOp::create(b, DenseElementsAttr::get(type, ArrayRef<int8_t>{-128})));
  vector::StoreOp::create(b, bytes, activations, target);
}

/// `lanes` rows of 4 words to 4 vectors: vector i has word i of each row. Words are exchanged within 128 bits only.
SmallVector<Value> SparseEmitter::transposeWords(function_ref<Value(int64_t row)> load) {
  auto shuffle = [&](Value x, Value y, ArrayRef<int64_t> order) {
    const int64_t size = cast<VectorType>(x.getType()).getDimSize(0);
    SmallVector<int64_t> all;
    for (int64_t group = 0; group < size; group += kWords)
      for (int64_t i : order)
        all.push_back(group + i % kWords + (i < kWords ? 0 : size));
    return Value(vector::ShuffleOp::create(b, x, y, all));
  };
  auto join = [&](Value x, Value y) {
    const int64_t size = cast<VectorType>(x.getType()).getDimSize(0);
    return Value(vector::ShuffleOp::create(b, x, y, llvm::to_vector(llvm::seq<int64_t>(0, 2 * size))));
  };
  // Vector i has rows i, i + 4, i + 8, ...
  SmallVector<Value> mixed;
  for (int64_t i = 0; i < kWords; ++i) {
    SmallVector<Value> parts;
    for (int64_t row = i; row < lanes; row += kWords)
      parts.push_back(load(row));
    for (; parts.size() > 1; parts.truncate(parts.size() / 2))
      for (size_t p = 0; p < parts.size() / 2; ++p)
        parts[p] = join(parts[2 * p], parts[2 * p + 1]);
    mixed.push_back(parts[0]);
  }
  Value low = shuffle(mixed[0], mixed[1], {0, 4, 1, 5}), high = shuffle(mixed[0], mixed[1], {2, 6, 3, 7});
  Value low2 = shuffle(mixed[2], mixed[3], {0, 4, 1, 5}), high2 = shuffle(mixed[2], mixed[3], {2, 6, 3, 7});
  return {shuffle(low, low2, {0, 1, 4, 5}), shuffle(low, low2, {2, 3, 6, 7}), shuffle(high, high2, {0, 1, 4, 5}),
          shuffle(high, high2, {2, 3, 6, 7})};
}
