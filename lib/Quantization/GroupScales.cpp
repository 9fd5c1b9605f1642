//===- GroupScales.cpp - integer multipliers of groups ------------------------===//
//
// For each channel: the step that suits each group alone, then a few scales of the channel that divide the largest of
// these steps by an integer; for each, every group takes the best of the multipliers around its own step. The channel's
// own best scale, with one multiplier for all groups, is among the candidates.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightGrid.h"
#include "llvm/Support/Parallel.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// One row, cut into groups.
struct GroupedRow {
  ArrayRef<float> values, importance;
  int64_t group;
  const LevelSet &levels;
  int most; ///< the largest multiplier

  int64_t groups() const { return (values.size() + group - 1) / group; }
  double error(int64_t index, float step) const { return groupError(values, importance, group, index, step, levels); }
  float largest(int64_t index) const {
    float magnitude = 0;
    for (size_t i = index * group; i < std::min<size_t>(values.size(), (index + 1) * group); ++i)
      magnitude = std::max(magnitude, std::abs(values[i]));
    return magnitude;
  }
};

struct Choice {
  float scale = 1;
  std::vector<uint8_t> multipliers;
  double error = INFINITY;
};
} // namespace

/// The step of each group alone: 0 for a group of zeros.
static std::vector<float> findSteps(const GroupedRow &row, bool largest) {
  constexpr int candidates = 32;
  std::vector<float> steps(row.groups(), 0.0f);
  for (int64_t index = 0; index < row.groups(); ++index) {
    float magnitude = row.largest(index) / row.levels.largest();
    if (magnitude == 0)
      continue;
    double least = INFINITY;
    for (int candidate = 0; candidate < (largest ? 1 : candidates); ++candidate) {
      float step = magnitude * (1 - 0.75f * candidate / candidates);
      double error = row.error(index, step);
      if (error < least) {
        least = error;
        steps[index] = step;
      }
    }
  }
  return steps;
}

/// The best multipliers around each group's step for a scale of the channel. Without a search, those that represent the
/// largest weights.
static Choice chooseMultipliers(const GroupedRow &row, float scale, ArrayRef<float> steps, bool largest) {
  Choice choice{scale, {}, 0};
  for (auto [index, step] : llvm::enumerate(steps)) {
    int middle = largest ? std::ceil(step / scale - 1e-4f) : std::nearbyint(step / scale), best = 1;
    double least = INFINITY;
    for (int g = std::max(1, middle - !largest); g <= std::clamp(middle + !largest, 1, row.most); ++g) {
      double error = row.error(index, scale * g);
      if (error < least) {
        least = error;
        best = g;
      }
    }
    choice.multipliers.push_back(best);
    choice.error += least;
  }
  return choice;
}

static Choice chooseRow(const GroupedRow &row, float channelScale, bool largest) {
  // A row of numbers next to nothing: below the smallest normal scale its codes are smaller, not its scale.
  float scale = std::max(channelScale / row.most, std::numeric_limits<float>::min());
  Choice best{scale, std::vector<uint8_t>(row.groups(), row.most), 0};
  for (int64_t index = 0; index < row.groups(); ++index)
    best.error += row.error(index, best.scale * row.most);
  std::vector<float> steps = findSteps(row, largest);
  float widest = *llvm::max_element(steps);
  if (widest == 0)
    return best;
  int candidates = largest ? 1 : 16;
  for (int candidate = 0; candidate < candidates; ++candidate) {
    float scale = widest / (row.most - candidate * (0.5f * row.most) / candidates);
    if (!std::isnormal(scale))
      continue;
    Choice choice = chooseMultipliers(row, scale, steps, largest);
    if (choice.error < best.error || largest)
      best = std::move(choice);
  }
  return best;
}

void mlir::halftone::findGroupScales(const RowsOfWeights &rows, int64_t group, WeightScales method, WeightGrid &grid) {
  bool largest = method == WeightScales::Largest;
  std::vector<float> channelScales = findScales(rows, grid.levels, /*perTensor=*/false, method);
  grid.scales.resize(rows.outputs);
  grid.setGroups(group, rows.dimension);
  llvm::parallelFor(0, rows.outputs, [&](size_t output) {
    GroupedRow row{rows.row(output), rows.importanceOf(output), group, grid.levels, 127 / grid.levels.largest()};
    Choice choice = chooseRow(row, channelScales[output], largest);
    grid.scales[output] = choice.scale;
    std::copy(choice.multipliers.begin(), choice.multipliers.end(), grid.choices.begin() + output * grid.groups);
  });
}
