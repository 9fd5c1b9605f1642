//===- WeightStorage.cpp - packed weights in few bits -----------------------===//
#include "halftone/Codegen/WeightStorage.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <array>
#include <map>
#include <numeric>
#include <optional>

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

namespace {
/// The values of groups that choose tables. A value other than 0 is in one table only (WeightGrid.h), so the values that occur together in a group
/// are of one table: connected components of values are tables, or parts of them.
class TableFinder {
public:
  TableFinder(const WeightMatrix &matrix, int64_t group);

  /// The values of the largest part.
  size_t largestPart() const { return parts.empty() ? 0 : parts.front().size(); }
  /// The levels of four tables of 2^bits levels, or nothing.
  std::optional<SmallVector<int8_t, 16>> find(int64_t bits) const;

private:
  std::vector<SmallVector<int8_t, 16>> parts; ///< the largest first; with 0 if that is beside them in a group
  bool hasZeroGroups = false;                 ///< of zeros alone
};
} // namespace

TableFinder::TableFinder(const WeightMatrix &matrix, int64_t group) {
  constexpr int kZero = 128; // values are counted from -128
  std::array<int, 256> parents;
  std::array<bool, 256> occurs = {}, besideZero = {};
  std::iota(parents.begin(), parents.end(), 0);
  auto root = [&](int value) {
    for (; parents[value] != value; value = parents[value])
      parents[value] = parents[parents[value]];
    return value;
  };
  /// The values of one group join one component.
  auto addGroup = [&](const int8_t *first, int64_t rows, bool hasZero) {
    int component = kZero;
    for (const int8_t *weight = first, *end = first + rows * matrix.columns; weight != end; weight += matrix.columns) {
      const int value = *weight + 128;
      hasZero |= value == kZero;
      if (value == kZero)
        continue;
      occurs[value] = true;
      component = component == kZero ? root(value) : parents[root(value)] = component;
    }
    if (hasZero)
      (component == kZero ? hasZeroGroups : besideZero[component]) = true;
  };
  for (int64_t run = 0; run < matrix.runs; ++run)
    for (int64_t first = 0; first < matrix.runLength; first += group)
      for (int64_t column = 0; column < matrix.columns; ++column)
        addGroup(matrix.weights.data() + (run * matrix.runLength + first) * matrix.columns + column, std::min(group, matrix.runLength - first),
                 matrix.padsRuns && first + group >= matrix.runLength);

  std::map<int, SmallVector<int8_t, 16>> components;
  std::array<bool, 256> needsZero = {};
  for (int value = 0; value < 256; ++value)
    if (occurs[value]) {
      components[root(value)].push_back(static_cast<int8_t>(value - 128));
      needsZero[root(value)] |= besideZero[value];
    }
  for (auto &[component, values] : components) {
    if (needsZero[component])
      values.push_back(0);
    parts.push_back(std::move(values));
  }
  llvm::stable_sort(parts, [](const auto &a, const auto &b) { return a.size() > b.size(); });
}

std::optional<SmallVector<int8_t, 16>> TableFinder::find(int64_t bits) const {
  const size_t most = size_t(1) << bits;
  std::array<SmallVector<int8_t, 16>, WeightStorage::kTables> tables;
  auto fits = [&](const SmallVector<int8_t, 16> &table, const SmallVector<int8_t, 16> &part) {
    const bool shares = llvm::is_contained(table, 0) && llvm::is_contained(part, 0);
    return table.size() + part.size() - shares <= most;
  };
  // Into the first table that has room.
  auto place = [&](const SmallVector<int8_t, 16> &part) {
    auto *table = llvm::find_if(tables, [&](const auto &table) { return fits(table, part); });
    if (table == tables.end())
      return false;
    for (int8_t level : part)
      if (!llvm::is_contained(*table, level))
        table->push_back(level);
    return true;
  };
  if (!llvm::all_of(parts, place))
    return std::nullopt;
  const bool hasZero = llvm::any_of(tables, [](const auto &table) { return llvm::is_contained(table, 0); });
  if (hasZeroGroups && !hasZero && !place({0}))
    return std::nullopt;
  SmallVector<int8_t, 16> levels;
  for (SmallVector<int8_t, 16> &table : tables) {
    llvm::sort(table);
    table.resize(most, table.empty() ? 0 : table.back());
    llvm::append_range(levels, table);
  }
  return levels;
}

/// The fewest bits for groups that choose tables, with the longest group of as many; fewer than `below`, or nothing.
static std::optional<WeightStorage> findTables(const WeightMatrix &matrix, int64_t below) {
  const int64_t most = std::min(WeightStorage::kMostTableBits, below - 1);
  // What is together in a short group is so in a long one.
  if (matrix.tableGroups.empty() || TableFinder(matrix, matrix.tableGroups.back()).largestPart() > size_t(1) << most)
    return std::nullopt;
  auto finders = llvm::map_to_vector(matrix.tableGroups, [&](int64_t group) { return std::pair(group, TableFinder(matrix, group)); });
  for (int64_t bits = 2; bits <= most; ++bits)
    for (const auto &[group, finder] : finders)
      if (std::optional<SmallVector<int8_t, 16>> levels = finder.find(bits))
        return WeightStorage{bits, std::move(*levels), group};
  return std::nullopt;
}

WeightStorage mlir::halftone::findWeightStorage(const WeightMatrix &matrix, bool takesWideTables) {
  SmallVector<int8_t, 16> levels = findLevels(matrix);
  const int64_t bits = std::max<int64_t>(2, llvm::Log2_64_Ceil(levels.size()));
  auto tables = [&] { return takesWideTables && bits > 2 && bits < 8 ? findTables(matrix, bits) : std::nullopt; };
  if (bits <= 4)
    return tables().value_or(storageOf(bits, std::move(levels)));
  for (int64_t groupBits : {2, 3, 4})
    for (int64_t group : matrix.groupSizes)
      if (fitsGroups(matrix, groupBits, group))
        return {groupBits, uniformLevels(groupBits), group};
  if (std::optional<WeightStorage> found = tables())
    return std::move(*found);
  if (takesWideTables && bits < 8)
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

uint8_t WeightStorage::codeOf(int8_t byte, int64_t table) const {
  ArrayRef<int8_t> values = ArrayRef<int8_t>(levels).slice(table << bits);
  const auto *found = llvm::find(values, byte);
  return found == values.end() ? 0 : found - values.begin();
}

int64_t WeightStorage::tableOf(ArrayRef<int8_t> bytes) const {
  for (int64_t table = 0; table < kTables; ++table) {
    ArrayRef<int8_t> values = ArrayRef<int8_t>(levels).slice(table << bits, size_t(1) << bits);
    if (llvm::all_of(bytes, [&](int8_t byte) { return llvm::is_contained(values, byte); }))
      return table;
  }
  return 0;
}

void WeightStorage::appendUnit(ArrayRef<uint8_t> codes, int64_t vectorBytes, std::vector<int8_t> &out) const {
  const unsigned flip = flipsTop() ? 0x80 : 0;
  forEachPiece(codes.size() / vectorBytes, [&](int64_t first, int64_t count) {
    ArrayRef<uint8_t> piece = codes.slice(first * vectorBytes, count * vectorBytes);
    int64_t position = 0; // of the plane's lowest bit in a code
    for (int64_t plane : planes()) {
      const int64_t step = piece.size() * plane / 8;
      for (int64_t i = 0; i < step; ++i) {
        unsigned byte = 0;
        for (int64_t k = 0; k < 8 / plane; ++k)
          byte |= (unsigned(piece[i + k * step]) >> position & ((1u << plane) - 1)) << (k * plane);
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
