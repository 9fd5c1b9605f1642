//===- CodebookTables.cpp - several codebooks, of which each group takes one --===//
//
// Block clustered quantization (Elangovan et al., LO-BCQ, arXiv:2502.05376): groups of a row's neighbouring weights choose the table that
// suits them, tables are fitted to the groups that have chosen them, and so on while the error falls. The paper normalizes blocks of groups;
// here channels have scales as in every format, fitted to the levels as a codebook's are. Both steps lower the error: the choice by definition,
// the levels because they are exact (Codebook.cpp).
//
// The first tables are the codebook of the whole tensor, narrower and wider.
//
// A level other than 0 is in one table only, so that what group has which table can be seen from the codes alone (WeightStorage.h).
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightGrid.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

/// As many as packing stores (WeightStorage.h).
static constexpr int kTables = 4;
static constexpr int kLargest = 127;

/// The value nearest to `level` that no table has.
static int8_t findFree(ArrayRef<bool> taken, int8_t level) {
  for (int distance = 0; distance <= 2 * kLargest; ++distance)
    for (int value : {level - distance, level + distance})
      if (value != 0 && std::abs(value) <= kLargest && !taken[value + kLargest])
        return static_cast<int8_t>(value);
  return level;
}

void WeightGrid::setTables(std::vector<std::vector<int8_t>> values) {
  std::array<bool, 2 * kLargest + 1> taken = {};
  std::vector<int8_t> all;
  tables.clear();
  for (std::vector<int8_t> &table : values) {
    for (int8_t &level : table)
      if (level != 0) {
        level = findFree(taken, level);
        taken[level + kLargest] = true;
      }
    tables.emplace_back(table);
    llvm::append_range(all, table);
  }
  levels = LevelSet(all);
}

void WeightGrid::replaceLevels(ArrayRef<int8_t> values) {
  if (tables.empty()) {
    levels = LevelSet(values);
    return;
  }
  std::vector<std::vector<int8_t>> replaced;
  for (const LevelSet &table : tables) {
    std::vector<int8_t> &next = replaced.emplace_back();
    for (int8_t level : table.levels())
      next.push_back(values[llvm::lower_bound(levels.levels(), level) - levels.levels().begin()]);
    next.erase(std::unique(next.begin(), next.end()), next.end());
  }
  setTables(std::move(replaced));
}

/// Gives each group the table of least error.
static void chooseTables(const RowsOfWeights &rows, WeightGrid &grid) {
  llvm::parallelFor(0, rows.outputs, [&](size_t output) {
    ArrayRef<float> row = rows.row(output), importance = rows.importanceOf(output);
    for (int64_t index = 0; index < grid.groups; ++index) {
      double least = INFINITY;
      for (auto [number, table] : llvm::enumerate(grid.tables)) {
        const double error = groupError(row, importance, grid.group, index, grid.scales[output], table);
        if (error < least) {
          least = error;
          grid.choices[output * grid.groups + index] = number;
        }
      }
    }
  });
}

WeightGrid mlir::halftone::fitTables(const RowsOfWeights &rows, unsigned bits, int64_t group, WeightScales method) {
  WeightGrid grid = fitCodebook(rows, bits, /*perTensor=*/false, method);
  grid.setGroups(group, rows.dimension);
  constexpr float narrowest = 0.6f, widest = 1.3f;
  // The widest table's levels fit the int8 range, too.
  std::vector<std::vector<int8_t>> first(kTables);
  for (int number = 0; number < kTables; ++number)
    for (int8_t level : grid.levels.levels())
      first[number].push_back(std::nearbyint(level * (narrowest + (widest - narrowest) * number / (kTables - 1)) / widest));
  for (float &scale : grid.scales)
    scale = std::isnormal(scale * widest) ? scale * widest : scale;
  const bool keepZero = rows.keepsZero();
  grid.setTables(std::move(first));
  chooseTables(rows, grid);
  WeightGrid best = grid;
  double least = gridError(rows, best);
  constexpr int rounds = 24;
  for (int round = 0; round < rounds && least > 0; ++round) {
    std::vector<std::vector<int8_t>> tables;
    for (int number = 0; number < kTables; ++number)
      tables.push_back(findLevels(countMoments(rows, grid, number), 1u << bits, keepZero));
    grid.setTables(std::move(tables));
    chooseTables(rows, grid);
    if (method != WeightScales::Largest) {
      grid.scales = refitScales(rows, grid, /*perTensor=*/false);
      chooseTables(rows, grid);
    }
    const double error = gridError(rows, grid);
    const bool isWorthMore = error < least * (1 - 1e-3);
    if (error < least) {
      least = error;
      best = grid;
    }
    if (!isWorthMore)
      break;
  }
  return best;
}
