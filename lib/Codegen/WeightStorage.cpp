//===- WeightStorage.cpp - packed weights in few bits -----------------------===//
#include "halftone/Codegen/WeightStorage.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <array>
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

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

/// The code 0 of weights with multipliers.
static int lowestCode(int64_t bits) { return -(1 << (bits - 1)); }

static bool fitsMultiplier(const WeightMatrix &matrix, int64_t bits, int64_t firstRow, int64_t rows, int64_t column) {
  const int multiplier = multiplierOf(matrix, firstRow, rows, column), lowest = lowestCode(bits);
  for (int64_t row = firstRow; row < firstRow + rows; ++row) {
    int weight = matrix.weights[row * matrix.columns + column];
    if (weight < lowest * multiplier || weight >= -lowest * multiplier)
      return false;
  }
  return multiplier <= 127;
}

static bool fitsGroups(const WeightMatrix &matrix, int64_t bits, int64_t group) {
  for (int64_t run = 0; run < matrix.runs; ++run)
    for (int64_t first = 0; first < matrix.runLength; first += group)
      for (int64_t column = 0; column < matrix.columns; ++column)
        if (!fitsMultiplier(matrix, bits, run * matrix.runLength + first, std::min(group, matrix.runLength - first), column))
          return false;
  return true;
}

/// All levels of so many bits.
static SmallVector<int8_t, 16> uniformLevels(int64_t bits) {
  auto codes = llvm::seq(lowestCode(bits), -lowestCode(bits));
  return SmallVector<int8_t, 16>(codes.begin(), codes.end());
}

/// A table of integers that codes of one plane have anyway is that of all such integers.
static WeightStorage storageOf(int64_t bits, SmallVector<int8_t, 16> levels) {
  WeightStorage uniform = {bits, uniformLevels(bits), 0};
  const bool isPart = levels.front() >= uniform.levels.front() && levels.back() <= uniform.levels.back();
  return isPart && uniform.flipsTop() ? uniform : WeightStorage{bits, std::move(levels), 0};
}

WeightStorage mlir::halftone::findWeightStorage(const WeightMatrix &matrix, bool hasWideTables) {
  SmallVector<int8_t, 16> levels = findLevels(matrix);
  const int64_t bits = std::max<int64_t>(2, llvm::Log2_64_Ceil(levels.size()));
  if (bits <= 4)
    return storageOf(bits, std::move(levels));
  for (int64_t groupBits : {2, 3, 4})
    for (int64_t group : matrix.groupSizes)
      if (fitsGroups(matrix, groupBits, group))
        return {groupBits, uniformLevels(groupBits), group};
  if (hasWideTables && bits < 8)
    return {bits, std::move(levels), 0};
  return {};
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

SmallVector<int64_t, 3> WeightStorage::planes() const {
  SmallVector<int64_t, 3> planes;
  for (int64_t plane : {4, 2, 1})
    if (bits & plane)
      planes.push_back(plane);
  return planes;
}

bool WeightStorage::isUniform() const { return isPacked() && llvm::equal(levels, uniformLevels(bits)); }

void WeightStorage::forEachPiece(int64_t vectors, llvm::function_ref<void(int64_t, int64_t)> piece) const {
  for (int64_t first = 0, count = 8 / planes().back(); first < vectors; first += count) {
    while (count > vectors - first)
      count /= 2;
    piece(first, count);
  }
}

int64_t WeightStorage::unitBytes(int64_t vectors, int64_t vectorBytes) const { return vectors * vectorBytes * bits / 8; }

void WeightStorage::appendUnit(ArrayRef<int8_t> bytes, int64_t vectorBytes, std::vector<int8_t> &out) const {
  auto codeOf = [&](int8_t byte) -> unsigned {
    const auto *found = llvm::find(levels, byte);
    return found == levels.end() ? 0 : found - levels.begin();
  };
  const unsigned flip = flipsTop() ? 0x80 : 0;
  forEachPiece(bytes.size() / vectorBytes, [&](int64_t first, int64_t count) {
    ArrayRef<int8_t> piece = bytes.slice(first * vectorBytes, count * vectorBytes);
    int64_t position = 0; // of the plane's lowest bit in a code
    for (int64_t plane : planes()) {
      const int64_t step = piece.size() * plane / 8;
      for (int64_t i = 0; i < step; ++i) {
        unsigned byte = 0;
        for (int64_t k = 0; k < 8 / plane; ++k)
          byte |= (codeOf(piece[i + k * step]) >> position & ((1u << plane) - 1)) << (k * plane);
        out.push_back(static_cast<int8_t>(byte ^ flip));
      }
      position += plane;
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
