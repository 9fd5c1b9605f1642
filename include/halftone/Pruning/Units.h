//===- Units.h - weights that become zero together --------------------------===//
//
// A unit is some columns of one row of weights (WeightRows.h); all units of a layer have the same columns in every row. They
// are ranked by a score, the least first; over all layers each score counts as its share of the layer's sum, as layers
// differ in scale.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PRUNING_UNITS_H
#define HALFTONE_PRUNING_UNITS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <vector>

namespace mlir::halftone {

/// Input channels of a block.
inline constexpr int64_t kPruningBlock = 4;

/// Columns of one row that become zero together.
struct PruningUnit {
  int64_t begin, size;
};

/// The units of one layer.
struct PruningUnits {
  /// Columns are taps x `channels`; a unit is at most `size` channels of one tap.
  PruningUnits(int64_t rows, int64_t columns, int64_t channels, int64_t size);

  int64_t count() const { return rows * units.size(); }

  /// The mean over each unit's weights of w^2 times the importance of (row, column); rows x units.
  std::vector<double> score(llvm::ArrayRef<float> values, llvm::function_ref<double(int64_t, int64_t)> importance) const;

  /// Calls `clear` with the weights of that unit, of rows x units.
  void forEachWeight(int64_t unit, llvm::function_ref<void(int64_t)> clear) const;

  /// Makes the units of the least scores zero: that share of them, rounded to the nearest number.
  void clearLeast(llvm::MutableArrayRef<float> values, llvm::ArrayRef<double> scores, double share) const;

  int64_t rows, columns;
  std::vector<PruningUnit> units; ///< of each row
};

/// The order of the scores, the least first; equal ones by their place.
std::vector<int64_t> rankScores(llvm::ArrayRef<double> scores);

/// The share of each layer's units that becomes zero if `share` of all do.
std::vector<double> sharesOverall(llvm::ArrayRef<std::vector<double>> layers, double share);

} // namespace mlir::halftone

#endif // HALFTONE_PRUNING_UNITS_H
