//===- WeightStorage.cpp - packed weights in few bits -----------------------===//
#include "halftone/Codegen/WeightStorage.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include <array>
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

/// Multipliers' codes: 4 bits from -8 to 7.
static constexpr int kLowestCode = -8, kHighestCode = 7;

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

/// The values that occur, ascending; with 0 if it pads.
static SmallVector<int8_t, 16> findLevels(const WeightMatrix &matrix) {
  std::array<bool, 256> occurs = {};
  for (int8_t weight : matrix.weights)
    occurs[weight + 128] = true;
  if (matrix.padsRuns)
    occurs[128] = true;
  SmallVector<int8_t, 16> levels;
  for (int value = -128; value < 128; ++value)
    if (occurs[value + 128])
      levels.push_back(static_cast<int8_t>(value));
  return levels;
}

/// The greatest multiplier of a group's weights: their greatest common divisor; 1 if all are 0.
static int multiplierOf(const WeightMatrix &matrix, int64_t firstRow, int64_t rows, int64_t column) {
  int divisor = 0;
  for (int64_t row = firstRow; row < firstRow + rows; ++row)
    divisor = std::gcd(divisor, static_cast<int>(matrix.weights[row * matrix.columns + column]));
  return divisor == 0 ? 1 : divisor;
}

static bool fitsMultiplier(const WeightMatrix &matrix, int64_t firstRow, int64_t rows, int64_t column) {
  const int multiplier = multiplierOf(matrix, firstRow, rows, column);
  for (int64_t row = firstRow; row < firstRow + rows; ++row) {
    int weight = matrix.weights[row * matrix.columns + column];
    if (weight < kLowestCode * multiplier || weight > kHighestCode * multiplier)
      return false;
  }
  return multiplier <= 127;
}

static bool fitsGroups(const WeightMatrix &matrix, int64_t group) {
  for (int64_t run = 0; run < matrix.runs; ++run)
    for (int64_t first = 0; first < matrix.runLength; first += group)
      for (int64_t column = 0; column < matrix.columns; ++column)
        if (!fitsMultiplier(matrix, run * matrix.runLength + first, std::min(group, matrix.runLength - first), column))
          return false;
  return true;
}

WeightStorage mlir::halftone::findWeightStorage(const WeightMatrix &matrix, bool hasSixBits) {
  SmallVector<int8_t, 16> levels = findLevels(matrix);
  const size_t count = levels.size();
  if (count <= 16)
    return {count <= 4 ? 2 : 4, std::move(levels), 0};
  for (int64_t group : matrix.groupSizes)
    if (fitsGroups(matrix, group)) {
      auto codes = llvm::seq_inclusive(kLowestCode, kHighestCode);
      return {4, SmallVector<int8_t, 16>(codes.begin(), codes.end()), group};
    }
  if (hasSixBits && count <= 64)
    return {6, std::move(levels), 0};
  return {};
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

void WeightStorage::forEachPiece(int64_t vectors, llvm::function_ref<void(int64_t, int64_t)> piece) const {
  const int64_t most = bits == 6 ? 4 : 8 / bits;
  for (int64_t first = 0, count = most; first < vectors; first += count) {
    while (count > vectors - first)
      count /= 2;
    piece(first, count);
  }
}

/// Bits of each byte of a piece: pieces of 6 bits that are not whole are bytes.
static int64_t pieceBits(int64_t bits, int64_t count) { return bits == 6 && count < 4 ? 8 : bits; }

int64_t WeightStorage::unitBytes(int64_t vectors, int64_t vectorBytes) const {
  int64_t bytes = 0;
  forEachPiece(vectors, [&](int64_t, int64_t count) { bytes += count * vectorBytes * pieceBits(bits, count) / 8; });
  return bytes;
}

void WeightStorage::appendUnit(ArrayRef<int8_t> bytes, int64_t vectorBytes, std::vector<int8_t> &out) const {
  auto codeOf = [&](int8_t byte) -> unsigned {
    const auto *found = llvm::find(levels, byte);
    return found == levels.end() ? 0 : found - levels.begin();
  };
  forEachPiece(bytes.size() / vectorBytes, [&](int64_t first, int64_t count) {
    ArrayRef<int8_t> piece = bytes.slice(first * vectorBytes, count * vectorBytes);
    if (pieceBits(bits, count) == 8) {
      out.insert(out.end(), piece.begin(), piece.end());
      return;
    }
    // Codes of 6 bits lie alone in their bytes; 2 bits of the last vector's are above each.
    const int64_t step = bits == 6 ? vectorBytes : piece.size() * bits / 8;
    const int64_t stored = bits == 6 ? 3 * vectorBytes : step;
    for (int64_t i = 0; i < stored; ++i) {
      unsigned byte = codeOf(piece[i]);
      if (bits == 6)
        byte |= (codeOf(piece[3 * step + i % step]) >> (2 * (i / step)) & 3) << 6;
      for (int64_t k = 1; bits < 6 && k < 8 / bits; ++k)
        byte |= codeOf(piece[i + k * step]) << (k * bits);
      out.push_back(static_cast<int8_t>(byte));
    }
  });
}

//===----------------------------------------------------------------------===//
// The attribute
//===----------------------------------------------------------------------===//

void WeightStorage::addTo(NamedAttrList &packing, MLIRContext *context) const {
  if (!isPacked())
    return;
  Builder b(context);
  packing.set("bits", b.getI64IntegerAttr(bits));
  packing.set("levels", b.getDenseI8ArrayAttr(levels));
  if (hasGroups())
    packing.set("group", b.getI64IntegerAttr(group));
}

WeightStorage WeightStorage::fromAttribute(DictionaryAttr packing) {
  WeightStorage storage;
  auto bits = packing.getAs<IntegerAttr>("bits");
  auto levels = packing.getAs<DenseI8ArrayAttr>("levels");
  if (!bits || !levels)
    return storage;
  storage.bits = bits.getInt();
  storage.levels.assign(levels.asArrayRef().begin(), levels.asArrayRef().end());
  if (auto group = packing.getAs<IntegerAttr>("group"))
    storage.group = group.getInt();
  return storage;
}
