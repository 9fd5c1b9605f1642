//===- WeightGrid.h - where the weights of a contraction may lie --------------===//
//
// A weight becomes w = scale[output] * g * level, an int8 value g * level times the scale of its output channel: level
// of the format's set, g >= 1 the integer multiplier of its group of the reduction (1 without groups). So groups are a
// second level of scaling inside of int8 (Dai et al., VS-Quant, arXiv:2102.04503). Groups of a codebook have no multiplier;
// each chooses one of four tables, w = scale[output] * level, level of its table (Elangovan et al., LO-BCQ,
// arXiv:2502.05376). Nothing behind the quantization stage knows of groups. All searches minimize
//
//   sum over the elements of importance[column] * (w - nearest)^2,
//
// importance being the mean square of what the weight is multiplied by, where it is known. They run on several threads;
// the results do not depend on how many.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_WEIGHTGRID_H
#define HALFTONE_QUANTIZATION_WEIGHTGRID_H

#include "halftone/Quantization/Passes.h"
#include "halftone/Quantization/WeightFormats.h"

namespace mlir::halftone {

/// Weights by output channel: rows of one length, each in the order of the reduction.
struct RowsOfWeights {
  int64_t outputs = 0, dimension = 0;
  ArrayRef<float> values;     ///< outputs x dimension
  ArrayRef<float> importance; ///< blocks x dimension, each for outputs / blocks rows; empty: 1 for all
  bool needsZero = false;     ///< weights become zero when they are rounded
  std::vector<float> leastScales = {}; ///< of each output channel, for its bias (Biases.h); empty: none

  ArrayRef<float> row(int64_t output) const { return values.slice(output * dimension, dimension); }
  /// Of the row's columns, or empty.
  ArrayRef<float> importanceOf(int64_t output) const {
    if (importance.empty())
      return {};
    int64_t blocks = importance.size() / dimension;
    return importance.slice(output / (outputs / blocks) * dimension, dimension);
  }
  float leastScale(int64_t output) const { return leastScales.empty() ? 0 : leastScales[output]; }
  /// Whether a codebook has the level 0. A weight that is exactly 0, pruned maybe, stays 0.
  bool keepsZero() const { return needsZero || llvm::is_contained(values, 0.0f); }
};

struct WeightGrid {
  LevelSet levels;                   ///< with tables all of theirs
  std::vector<float> scales;         ///< of each output channel
  int64_t group = 0, groups = 1;     ///< elements of a group (0: no groups), groups of a row
  std::vector<uint8_t> choices = {}; ///< outputs x groups, the multiplier of each or the number of its table; empty without groups
  std::vector<LevelSet> tables = {}; ///< that groups choose from; no level but 0 is in two
  std::vector<bool> zeros = {};      ///< outputs x columns that are 0 whatever the value; empty: none

  int choice(int64_t output, int64_t column) const { return choices[output * groups + column / group]; }
  int multiplier(int64_t output, int64_t column) const { return group && tables.empty() ? choice(output, column) : 1; }
  const LevelSet &levelsOf(int64_t output, int64_t column) const { return tables.empty() ? levels : tables[choice(output, column)]; }
  /// Replaces every level of `levels`, in its order.
  void replaceLevels(ArrayRef<int8_t> values);
  /// Levels other than 0 that an earlier table has, too, are moved to the nearest values that none has.
  void setTables(std::vector<std::vector<int8_t>> values);
  /// Cuts rows of `dimension` into groups, whose choices are 0.
  void setGroups(int64_t size, int64_t dimension);
  /// The int8 value nearest to a weight.
  int8_t code(int64_t output, int64_t column, float value) const {
    if (!zeros.empty() && zeros[output * (zeros.size() / scales.size()) + column])
      return 0;
    int g = multiplier(output, column);
    return levelsOf(output, column).nearest(value / (scales[output] * g)) * g;
  }
  /// The codes of a row of weights: of a paired set, of pairs.
  void round(int64_t output, ArrayRef<float> row, MutableArrayRef<int8_t> codes) const;
  /// What to round instead of `value`, beside the weight or the level of the neighbour that bounds it.
  float besides(int64_t output, float value, float neighbour, bool isLevel) const {
    const float scale = scales[output], other = neighbour / scale;
    return levels.withinPair(value / scale, isLevel ? levels.nearest(other) : other, isLevel) * scale;
  }
  /// The real number that it stands for.
  float nearest(int64_t output, int64_t column, float value) const {
    return code(output, column, value) * scales[output];
  }
};

/// The grid for the weights.
WeightGrid chooseGrid(const RowsOfWeights &rows, const FormatOfWeights &format, WeightScales method);

/// The grids that error feedback may choose between: that one first, and of a codebook the uniform levels of equal bits, too.
std::vector<WeightGrid> candidateGrids(const RowsOfWeights &rows, const FormatOfWeights &format, WeightScales method);

/// Makes zeros of the weights zeros of the grid: those of a pruned contraction.
void keepZeros(const RowsOfWeights &rows, WeightGrid &grid);

/// The weighted squared error of rounding each weight to the nearest point of the grid.
double gridError(const RowsOfWeights &rows, const WeightGrid &grid);

/// The weighted squared error of values on one scale.
double scaleError(ArrayRef<float> values, ArrayRef<float> importance, float scale, const LevelSet &levels);

/// That of one group of a row.
double groupError(ArrayRef<float> row, ArrayRef<float> importance, int64_t group, int64_t index, float scale, const LevelSet &levels);

/// Whether scales are those that clip nothing: asked for, or because 255 levels are enough for that.
bool keepsLargest(WeightScales method, const LevelSet &levels);

/// The scale of each output channel, or one for all.
std::vector<float> findScales(const RowsOfWeights &rows, const LevelSet &levels, bool perTensor, WeightScales method);

/// Scales and multipliers of groups: never worse than one scale for each channel.
void findGroupScales(const RowsOfWeights &rows, int64_t group, WeightScales method, WeightGrid &grid);

/// A codebook of at most 2^bits levels with its scales: never worse than the uniform format of equal bits. Of 8 bits it is that format's grid.
WeightGrid fitCodebook(const RowsOfWeights &rows, unsigned bits, bool perTensor, WeightScales method);

/// Four tables of at most 2^bits levels that groups choose from, with the scales of the channels and the choices.
WeightGrid fitTables(const RowsOfWeights &rows, unsigned bits, int64_t group, WeightScales method);

/// The weight, its first and its second moment of reals x, by half steps [(i - 256) / 2, (i - 255) / 2), those outside of
/// them in the first and last.
struct HalfStepMoments {
  double weight[512] = {}, first[512] = {}, second[512] = {};
};

/// Those of all weights in steps of their scales or, with tables, of the weights of the groups that have chosen one.
HalfStepMoments countMoments(const RowsOfWeights &rows, const WeightGrid &grid, std::optional<int> table = std::nullopt);

/// The scales of least error for the levels that the weights have now.
std::vector<float> refitScales(const RowsOfWeights &rows, const WeightGrid &grid, bool perTensor);

/// At most `count` levels of [-127, 127] with the least sum of weight * (x - nearest level)^2, exactly. With `keepZero` one
/// of them is 0.
std::vector<int8_t> findLevels(const HalfStepMoments &moments, unsigned count, bool keepZero);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_WEIGHTGRID_H
