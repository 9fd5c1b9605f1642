//===- TileEpilogue.cpp - what happens to a tile of accumulators ------------===//
#include "halftone/Codegen/TileEpilogue.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

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

/// Two vectors as one, of the elements that `order` names.
static Value shuffle(ImplicitLocOpBuilder &b, Value x, Value y, int64_t size, function_ref<int64_t(int64_t)> order) {
  return vector::ShuffleOp::create(b, x, y, llvm::map_to_vector(llvm::seq<int64_t>(0, size), order));
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

/// Vectors of one channel from one of all their lanes.
static SmallVector<Value> splitLanes(ImplicitLocOpBuilder &b, Value whole, int64_t count, bool isMixed) {
  const int64_t lanes = cast<VectorType>(whole.getType()).getDimSize(0) / count;
  SmallVector<Value> parts;
  for (int64_t vector = 0; vector < count; ++vector)
    parts.push_back(shuffle(b, whole, whole, lanes, [&](int64_t lane) {
      return isMixed ? TileEpilogue::mixedPosition(vector, lane) : vector * lanes + lane;
    }));
  return parts;
}

SmallVector<Value> TileEpilogue::emitColumn(Value channel, ArrayRef<Value> accumulators, int64_t mixed,
                                            function_ref<Value(unsigned, int64_t, int64_t)> load) {
  const int64_t lanes = cast<VectorType>(accumulators[0].getType()).getDimSize(0), vectors = accumulators.size();
  SmallVector<Value> ofChannel(walk.operands.size());
  for (auto [i, buffer] : llvm::enumerate(walk.operands))
    if (isOfChannels(buffer))
      ofChannel[i] = loadLanes(b, buffer.flat, mul(b, channel, buffer.advance.channel), /*stride=*/0, lanes, lanes);
  Block &body = op.getEpilogue().front();
  SmallVector<Value> codes;
  for (int64_t first = 0, count; first < vectors; first += count) {
    count = groupSize(vectors - first);
    const bool isMixed = first < mixed;
    SmallVector<SmallVector<Value>> operands(ofChannel.size());
    SmallVector<std::pair<Value, SmallVector<Value>>> scaled;
    for (auto [i, value] : llvm::enumerate(ofChannel)) {
      Value whole = value ? Value() : load(i, first, count);
      operands[i] = value ? SmallVector<Value>(count, value) : splitLanes(b, whole, count, isMixed);
      if (std::optional<ScaledCodes> found = value ? std::nullopt : matchScaledCodes(body.getArgument(i + 1)))
        scaled.push_back({found->value, scaleCodes(whole, *found, count, isMixed)});
    }
    SmallVector<Value> results;
    for (int64_t k = 0; k < count; ++k) {
      SmallVector<Value> arguments = {accumulators[first + k]};
      for (ArrayRef<Value> operand : operands)
        arguments.push_back(operand[k]);
      auto known = llvm::map_to_vector(scaled, [&](const auto &entry) { return std::make_pair(entry.first, entry.second[k]); });
      results.push_back(emitBody(b, body, arguments, lanes, wanted, known)[0]);
    }
    codes.push_back(narrow(results, /*interleaved=*/isMixed));
  }
  return codes;
}

//===----------------------------------------------------------------------===//
// Codes to floats
//===----------------------------------------------------------------------===//

/// The bits of the float 2^23, whose last place is worth 1.
static constexpr uint32_t kUnitBits = 0x4B000000;
static constexpr float kUnit = 8388608.0f;

/// Where packs are, there are fused multiply-adds. A zero point is small: 2^23 + zero is a float.
std::optional<TileEpilogue::ScaledCodes> TileEpilogue::matchScaledCodes(BlockArgument argument) const {
  auto userOf = [](Value value) { return value.hasOneUse() ? *value.user_begin() : nullptr; };
  Operation *extend = userOf(argument);
  if (!clamp || !mlir::isa_and_nonnull<arith::ExtUIOp, arith::ExtSIOp>(extend) || !extend->getResult(0).getType().isInteger(32))
    return std::nullopt;
  const bool flips = mlir::isa<arith::ExtSIOp>(extend); // code + 128 is unsigned
  Operation *user = userOf(extend->getResult(0));
  APInt offset(32, 0);
  int64_t zero = flips ? 128 : 0;
  if (mlir::isa_and_nonnull<arith::SubIOp, arith::AddIOp>(user) && user->getOperand(0) == extend->getResult(0) &&
      matchPattern(user->getOperand(1), m_ConstantInt(&offset))) {
    zero += mlir::isa<arith::SubIOp>(user) ? offset.getSExtValue() : -offset.getSExtValue();
    user = userOf(user->getResult(0));
  }
  auto convert = dyn_cast_or_null<arith::SIToFPOp>(user);
  if (!convert || !convert.getType().isF32() || std::abs(zero) > 512)
    return std::nullopt;
  auto multiply = dyn_cast_or_null<arith::MulFOp>(userOf(convert));
  APFloat factor(0.0f);
  const bool multiplies = zero == 0 && multiply &&
                          matchPattern(multiply.getLhs() == convert ? multiply.getRhs() : multiply.getLhs(), m_ConstantFloat(&factor)) &&
                          factor.convertToFloat() > 0 && std::isfinite(factor.convertToFloat() * kUnit);
  if (!multiplies)
    return ScaledCodes{convert, flips, static_cast<float>(zero), 1};
  return ScaledCodes{multiply, flips, 0, factor.convertToFloat()};
}

/// A code becomes the last byte of the float 2^23 + code without a conversion, which would take the pipes of the additions.
/// (2^23 + code) * factor - 2^23 * factor is rounded once, as code * factor is, and 2^23 * factor not at all.
SmallVector<Value> TileEpilogue::scaleCodes(Value codes, const ScaledCodes &scaled, int64_t count, bool isMixed) {
  const int64_t size = cast<VectorType>(codes.getType()).getDimSize(0), lanes = size / count;
  auto integers = VectorType::get({lanes}, b.getI32Type()), reals = VectorType::get({lanes}, b.getF32Type());
  auto constant = [&](VectorType type, auto value) -> Value { return arith::ConstantOp::create(b, DenseElementsAttr::get(type, value)); };
  if (scaled.flips)
    codes = arith::XOrIOp::create(b, codes, constant(cast<VectorType>(codes.getType()), static_cast<int8_t>(-128)));
  SmallVector<Value> units; // 2^23 + code, as integers
  if (isMixed) {
    // Twice, each 16 bytes are interleaved with zeros and then with the upper half of the float.
    auto interleave = [&](ArrayRef<Value> vectors, VectorType type, Value with) {
      const int64_t elements = type.getDimSize(0), part = elements / (size / 16);
      SmallVector<Value> results;
      for (Value vector : vectors)
        for (int64_t half = 0; half < 2; ++half)
          results.push_back(shuffle(b, vector::BitCastOp::create(b, type, vector), with, elements, [&](int64_t i) {
            return i / part * part + half * part / 2 + i % part / 2 + i % 2 * elements;
          }));
      return results;
    };
    auto bytes = cast<VectorType>(codes.getType()), words = VectorType::get({size / 2}, b.getI16Type());
    units = interleave({codes}, bytes, constant(bytes, int8_t(0)));
    units = interleave(units, words, constant(words, static_cast<int16_t>(kUnitBits >> 16)));
  } else {
    for (Value part : splitLanes(b, codes, count, isMixed))
      units.push_back(arith::OrIOp::create(b, arith::ExtUIOp::create(b, integers, part), constant(integers, static_cast<int32_t>(kUnitBits))));
  }
  return llvm::map_to_vector(units, [&](Value unit) -> Value {
    return math::FmaOp::create(b, vector::BitCastOp::create(b, reals, unit), constant(reals, scaled.factor),
                                constant(reals, -(kUnit + scaled.zero) * scaled.factor));
  });
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
