//===- RoundLayer.cpp - levels for the weights of one layer ------------------------===//
//
// Grids are first chosen for each weight by itself, and what suits that best need not be best with error feedback: a codebook is tried as the
// uniform levels of equal bits, too; scales (RefineScales.cpp) and levels (FitLevels.cpp) are fitted to what the sweep chose, and the layer swept
// again, as long as its error falls. Output channels are independent: 16 at a time share one walk over the factor, and go to threads.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/RoundLayer.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Reconstruction/FitLevels.h"
#include "halftone/Reconstruction/Rounding.h"
#include "mlir/IR/Threading.h"
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

/// Levels are fitted for so many at most: more are near to any weight.
static constexpr unsigned kMostFittedBits = 5;

namespace {
class LayerRounder {
public:
  LayerRounder(MLIRContext *context, const Hessian &hessian, const RowsOfWeights &weights, const FormatOfWeights &format,
               const LayerRounding &how);

  RoundedLayer round(WeightGrid grid) const;
  /// As long as the error falls.
  void fitLevels(RoundedLayer &rounded) const;

private:
  static constexpr int64_t kTogether = 16;

  /// Calls `visit` with the factor, the first row and the number of rows of each task.
  void forEachTask(llvm::function_ref<void(size_t, const CholeskyFactor &, int64_t, int64_t)> visit) const;
  double roundTask(const CholeskyFactor &factor, int64_t first, MutableArrayRef<float> levels, WeightGrid &grid) const;
  ArrayRef<float> rowsOf(ArrayRef<float> all, int64_t first, int64_t count) const {
    return all.slice(first * hessian.dimension, count * hessian.dimension);
  }

  MLIRContext *context;
  const Hessian &hessian;
  const RowsOfWeights &weights;
  const FormatOfWeights &format;
  const LayerRounding &how;
  int64_t perGroup, tasksOfGroup;
  std::vector<CholeskyFactor> factors; ///< of each group
};
} // namespace

LayerRounder::LayerRounder(MLIRContext *context, const Hessian &hessian, const RowsOfWeights &weights, const FormatOfWeights &format,
                           const LayerRounding &how)
    : context(context), hessian(hessian), weights(weights), format(format), how(how), perGroup(weights.outputs / hessian.groups),
      tasksOfGroup((perGroup + kTogether - 1) / kTogether) {
  for (int64_t group = 0; group < hessian.groups; ++group)
    factors.emplace_back(hessian.triangle(group), format.granularity.group, how.damping);
}

void LayerRounder::forEachTask(llvm::function_ref<void(size_t, const CholeskyFactor &, int64_t, int64_t)> visit) const {
  parallelFor(context, 0, tasksOfGroup * hessian.groups, [&](size_t task) {
    const int64_t group = task / tasksOfGroup, begin = task % tasksOfGroup * kTogether;
    visit(task, factors[group], group * perGroup + begin, std::min(kTogether, perGroup - begin));
  });
}

/// Whether scales are searched: not those that just hold the largest weight, nor those that channels share or groups multiply.
static bool refinesScales(const WeightGrid &grid, const FormatOfWeights &format, WeightScales method) {
  return (format.granularity.kind == Granularity::Channel || format.isClustered()) && !keepsLargest(method, grid.levels);
}

/// Some rows of one group, from weights to levels; the error of the sweeps.
double LayerRounder::roundTask(const CholeskyFactor &factor, int64_t first, MutableArrayRef<float> levels, WeightGrid &grid) const {
  const int64_t dimension = hessian.dimension, count = levels.size() / dimension;
  const std::vector<float> original = levels.vec();
  std::vector<double> errors = roundGPTQ(levels, first, factor, grid);
  if (refinesScales(grid, format, how.scales))
    refineScales(original, levels, errors, first, factor, grid);
  for (int64_t row = 0; how.method == WeightRounding::AdaRound && row < count; ++row)
    descend(ArrayRef<float>(original).slice(row * dimension, dimension), levels.slice(row * dimension, dimension), first + row,
            hessian.triangle(first / perGroup), grid);
  return std::accumulate(errors.begin(), errors.end(), 0.0);
}

RoundedLayer LayerRounder::round(WeightGrid grid) const {
  if (how.keepsZeros)
    keepZeros(weights, grid);
  RoundedLayer rounded{std::move(grid), weights.values.vec(), 0};
  std::vector<double> errors(tasksOfGroup * hessian.groups);
  forEachTask([&](size_t task, const CholeskyFactor &factor, int64_t first, int64_t count) {
    MutableArrayRef<float> rows = MutableArrayRef<float>(rounded.rows).slice(first * hessian.dimension, count * hessian.dimension);
    errors[task] = roundTask(factor, first, rows, rounded.grid);
  });
  rounded.error = std::accumulate(errors.begin(), errors.end(), 0.0);
  return rounded;
}

void LayerRounder::fitLevels(RoundedLayer &rounded) const {
  constexpr int kRounds = 3;
  constexpr double kWorthwhile = 1e-3;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<LevelEquations> parts(tasksOfGroup * hessian.groups, LevelEquations(rounded.grid.levels));
    forEachTask([&](size_t task, const CholeskyFactor &factor, int64_t first, int64_t count) {
      for (int64_t row = first; row < first + count; ++row)
        parts[task].add(rowsOf(weights.values, row, 1), rowsOf(rounded.rows, row, 1), rounded.grid.scales[row], factor);
    });
    for (const LevelEquations &part : llvm::drop_begin(parts))
      parts.front().merge(part);
    WeightGrid fitted = rounded.grid;
    fitted.replaceLevels(parts.front().solve());
    if (fitted.levels.levels() == rounded.grid.levels.levels())
      return;
    RoundedLayer next = this->round(std::move(fitted));
    const bool isWorthMore = next.error < rounded.error * (1 - kWorthwhile);
    if (next.error < rounded.error)
      rounded = std::move(next);
    if (!isWorthMore)
      return;
  }
}

RoundedLayer mlir::halftone::roundLayer(MLIRContext *context, const Hessian &hessian, const RowsOfWeights &weights,
                                        const FormatOfWeights &format, const LayerRounding &how) {
  const LayerRounder rounder(context, hessian, weights, format, how);
  std::optional<RoundedLayer> best;
  for (WeightGrid &grid : candidateGrids(weights, format, how.scales)) {
    RoundedLayer rounded = rounder.round(std::move(grid));
    if (!best || rounded.error < best->error)
      best = std::move(rounded);
  }
  if (format.format.kind == WeightFormat::Fitted && format.format.bits <= kMostFittedBits && how.scales != WeightScales::Largest)
    rounder.fitLevels(*best);
  return std::move(*best);
}
