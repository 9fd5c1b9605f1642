//===- TileEpilogue.cpp - what happens to a tile of accumulators ------------===//
#include "halftone/Codegen/TileEpilogue.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::halftone;

/// Vectors [first, first + count) of a row that are narrowed and stored together.
struct TileEpilogue::Group {
  int64_t first, count;
};

/// Interleaved lanes stand in chunks of 4 channels; see DepthwiseLayout.h.
static constexpr int64_t kChunk = 4;

TileEpilogue::TileEpilogue(ImplicitLocOpBuilder &b, ContractOp op, const OutputWalk &walk, const Isa &isa)
    : b(b), op(op), walk(walk), isa(isa) {
  wanted = cast<YieldOp>(op.getEpilogue().front().getTerminator()).getValues()[0];
  auto truncate = wanted.getDefiningOp<arith::TruncIOp>();
  narrows = truncate && truncate.getIn().getType().isInteger(32) && wanted.getType().isInteger(8);
  if (!narrows)
    return;
  wanted = truncate.getIn();
  auto addition = wanted.getDefiningOp<arith::AddIOp>();
  APInt addend;
  if (addition && matchPattern(addition.getRhs(), m_ConstantInt(&addend))) {
    wanted = addition.getLhs();
    lastAddend = static_cast<int32_t>(addend.getSExtValue());
  }
  // Vectors wider than the machine's (weights of -128 on AVX2) have no such instruction.
  auto lanes = op.getPackingAttr().getAs<IntegerAttr>("lanes");
  if (isa.packs && lanes && lanes.getInt() * static_cast<int64_t>(sizeof(int32_t)) <= isa.vectorBytes)
    matchClamp();
}

/// minsi(maxsi(x, low), high), of bounds that saturation implies or bytes can hold: `wanted` becomes x.
void TileEpilogue::matchClamp() {
  auto below = wanted.getDefiningOp<arith::MinSIOp>();
  auto above = below ? below.getLhs().getDefiningOp<arith::MaxSIOp>() : arith::MaxSIOp();
  APInt low, high;
  if (!above || !matchPattern(below.getRhs(), m_ConstantInt(&high)) || !matchPattern(above.getRhs(), m_ConstantInt(&low)))
    return;
  CodeClamp found = {static_cast<int32_t>(low.getSExtValue()), static_cast<int32_t>(high.getSExtValue()), lastAddend};
  if (!found.fits())
    return;
  clamp = found;
  wanted = above.getLhs();
}

void TileEpilogue::enterLine(Value line) {
  outputLine = walk.emitLineOffset(b, walk.output, line);
  operandLines = llvm::map_to_vector(
      walk.operands, [&](const WalkedBuffer &buffer) { return walk.emitLineOffset(b, buffer, line); });
}

/// How many of `left` vectors are narrowed together.
static int64_t groupSize(int64_t left) { return std::min<int64_t>(4, llvm::bit_floor(static_cast<uint64_t>(left))); }

void TileEpilogue::emit(int64_t height, Value position, const TileColumns &columns, ArrayRef<Value> accumulators) {
  for (int64_t first = 0; first < columns.vectors;) {
    int64_t count = narrows || columns.interleaved ? groupSize(columns.vectors - first) : 1;
    emitGroup(height, position, columns, {first, count}, accumulators);
    first += count;
  }
}

//===----------------------------------------------------------------------===//
// Positions in the lanes
//===----------------------------------------------------------------------===//

bool TileEpilogue::hasColumns() const {
  auto isOrdered = [](const WalkedBuffer &buffer) { return buffer.advance.channel == 1 || OutputWalk::hasPlanes(buffer); };
  return narrows && isOrdered(walk.output) && llvm::all_of(walk.operands, [&](const WalkedBuffer &buffer) {
    return isOfChannels(buffer) || (buffer.flat.element.isInteger(8) && isOrdered(buffer));
  });
}

SmallVector<Value> TileEpilogue::emitColumn(Value channel, ArrayRef<Value> accumulators,
                                            function_ref<Value(unsigned, int64_t)> load) {
  const int64_t lanes = cast<VectorType>(accumulators[0].getType()).getDimSize(0), vectors = accumulators.size();
  SmallVector<Value> ofChannel(walk.operands.size());
  for (auto [i, buffer] : llvm::enumerate(walk.operands))
    if (isOfChannels(buffer))
      ofChannel[i] = loadLanes(b, buffer.flat, mul(b, channel, buffer.advance.channel), /*stride=*/0, lanes, lanes);
  SmallVector<Value> codes;
  for (int64_t first = 0, count; first < vectors; first += count) {
    count = groupSize(vectors - first);
    SmallVector<Value> results;
    for (int64_t vector = first; vector < first + count; ++vector) {
      SmallVector<Value> arguments = {accumulators[vector]};
      for (auto [i, value] : llvm::enumerate(ofChannel))
        arguments.push_back(value ? value : load(i, vector));
      results.push_back(emitBody(b, op.getEpilogue().front(), arguments, lanes, wanted)[0]);
    }
    codes.push_back(narrow(results, /*interleaved=*/false));
  }
  return codes;
}

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// An operand's lanes for one vector of columns at one row of the tile.
Value TileEpilogue::emitOperand(unsigned index, Value position, int64_t row, const TileColumns &columns, int64_t vector,
                                int64_t valid) {
  const WalkedBuffer &buffer = walk.operands[index];
  const int64_t stride = buffer.advance.channel;
  Value offset = add(b, operandLines[index], walk.emitTileOffset(b, buffer, position));
  offset = add(b, add(b, offset, walk.displacement(buffer, row)), mul(b, columns.first, stride));
  if (columns.interleaved && stride != 0)
    return loadInterleaved(buffer, offset, columns, vector);
  return loadLanes(b, buffer.flat, add(b, offset, vector * columns.lanes * stride), stride, columns.lanes, valid);
}

Value TileEpilogue::loadInterleaved(const WalkedBuffer &buffer, Value offset, const TileColumns &columns,
                                    int64_t vector) {
  const int64_t stride = buffer.advance.channel;
  Value result = arith::ConstantOp::create(b, b.getZeroAttr(VectorType::get({columns.lanes}, buffer.flat.element)));
  for (int64_t lane = 0; lane < columns.lanes; lane += kChunk) {
    int64_t channel = lane * columns.vectors + vector * kChunk;
    Value chunk = loadLanes(b, buffer.flat, add(b, offset, channel * stride), stride, kChunk, kChunk);
    result = vector::InsertStridedSliceOp::create(b, chunk, result, ArrayRef<int64_t>{lane}, ArrayRef<int64_t>{1});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Groups of vectors
//===----------------------------------------------------------------------===//

/// What belongs to the channels is loaded once for all rows.
void TileEpilogue::emitGroup(int64_t height, Value position, const TileColumns &columns, const Group &group,
                             ArrayRef<Value> accumulators) {
  const int64_t lanes = columns.lanes, valid = std::min(group.count * lanes, columns.valid - group.first * lanes);
  if (valid <= 0)
    return;
  auto validOf = [&](int64_t vector) { return std::clamp<int64_t>(valid - vector * lanes, 0, lanes); };
  SmallVector<SmallVector<Value>> invariants(group.count, SmallVector<Value>(walk.operands.size()));
  for (int64_t vector = 0; vector < group.count; ++vector)
    for (auto [i, buffer] : llvm::enumerate(walk.operands))
      if (walk.isInvariant(buffer))
        invariants[vector][i] = emitOperand(i, position, 0, columns, group.first + vector, validOf(vector));
  // Packs take 4 vectors: of one row, or of the next rows too.
  const int64_t rowsTogether = clamp ? kPackedVectors / group.count : 1;
  for (int64_t first = 0; first < height;) {
    const int64_t rows = llvm::bit_floor(static_cast<uint64_t>(std::min(rowsTogether, height - first)));
    SmallVector<Value> results;
    for (int64_t row = first; row < first + rows; ++row)
      for (int64_t vector = 0; vector < group.count; ++vector) {
        SmallVector<Value> arguments = {accumulators[row * columns.vectors + group.first + vector]};
        for (auto [i, value] : llvm::enumerate(invariants[vector]))
          arguments.push_back(value ? value
                                    : emitOperand(i, position, row, columns, group.first + vector, validOf(vector)));
        results.push_back(emitBody(b, op.getEpilogue().front(), arguments, lanes, wanted)[0]);
      }
    storeRows(narrow(results, columns.interleaved), first, rows, position, add(b, columns.first, group.first * lanes),
              valid);
    first += rows;
  }
}

/// Stores `rows` equal parts of `value` to the tile's rows from `first` on.
void TileEpilogue::storeRows(Value value, int64_t first, int64_t rows, Value position, Value channel, int64_t valid) {
  const int64_t width = cast<VectorType>(value.getType()).getNumElements() / rows;
  for (int64_t row = 0; row < rows; ++row) {
    Value offset = add(b, add(b, outputLine, walk.emitTileOffset(b, walk.output, position)),
                       walk.displacement(walk.output, first + row));
    Value part = value;
    if (rows > 1)
      part = vector::ExtractStridedSliceOp::create(b, value, ArrayRef<int64_t>{row * width}, ArrayRef<int64_t>{width},
                                                   ArrayRef<int64_t>{1});
    storeLanes(b, part, walk.output.flat, add(b, offset, channel), width, valid);
  }
}

/// Two vectors as one, of the elements that `order` names.
static Value shuffle(ImplicitLocOpBuilder &b, Value x, Value y, int64_t size, function_ref<int64_t(int64_t)> order) {
  return vector::ShuffleOp::create(b, x, y, llvm::map_to_vector(llvm::seq<int64_t>(0, size), order));
}

static Value join(ImplicitLocOpBuilder &b, ArrayRef<Value> vectors) {
  if (vectors.size() == 1)
    return vectors[0];
  Value low = join(b, vectors.take_front(vectors.size() / 2)), high = join(b, vectors.drop_front(vectors.size() / 2));
  return shuffle(b, low, high, 2 * cast<VectorType>(low.getType()).getDimSize(0), [](int64_t i) { return i; });
}

/// Where the element `i` of channels in order stands in 4 interleaved vectors, one after the other.
static int64_t interleavedPlace(int64_t i, int64_t lanes) {
  const int64_t chunk = i / kChunk;
  return chunk % 4 * lanes + chunk / 4 * kChunk + i % kChunk;
}

/// The vectors of a group (1, 2 or 4) as one, in the order of the channels and with the output's element type.
Value TileEpilogue::narrow(ArrayRef<Value> vectors, bool interleaved) {
  return clamp ? narrowSaturating(b, vectors, *clamp, interleaved) : truncate(vectors, interleaved);
}

/// The same without a clamp.
Value TileEpilogue::truncate(ArrayRef<Value> vectors, bool interleaved) {
  const int64_t lanes = cast<VectorType>(vectors[0].getType()).getDimSize(0), size = lanes * vectors.size();
  auto ordered = [&](int64_t i) { return interleaved ? interleavedPlace(i, lanes) : i; };
  Value result;
  if (!narrows || !isa.permutesBytes || vectors.size() == 1) {
    result = join(b, vectors);
    if (interleaved)
      result = shuffle(b, result, result, size, ordered);
    if (narrows)
      result = arith::TruncIOp::create(b, VectorType::get({size}, b.getI8Type()), result);
  } else {
    // The low byte of each word of two vectors at once, then both pairs.
    SmallVector<Value> pairs;
    auto bytes = VectorType::get({lanes * 4}, b.getI8Type());
    for (size_t i = 0; i < vectors.size(); i += 2)
      pairs.push_back(shuffle(b, vector::BitCastOp::create(b, bytes, vectors[i]),
                              vector::BitCastOp::create(b, bytes, vectors[i + 1]), 2 * lanes,
                              [](int64_t lane) { return lane * 4; }));
    result = pairs.size() == 1 ? pairs[0] : shuffle(b, pairs[0], pairs[1], size, ordered);
  }
  if (!lastAddend)
    return result;
  Value addend = arith::ConstantOp::create(b, DenseElementsAttr::get(cast<VectorType>(result.getType()),
                                                               static_cast<int8_t>(lastAddend)));
  return arith::AddIOp::create(b, result, addend);
}
