//===- WeightReader.cpp - weights in few bits, as bytes ---------------------===//
#include "halftone/Codegen/WeightReader.h"
#include "halftone/Codegen/LoopEmission.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::halftone;

static int64_t sizeOf(Value vector) { return cast<VectorType>(vector.getType()).getDimSize(0); }

static Value intrinsic(ImplicitLocOpBuilder &b, StringRef name, Type result, ValueRange arguments) {
  return LLVM::CallIntrinsicOp::create(b, result, b.getStringAttr(name), arguments).getResults();
}

static Value splatByte(ImplicitLocOpBuilder &b, int64_t size, int byte) {
  return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({size}, b.getI8Type()), static_cast<int8_t>(byte)));
}

/// Equal vectors, as many as a power of two, one behind the other.
static Value concatenate(ImplicitLocOpBuilder &b, ArrayRef<Value> parts) {
  if (parts.size() == 1)
    return parts[0];
  Value low = concatenate(b, parts.take_front(parts.size() / 2)), high = concatenate(b, parts.drop_front(parts.size() / 2));
  return vector::ShuffleOp::create(b, low, high, llvm::to_vector(llvm::seq<int64_t>(0, 2 * sizeOf(low))));
}

static Value slice(ImplicitLocOpBuilder &b, Value vector, int64_t first, int64_t size) {
  return vector::ExtractStridedSliceOp::create(b, vector, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
}

Value WeightReader::loadBytes(ImplicitLocOpBuilder &b, Value offset, int64_t count) const {
  return vector::LoadOp::create(b, VectorType::get({count}, b.getI8Type()), memory, offset);
}

//===----------------------------------------------------------------------===//
// Codes to bytes
//===----------------------------------------------------------------------===//

/// The level of each code; `flipped`: of each code whose highest bit is flipped.
SmallVector<int8_t> WeightReader::levelsOf(bool flipped) const {
  const WeightStorage &storage = layout.storage;
  if (storage.hasTables())
    return SmallVector<int8_t>(storage.levels.begin(), storage.levels.end());
  const size_t codes = size_t(1) << storage.bits, flip = flipped ? codes / 2 : 0;
  SmallVector<int8_t> levels;
  for (size_t code = 0; code < codes; ++code)
    levels.push_back((code ^ flip) < storage.levels.size() ? storage.levels[code ^ flip] : 0);
  return levels;
}

/// The table that a vector looks up, repeated as often as it fits: bits above those of a code do not matter.
static Value makeTable(ImplicitLocOpBuilder &b, int64_t size, ArrayRef<int8_t> levels) {
  SmallVector<int8_t> entries;
  for (int64_t i = 0; i < size; ++i)
    entries.push_back(levels[i % levels.size()]);
  return arith::ConstantOp::create(b, DenseElementsAttr::get(VectorType::get({size}, b.getI8Type()), ArrayRef<int8_t>(entries)));
}

static bool permutesZmm(const Isa &isa, int64_t size) { return isa.permutesBytes && size == 64; }

bool WeightReader::hasWideTables(const DotKernel &kernel, const Isa &isa) {
  return permutesZmm(isa, kernel.lanes * kernel.step);
}

/// Every byte shifted to the right by the amount of its part of the vector, to the left by a negative one, which is the same for
/// all: anything comes into the bits that become free.
Value WeightReader::shift(ImplicitLocOpBuilder &b, Value bytes, ArrayRef<int64_t> amounts) const {
  if (llvm::all_of(amounts, [](int64_t amount) { return amount == 0; }))
    return bytes;
  // x86 shifts no bytes, and by different amounts double words at best; what comes from the next byte is outside of the field.
  const int64_t size = sizeOf(bytes);
  const bool isWide = isa.architecture == Architecture::X86 && isa.vectorBytes > 16;
  const int64_t partBytes = size / static_cast<int64_t>(amounts.size());
  const int64_t elementBytes = !isWide ? 1 : amounts.size() == 1 ? 2 : std::min<int64_t>(partBytes, sizeof(int32_t));
  auto type = VectorType::get({size / elementBytes}, b.getIntegerType(8 * elementBytes));
  SmallVector<Attribute> by;
  for (int64_t i = 0; i < type.getDimSize(0); ++i)
    by.push_back(b.getIntegerAttr(type.getElementType(), std::abs(amounts[i * amounts.size() / type.getDimSize(0)])));
  Value elements = b.createOrFold<vector::BitCastOp>(type, bytes), constant = arith::ConstantOp::create(b, DenseElementsAttr::get(type, by));
  Value shifted = amounts.front() < 0 ? arith::ShLIOp::create(b, elements, constant).getResult() : arith::ShRUIOp::create(b, elements, constant);
  return b.createOrFold<vector::BitCastOp>(bytes.getType(), shifted);
}

/// The bytes of as many codes as one instruction takes. More levels than it looks up are halved: the highest bit of a code selects.
Value WeightReader::lookUpBytes(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int8_t> levels) const {
  const int64_t size = sizeOf(codes);
  if (permutesZmm(isa, size)) {
    if (levels.size() <= 64)
      return intrinsic(b, "llvm.x86.avx512.permvar.qi.512", codes.getType(), {makeTable(b, 64, levels), codes});
    Value both = makeTable(b, 128, levels);
    return intrinsic(b, "llvm.x86.avx512.vpermi2var.qi.512", codes.getType(), {slice(b, both, 0, 64), codes, slice(b, both, 64, 64)});
  }
  const bool shuffles = isa.vectorBytes > 16 || isa.architecture == Architecture::AArch64;
  if (levels.size() > (shuffles ? 16 : 1)) {
    const size_t half = levels.size() / 2;
    Value low = lookUpBytes(b, codes, levels.take_front(half)), high = lookUpBytes(b, codes, levels.drop_front(half));
    Value bit = arith::AndIOp::create(b, codes, splatByte(b, size, static_cast<int>(half)));
    return arith::SelectOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::ne, bit, splatByte(b, size, 0)), high, low);
  }
  if (!shuffles)
    return splatByte(b, size, levels.front());
  // They give 0 for the codes from 128 on, or from 16.
  Value clean = arith::AndIOp::create(b, codes, splatByte(b, size, 15));
  if (isa.architecture == Architecture::AArch64)
    return intrinsic(b, "llvm.aarch64.neon.tbl1.v16i8", codes.getType(), {makeTable(b, 16, levels), clean});
  return intrinsic(b, size == 64 ? "llvm.x86.avx512.pshuf.b.512" : size == 32 ? "llvm.x86.avx2.pshuf.b" : "llvm.x86.ssse3.pshuf.b.128",
                   codes.getType(), {makeTable(b, size, levels), clean});
}

Value WeightReader::lookUp(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int8_t> levels) const {
  const int64_t native = std::min(isa.vectorBytes, sizeOf(codes));
  SmallVector<Value> parts;
  for (int64_t first = 0; first < sizeOf(codes); first += native)
    parts.push_back(lookUpBytes(b, native == sizeOf(codes) ? codes : slice(b, codes, first, native), levels));
  return concatenate(b, parts);
}

/// One vector's fields of `bits`, of a plane of so many `bytes`, brought to a position in the codes; anything is beside them.
Value WeightReader::loadField(ImplicitLocOpBuilder &b, Value offset, int64_t bytes, int64_t bits, int64_t vector, int64_t position) const {
  const int64_t size = layout.vectorElements(), first = vector * size / bytes;
  if (bytes >= size)
    return shift(b, loadBytes(b, add(b, offset, vector * size % bytes), size), {first * bits - position});
  // Several parts of the vector lie above each other.
  SmallVector<int64_t> order, amounts;
  for (int64_t i = 0; i < size; ++i)
    order.push_back(i % bytes);
  for (int64_t i = 0; i < size / bytes; ++i)
    amounts.push_back((first + i) * bits);
  Value part = loadBytes(b, offset, bytes);
  if (layout.storage.flipsTop())
    part = arith::XOrIOp::create(b, part, splatByte(b, bytes, -128));
  Value spread = vector::ShuffleOp::create(b, part, part, order);
  return shift(b, shift(b, spread, amounts), {-position});
}

void WeightReader::loadPiece(ImplicitLocOpBuilder &b, Value offset, int64_t count, ArrayRef<Value> tables, SmallVectorImpl<Value> &vectors) const {
  const int64_t size = layout.vectorElements();
  SmallVector<Value> codes;
  int64_t position = 0, at = 0;
  for (int64_t bits : layout.storage.planes()) {
    const int64_t bytes = count * size * bits / 8;
    for (int64_t i = 0; i < count; ++i) {
      Value field = loadField(b, add(b, offset, at), bytes, bits, i, position);
      if (position == 0) {
        codes.push_back(field);
        continue;
      }
      const int64_t below = (1 << position) - 1, above = ((1 << bits) - 1) << position;
      Value low = arith::AndIOp::create(b, codes[i], splatByte(b, size, below)), high = arith::AndIOp::create(b, field, splatByte(b, size, above));
      codes[i] = arith::OrIOp::create(b, low, high);
    }
    position += bits, at += bytes;
  }
  for (auto [code, table] : llvm::zip(codes, tables)) {
    const int below = (1 << layout.storage.bits) - 1;
    Value low = arith::AndIOp::create(b, code, splatByte(b, size, below)), high = arith::AndIOp::create(b, table, splatByte(b, size, ~below));
    code = arith::OrIOp::create(b, low, high);
  }
  const bool flips = layout.storage.flipsTop();
  for (auto [i, code] : llvm::enumerate(codes))
    vectors.push_back(lookUp(b, code, levelsOf(flips && fieldOf(i, count) + layout.storage.bits == 8)));
}

SmallVector<Value> WeightReader::load(ImplicitLocOpBuilder &b, Value offset, int64_t vectors, ArrayRef<Value> groupRows) const {
  if (layout.storage.hasTables())
    return loadUnit(b, offset, vectors, groupRows, /*inPlace=*/false);
  SmallVector<Value> weights = loadUnit(b, offset, vectors, {}, /*inPlace=*/false);
  for (auto [vector, multipliers] : llvm::zip(weights, groupRows))
    vector = multiply(b, vector, multipliers);
  return weights;
}

SmallVector<Value> WeightReader::loadUnit(ImplicitLocOpBuilder &b, Value offset, int64_t count, ArrayRef<Value> tables, bool inPlace) const {
  const WeightStorage &storage = layout.storage;
  SmallVector<Value> vectors;
  storage.forEachPiece(count, [&](int64_t first, int64_t pieceVectors) {
    Value piece = add(b, offset, storage.unitBytes(first, layout.vectorElements()));
    if (inPlace && staysInPlace(fieldOf(0, pieceVectors)))
      loadFields(b, piece, pieceVectors, vectors);
    else
      loadPiece(b, piece, pieceVectors, tables.empty() ? tables : tables.slice(first, pieceVectors), vectors);
  });
  return vectors;
}

//===----------------------------------------------------------------------===//
// Fields in place
//===----------------------------------------------------------------------===//

/// Of storage in one plane: the lowest bit of the field that holds a vector of a piece of `count`; -1 if that has several fields.
int64_t WeightReader::fieldOf(int64_t vector, int64_t count) const {
  const int64_t perField = count * layout.storage.bits / 8;
  return perField == 0 ? -1 : vector / perField * layout.storage.bits;
}

/// `vpsignb` has no 128, and two products with -128 saturate `vpmaddubsw`.
bool WeightReader::takesEveryByte() const { return layout.kernel->dot != DotKind::Maddubs; }

bool WeightReader::staysInPlace(int64_t field) const {
  return layout.storage.flipsTop() && field >= 0 && (field + layout.storage.bits < 8 || takesEveryByte());
}

SmallVector<FieldPlace> WeightReader::placesOf(int64_t count) const {
  const WeightStorage &storage = layout.storage;
  SmallVector<FieldPlace> places;
  storage.forEachPiece(count, [&](int64_t first, int64_t pieceVectors) {
    for (int64_t i = 0; i < pieceVectors; ++i) {
      const int64_t field = fieldOf(i, pieceVectors);
      FieldPlace &place = places.emplace_back();
      if (!staysInPlace(field))
        continue;
      place.shift = field;
      const int64_t end = takesEveryByte() ? 8 : field + storage.bits;
      for (int64_t at = field; at < end && at + storage.bits < 8; at += storage.bits)
        place.starts += int64_t(1) << at;
      if (field + storage.bits < end)
        place.above = first + i + pieceVectors * storage.bits / 8;
    }
  });
  return places;
}

void WeightReader::loadFields(ImplicitLocOpBuilder &b, Value offset, int64_t count, SmallVectorImpl<Value> &vectors) const {
  const int64_t size = layout.vectorElements(), bits = layout.storage.bits, perField = count * bits / 8;
  for (int64_t i = 0; i < count; ++i) {
    Value bytes = loadBytes(b, add(b, offset, i % perField * size), size);
    const int64_t field = fieldOf(i, count);
    if (!staysInPlace(field)) {
      vectors.push_back(lookUp(b, shift(b, bytes, {field}), levelsOf(/*flipped=*/true)));
      continue;
    }
    const int mask = (takesEveryByte() ? 255 : (1 << bits) - 1) << field & 255;
    vectors.push_back(mask == 255 ? bytes : arith::AndIOp::create(b, bytes, splatByte(b, size, static_cast<int8_t>(mask))).getResult());
  }
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// The table of each byte's column, above the bits of a code; where one instruction looks up wide tables, anything is beside it.
Value WeightReader::loadTables(ImplicitLocOpBuilder &b, Value offset) const {
  const int64_t lanes = layout.kernel->lanes, size = layout.vectorElements(), bits = layout.storage.bits;
  const int64_t rowBytes = layout.groupElements(1), tableBits = WeightStorage::kTableBits;
  Value row = vector::BitCastOp::create(b, VectorType::get({1}, b.getIntegerType(8 * rowBytes)), loadBytes(b, offset, rowBytes));
  Value word = vector::ExtractOp::create(b, row, 0);
  if (8 * rowBytes < 32)
    word = arith::ExtUIOp::create(b, b.getI32Type(), word);
  auto bytes = VectorType::get({size}, b.getI8Type()), words = VectorType::get({lanes}, b.getI32Type());
  Value all = vector::BroadcastOp::create(b, words, word);
  if (permutesZmm(isa, size)) {
    // Of each byte the place in a quad word, which the row fills twice.
    SmallVector<int8_t> places;
    for (int64_t i = 0; i < size; ++i)
      places.push_back((i / layout.kernel->step * tableBits - bits + 64) % 64);
    Value control = arith::ConstantOp::create(b, DenseElementsAttr::get(bytes, ArrayRef<int8_t>(places)));
    return intrinsic(b, "llvm.x86.avx512.pmultishift.qb.512", bytes, {control, vector::BitCastOp::create(b, bytes, all)});
  }
  SmallVector<int32_t> places;
  SmallVector<int64_t> first;
  for (int64_t i = 0; i < lanes; ++i)
    places.push_back(i * tableBits);
  for (int64_t i = 0; i < size; ++i)
    first.push_back(i / layout.kernel->step * layout.kernel->step);
  Value lowest = arith::ShRUIOp::create(b, all, arith::ConstantOp::create(b, DenseElementsAttr::get(words, ArrayRef<int32_t>(places))));
  Value low = vector::BitCastOp::create(b, bytes, lowest), spread = vector::ShuffleOp::create(b, low, low, first);
  return arith::AndIOp::create(b, shift(b, spread, {-bits}), splatByte(b, size, ((1 << tableBits) - 1) << bits));
}

SmallVector<Value> WeightReader::loadGroupRow(ImplicitLocOpBuilder &b, Value offset, int64_t vectors) const {
  SmallVector<Value> rows;
  for (int64_t i = 0; i < vectors; ++i) {
    Value at = add(b, offset, i * layout.groupElements(1));
    rows.push_back(layout.storage.hasTables() ? loadTables(b, at) : loadBytes(b, at, layout.kernel->lanes));
  }
  return rows;
}

/// Weights times multipliers, which stand for the columns of the vector. The product fits a byte.
Value WeightReader::multiply(ImplicitLocOpBuilder &b, Value weights, Value multipliers) const {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i < sizeOf(weights); ++i)
    order.push_back(i / layout.kernel->step);
  Value repeated = vector::ShuffleOp::create(b, multipliers, multipliers, order);
  return arith::MulIOp::create(b, weights, repeated);
}

//===----------------------------------------------------------------------===//
// Panels
//===----------------------------------------------------------------------===//

/// One unit; `groupRows` are of its groups, one after the other, or none.
void WeightReader::emitUnit(ImplicitLocOpBuilder &b, Value from, int64_t vectors, ArrayRef<Value> groupRows, Value scratch, Value to) const {
  const int64_t count = vectors * layout.unitSteps();
  SmallVector<Value> rowOfEach;
  for (int64_t i = 0; i < count && !groupRows.empty(); ++i) {
    const int64_t group = i / vectors * layout.kernel->step / layout.storage.group;
    rowOfEach.push_back(groupRows[group * vectors + i % vectors]);
  }
  for (auto [i, weights] : llvm::enumerate(load(b, from, count, rowOfEach)))
    vector::StoreOp::create(b, weights, scratch, add(b, to, i * layout.vectorElements()));
}

void WeightReader::emitRun(ImplicitLocOpBuilder &b, Value from, int64_t vectors, Value scratch, Value to) const {
  const DotKernel &kernel = *layout.kernel;
  const int64_t unitSteps = layout.unitSteps(), steps = layout.stepsPerRun();
  const int64_t unit = layout.unitElements(vectors), unitBytes = layout.asBytes().unitElements(vectors);
  auto units = [&](int64_t count, Value begin, ArrayRef<Value> groupRows, Value end) {
    emitLoop(b, {indexConstant(b, 0), indexConstant(b, count)}, 1, [&](Value i) {
      emitUnit(b, add(b, begin, mul(b, i, unit)), vectors, groupRows, scratch, add(b, end, mul(b, i, unitBytes)));
    });
  };
  if (!layout.storage.hasGroups())
    return units(steps / unitSteps, from, {}, to);
  // Some units with the rows of their groups before them: a tile has several rows, a row of dots several units.
  const int64_t groupSteps = layout.storage.group / kernel.step, together = std::max(groupSteps, unitSteps);
  const int64_t rows = together / groupSteps * vectors, header = layout.groupElements(rows);
  auto grouped = [&](int64_t count, Value begin, Value end) {
    units(count, add(b, begin, header), loadGroupRow(b, begin, rows), end);
  };
  const int64_t whole = steps / together, perGroup = together / unitSteps, rest = steps % together / unitSteps;
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, whole)}, 1, [&](Value i) {
    grouped(perGroup, add(b, from, mul(b, i, header + perGroup * unit)), add(b, to, mul(b, i, perGroup * unitBytes)));
  });
  if (rest)
    grouped(rest, add(b, from, whole * (header + perGroup * unit)), add(b, to, whole * perGroup * unitBytes));
}

void WeightReader::emitPanel(ImplicitLocOpBuilder &b, Value offset, int64_t vectors, Value scratch, int64_t to) const {
  const int64_t start = layout.startElements(vectors), row = layout.kernel->lanes * static_cast<int64_t>(sizeof(int32_t));
  for (int64_t at = 0; at < start; at += row)
    vector::StoreOp::create(b, loadBytes(b, add(b, offset, at), row), scratch, indexConstant(b, to + at));
  const int64_t run = layout.runElements(vectors), runBytes = layout.asBytes().runElements(vectors);
  emitLoop(b, {indexConstant(b, 0), indexConstant(b, layout.runs())}, 1, [&](Value i) {
    emitRun(b, add(b, offset, add(b, mul(b, i, run), start)), vectors, scratch, add(b, mul(b, i, runBytes), to + start));
  });
}
