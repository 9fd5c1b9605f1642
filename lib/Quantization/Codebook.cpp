//===- Codebook.cpp - levels fitted to weights --------------------------------===//
//
// Levels are int8, so there are 255 candidates, and the border between two of them is a multiple of 1/2: weights are
// counted in half steps with their first two moments, and dynamic programming over pairs of neighbouring levels finds the
// best set, exactly (for one-dimensional k-means in general: Wang and Song, Ckmeans.1d.dp, 2011). The scales of the channels
// are then fitted to the levels by least squares, which changes the counts; the two alternate while the error falls.
// They start at the scales of the uniform format of equal bits, whose levels are one of the sets.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightGrid.h"
#include "llvm/Support/Parallel.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

static constexpr int kBins = 512, kMin = -127, kCandidates = 255;

namespace {
/// Sums of the moments of the bins before each.
class PrefixMoments {
public:
  explicit PrefixMoments(const HalfStepMoments &moments) {
    for (int i = 0; i < kBins; ++i) {
      weight[i + 1] = weight[i] + moments.weight[i];
      first[i + 1] = first[i] + moments.first[i];
      second[i + 1] = second[i] + moments.second[i];
    }
  }
  /// The error of the bins [begin, end) rounded to a level.
  double cost(int begin, int end, int level) const {
    return (second[end] - second[begin]) - 2.0 * level * (first[end] - first[begin]) +
           double(level) * level * (weight[end] - weight[begin]);
  }
  /// Of what lies between two neighbouring levels; the upper half begins at their border.
  double between(int low, int high) const {
    int border = low + high + 256;
    return cost(2 * low + 256, border, low) + cost(border, 2 * high + 256, high);
  }

private:
  double weight[kBins + 1] = {}, first[kBins + 1] = {}, second[kBins + 1] = {};
};
} // namespace

std::vector<int8_t> mlir::halftone::findLevels(const HalfStepMoments &moments, unsigned count, bool keepZero) {
  PrefixMoments sums(moments);
  count = std::min<unsigned>(count, kCandidates);
  // best[k][i]: the least error below level i, which is the last of k + 1.
  std::vector<std::array<double, kCandidates>> best(count);
  std::vector<std::array<int16_t, kCandidates>> previous(count);
  std::vector<double> pairs(kCandidates * kCandidates);
  for (int i = 0; i < kCandidates; ++i)
    for (int j = 0; j < i; ++j)
      pairs[i * kCandidates + j] = keepZero && j + kMin < 0 && i + kMin > 0 ? INFINITY : sums.between(j + kMin, i + kMin);
  for (int i = 0; i < kCandidates; ++i)
    best[0][i] = keepZero && i + kMin > 0 ? INFINITY : sums.cost(0, 2 * (i + kMin) + 256, i + kMin);
  for (unsigned k = 1; k < count; ++k)
    for (int i = 0; i < kCandidates; ++i) {
      best[k][i] = INFINITY;
      previous[k][i] = 0;
      for (int j = k - 1; j < i; ++j)
        if (double error = best[k - 1][j] + pairs[i * kCandidates + j]; error < best[k][i]) {
          best[k][i] = error;
          previous[k][i] = j;
        }
    }
  double least = INFINITY;
  int last = 0;
  unsigned used = 0;
  for (unsigned k = 0; k < count; ++k)
    for (int i = k; i < kCandidates; ++i) {
      if (keepZero && i + kMin < 0)
        continue;
      double error = best[k][i] + sums.cost(2 * (i + kMin) + 256, kBins, i + kMin);
      if (error < least) {
        least = error;
        last = i;
        used = k;
      }
    }
  std::vector<int8_t> levels;
  for (unsigned k = used + 1; k-- > 0; last = previous[k][last])
    levels.push_back(last + kMin);
  return std::vector<int8_t>(levels.rbegin(), levels.rend());
}

/// In double and in a fixed order: blocks of rows, then their sum.
HalfStepMoments mlir::halftone::countMoments(const RowsOfWeights &rows, const WeightGrid &grid, std::optional<int> table) {
  int64_t blocks = std::min<int64_t>(rows.outputs, 16);
  std::vector<HalfStepMoments> parts(blocks);
  llvm::parallelFor(0, blocks, [&](size_t block) {
    HalfStepMoments &part = parts[block];
    for (int64_t output = rows.outputs * block / blocks; output < int64_t(rows.outputs * (block + 1) / blocks); ++output) {
      ArrayRef<float> importance = rows.importanceOf(output);
      const float scale = grid.scales[output];
      double square = double(scale) * scale;
      for (auto [column, value] : llvm::enumerate(rows.row(output))) {
        if (table && grid.choice(output, column) != *table)
          continue;
        float x = value / scale;
        int bin = std::clamp(2 * x + 256, 0.0f, kBins - 1.0f);
        double weight = square * (importance.empty() ? 1.0 : importance[column]);
        part.weight[bin] += weight;
        part.first[bin] += weight * x;
        part.second[bin] += weight * x * x;
      }
    }
  });
  HalfStepMoments sum;
  for (const HalfStepMoments &part : parts)
    for (int bin = 0; bin < kBins; ++bin) {
      sum.weight[bin] += part.weight[bin];
      sum.first[bin] += part.first[bin];
      sum.second[bin] += part.second[bin];
    }
  return sum;
}

std::vector<float> mlir::halftone::refitScales(const RowsOfWeights &rows, const WeightGrid &grid, bool perTensor) {
  std::vector<double> products(rows.outputs), squares(rows.outputs);
  llvm::parallelFor(0, rows.outputs, [&](size_t output) {
    ArrayRef<float> importance = rows.importanceOf(output);
    for (auto [column, value] : llvm::enumerate(rows.row(output))) {
      double level = grid.levelsOf(output, column).nearest(value / grid.scales[output]), weight = importance.empty() ? 1.0 : importance[column];
      products[output] += weight * value * level;
      squares[output] += weight * level * level;
    }
  });
  if (perTensor) {
    products.assign(rows.outputs, std::accumulate(products.begin(), products.end(), 0.0));
    squares.assign(rows.outputs, std::accumulate(squares.begin(), squares.end(), 0.0));
  }
  std::vector<float> scales = grid.scales;
  for (int64_t output = 0; output < rows.outputs; ++output) {
    auto scale = static_cast<float>(products[output] / squares[output]);
    if (std::isnormal(scale) && scale > 0)
      scales[output] = scale;
  }
  return scales;
}

WeightGrid mlir::halftone::fitCodebook(const RowsOfWeights &rows, unsigned bits, bool perTensor, WeightScales method) {
  LevelSet uniform((1 << (bits - 1)) - 1);
  std::vector<float> scales = findScales(rows, uniform, perTensor, method);
  if (uniform.levels().size() == kCandidates) // all of them, those that no weight is near to as well: error feedback moves weights there
    return {uniform, scales};
  // The uniform levels are stretched over the int8 range: 7 steps of 18 for 4 bits.
  for (float &scale : scales)
    scale = std::isnormal(scale / (127 / uniform.largest())) ? scale / (127 / uniform.largest()) : scale;
  const bool keepZero = rows.keepsZero();
  auto fit = [&](ArrayRef<float> at) {
    WeightGrid grid{uniform, at.vec()};
    grid.levels = LevelSet(findLevels(countMoments(rows, grid), 1u << bits, keepZero));
    return grid;
  };
  WeightGrid best = fit(scales);
  double least = gridError(rows, best);
  constexpr int rounds = 12;
  for (int round = 0; round < rounds && method != WeightScales::Largest && least > 0; ++round) {
    WeightGrid next = fit(refitScales(rows, best, perTensor));
    double error = gridError(rows, next);
    if (!(error < least * (1 - 1e-4)))
      break;
    least = error;
    best = std::move(next);
  }
  return best;
}
