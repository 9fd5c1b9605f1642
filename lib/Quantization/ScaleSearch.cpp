//===- ScaleSearch.cpp - scales for given levels ------------------------------===//
//
// The scale that just represents the largest weight, times factors down to where more is clipped than gained.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightGrid.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

double mlir::halftone::scaleError(ArrayRef<float> values, ArrayRef<float> importance, float scale, const LevelSet &levels) {
  double sum = 0;
  levels.forEachNearest(values, scale, [&](size_t i, int level) {
    const double error = values[i] - level * double(scale);
    sum += error * error * (importance.empty() ? 1.0 : importance[i]);
  });
  return sum;
}

double mlir::halftone::groupError(ArrayRef<float> row, ArrayRef<float> importance, int64_t group, int64_t index, float scale, const LevelSet &levels) {
  const int64_t begin = index * group, size = std::min<int64_t>(group, row.size() - begin);
  return scaleError(row.slice(begin, size), importance.empty() ? importance : importance.slice(begin, size), scale, levels);
}

/// What the largest level has to represent so that nothing is clipped.
static float largestOf(ArrayRef<float> values, const LevelSet &levels) {
  float largest = 0;
  for (float value : values)
    largest = std::max(largest, std::abs(value));
  const float part = levels.isPaired() ? float(levels.largest()) / (levels.largest() + 1) : 0;
  for (size_t i = 0; levels.isPaired() && i + 1 < values.size(); i += 2)
    largest = std::max(largest, std::abs(values[i] + values[i + 1]) * part);
  return largest;
}

/// The part of the largest scale that a candidate takes away, of `kCandidates`. Clipping below half of the largest
/// magnitude does not win for 255 levels; for few levels it does, and for pairs.
static constexpr int kCandidates = 96;
static float factorOf(int candidate, const LevelSet &levels) {
  const float depth = levels.uniformLimit() == kWeightMax && !levels.isPaired() ? 0.5f : 0.75f;
  return 1.0f - depth * candidate / kCandidates;
}

bool mlir::halftone::keepsLargest(WeightScales method, const LevelSet &levels) {
  return method == WeightScales::Largest || (method == WeightScales::Automatic && levels.uniformLimit() == kWeightMax && !levels.isPaired());
}

static std::vector<float> findChannelScales(const RowsOfWeights &rows, const LevelSet &levels, bool largest) {
  std::vector<float> scales(rows.outputs);
  llvm::parallelFor(0, rows.outputs, [&](size_t output) {
    ArrayRef<float> row = rows.row(output), importance = rows.importanceOf(output);
    float magnitude = largestOf(row, levels);
    scales[output] = getWeightScale(magnitude, levels.largest());
    double least = largest ? 0 : scaleError(row, importance, scales[output], levels);
    for (int candidate = 1; candidate < kCandidates && least > 0; ++candidate) {
      float scale = getWeightScale(magnitude * factorOf(candidate, levels), levels.largest());
      double error = scaleError(row, importance, scale, levels);
      if (error < least) {
        least = error;
        scales[output] = scale;
      }
    }
    scales[output] = std::max(scales[output], rows.leastScale(output));
  });
  return scales;
}

std::vector<float> mlir::halftone::findScales(const RowsOfWeights &rows, const LevelSet &levels, bool perTensor,
                                              WeightScales method) {
  const bool largest = keepsLargest(method, levels);
  if (!perTensor)
    return findChannelScales(rows, levels, largest);
  float magnitude = 0;
  for (int64_t output = 0; output < rows.outputs; ++output)
    magnitude = std::max(magnitude, largestOf(rows.row(output), levels));
  std::vector<float> candidates;
  for (int candidate = 0; candidate < (largest ? 1 : kCandidates); ++candidate)
    candidates.push_back(getWeightScale(magnitude * factorOf(candidate, levels), levels.largest()));
  std::vector<double> errors(candidates.size());
  llvm::parallelFor(0, candidates.size(), [&](size_t candidate) {
    for (int64_t output = 0; output < rows.outputs; ++output)
      errors[candidate] += scaleError(rows.row(output), rows.importanceOf(output), candidates[candidate], levels);
  });
  size_t best = std::min_element(errors.begin(), errors.end()) - errors.begin();
  float scale = candidates[best];
  for (int64_t output = 0; output < rows.outputs; ++output)
    scale = std::max(scale, rows.leastScale(output));
  return std::vector<float>(rows.outputs, scale);
}

void WeightGrid::setGroups(int64_t size, int64_t dimension) {
  group = size;
  groups = llvm::divideCeil(dimension, size);
  choices.assign(scales.size() * groups, 0);
}

void WeightGrid::round(int64_t output, ArrayRef<float> row, MutableArrayRef<int8_t> codes) const {
  // What is 0 stays 0 beside any neighbour, so that zeros need no look here.
  if (levels.isPaired())
    return levels.forEachNearest(row, scales[output], [&](size_t column, int level) { codes[column] = level; });
  for (auto [column, value] : llvm::enumerate(row))
    codes[column] = code(output, column, value);
}

double mlir::halftone::gridError(const RowsOfWeights &rows, const WeightGrid &grid) {
  std::vector<double> errors(rows.outputs);
  llvm::parallelFor(0, rows.outputs, [&](size_t output) {
    ArrayRef<float> row = rows.row(output), importance = rows.importanceOf(output);
    std::vector<int8_t> codes(rows.dimension);
    grid.round(output, row, codes);
    for (int64_t column = 0; column < rows.dimension; ++column) {
      double error = row[column] - codes[column] * double(grid.scales[output]);
      errors[output] += error * error * (importance.empty() ? 1.0 : importance[column]);
    }
  });
  double sum = 0;
  for (double error : errors)
    sum += error;
  return sum;
}

void mlir::halftone::keepZeros(const RowsOfWeights &rows, WeightGrid &grid) {
  grid.zeros.resize(rows.values.size());
  for (auto [i, value] : llvm::enumerate(rows.values))
    grid.zeros[i] = value == 0;
}

WeightGrid mlir::halftone::chooseGrid(const RowsOfWeights &rows, const FormatOfWeights &format, WeightScales method) {
  bool perTensor = format.granularity.kind == Granularity::Tensor;
  if (format.format.kind == WeightFormat::Fitted)
    return format.isClustered() ? fitTables(rows, format.format.bits, format.granularity.group, method)
                                : fitCodebook(rows, format.format.bits, perTensor, method);
  WeightGrid grid{format.format.levelSet(), {}};
  if (format.granularity.kind == Granularity::Group)
    findGroupScales(rows, format.granularity.group, method, grid);
  else
    grid.scales = findScales(rows, grid.levels, perTensor, method);
  return grid;
}

std::vector<WeightGrid> mlir::halftone::candidateGrids(const RowsOfWeights &rows, const FormatOfWeights &format, WeightScales method) {
  std::vector<WeightGrid> grids = {chooseGrid(rows, format, method)};
  const LevelSet uniform = format.format.levelSet();
  if (format.format.kind == WeightFormat::Fitted && !format.isClustered() && grids.front().levels.levels() != uniform.levels())
    grids.push_back({uniform, findScales(rows, uniform, format.granularity.kind == Granularity::Tensor, method)});
  return grids;
}
