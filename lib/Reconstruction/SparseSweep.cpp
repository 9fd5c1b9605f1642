//===- SparseSweep.cpp - zeros and levels in one sweep ----------------------------===//
//
// Frantar and Alistarh, SparseGPT, arXiv:2301.00774, in the form of GPTQ.cpp: from the last column of the factor to the first,
// a weight becomes 0 or a level, and those that are free take over the error of the layer's output. A unit is one column, or
// 4 neighbouring ones of a tap, of one output channel; that it becomes zero costs the terms of E that its columns have then,
// less those that they have as levels. For one column this is the paper's w^2 / [H^-1](j, j).
//
// Used for what becomes zero: the columns that come first cannot take over what the last ones lose, so the codes are found
// anew behind it (ReconstructWeights.cpp). Which units become zero is chosen for a window of columns over all output channels, when the sweep comes to it;
// all windows have the same share of zeros. A ranking over all columns would make zero what comes first, while there is much that could still take over,
// and leave nothing of it to those that are to.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Parallel.h"
#include <cmath>

using namespace mlir::halftone;

static constexpr int64_t kWindow = 32, kRowsOfTask = 16;

namespace {

/// The rows of one group of a layer while they are swept.
class Sweep {
public:
  Sweep(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian, const WeightGrid *grid, int64_t unit)
      : weights(weights), first(first), hessian(hessian), grid(grid), unit(unit), dimension(hessian.order.size()),
        rows(weights.size() / dimension), feedback(weights.size(), 0.0) {}

  /// What it costs that each unit of the columns [begin, end) becomes zero, by row.
  std::vector<double> scores(int64_t begin, int64_t end) const;
  /// Fixes the columns: 0 where `zero` says it of a unit, else levels.
  void fix(int64_t begin, int64_t end, llvm::ArrayRef<uint8_t> zero);

  int64_t unitsOf(int64_t begin, int64_t end) const { return (end - begin) / unit; }

private:
  double cost(int64_t row, int64_t begin, bool zero) const;
  void fixUnit(int64_t row, int64_t begin, bool zero);
  /// What a weight becomes if it is kept; without a grid the real number that leaves no error.
  float keep(int64_t row, int64_t column, double wanted) const {
    return grid ? grid->nearest(first + row, column, static_cast<float>(wanted)) : static_cast<float>(wanted);
  }
  const double *factorRow(int64_t k) const { return hessian.factor.data() + k * (k + 1) / 2; }
  void forEachRow(llvm::function_ref<void(int64_t)> visit) const {
    llvm::parallelFor(0, (rows + kRowsOfTask - 1) / kRowsOfTask, [&](size_t task) {
      const int64_t begin = task * kRowsOfTask;
      for (int64_t row = begin; row < std::min(begin + kRowsOfTask, rows); ++row)
        visit(row);
    });
  }

  llvm::MutableArrayRef<float> weights;
  int64_t first;
  const CholeskyFactor &hessian;
  const WeightGrid *grid;
  int64_t unit, dimension, rows;
  std::vector<double> feedback; ///< sums of L(k, j) e(k) so far
};

} // namespace

double Sweep::cost(int64_t row, int64_t begin, bool zero) const {
  double inside[4], sum = 0; // a unit has 4 columns at most
  std::copy_n(feedback.begin() + row * dimension + begin, unit, inside);
  for (int64_t k = begin + unit - 1; k >= begin; --k) {
    const double *factor = factorRow(k);
    const float weight = weights[row * dimension + hessian.order[k]];
    const double missing = inside[k - begin];
    const double error = (zero ? 0.0 : double(keep(row, hessian.order[k], weight - missing / factor[k]))) - weight;
    const double term = factor[k] * error + missing;
    sum += term * term;
    for (int64_t j = begin; j < k; ++j)
      inside[j - begin] += factor[j] * error;
  }
  return sum;
}

std::vector<double> Sweep::scores(int64_t begin, int64_t end) const {
  const int64_t units = unitsOf(begin, end);
  std::vector<double> scores(rows * units);
  forEachRow([&](int64_t row) {
    for (int64_t u = 0; u < units; ++u)
      scores[row * units + u] = cost(row, begin + u * unit, true) - cost(row, begin + u * unit, false);
  });
  return scores;
}

void Sweep::fixUnit(int64_t row, int64_t begin, bool zero) {
  double *errors = feedback.data() + row * dimension;
  for (int64_t k = begin + unit - 1; k >= begin; --k) {
    const double *factor = factorRow(k);
    float &weight = weights[row * dimension + hessian.order[k]];
    const float fixed = zero ? 0.0f : keep(row, hessian.order[k], weight - errors[k] / factor[k]);
    const double error = double(fixed) - weight;
    weight = fixed;
    if (error != 0)
      for (int64_t j = 0; j < k; ++j)
        errors[j] += factor[j] * error;
  }
}

void Sweep::fix(int64_t begin, int64_t end, llvm::ArrayRef<uint8_t> zero) {
  const int64_t units = unitsOf(begin, end);
  forEachRow([&](int64_t row) {
    for (int64_t u = units; u-- > 0;)
      fixUnit(row, begin + u * unit, zero[row * units + u]);
  });
}

/// Marks the units of the least scores; of equal ones the first.
static std::vector<uint8_t> markLeast(llvm::ArrayRef<double> scores, int64_t count) {
  std::vector<std::pair<double, int64_t>> order;
  for (auto [i, score] : llvm::enumerate(scores))
    order.emplace_back(score, i);
  std::nth_element(order.begin(), order.begin() + count, order.end());
  std::vector<uint8_t> marks(scores.size(), 0);
  for (int64_t i = 0; i < count; ++i)
    marks[order[i].second] = 1;
  return marks;
}

void mlir::halftone::sweepSparse(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian,
                                 const WeightGrid *grid, double share, int64_t unit) {
  const int64_t dimension = hessian.order.size(), rows = weights.size() / dimension;
  Sweep sweep(weights, first, hessian, grid, unit);
  int64_t before = 0; // units of the windows that are over
  for (int64_t end = dimension; end > 0; end = std::max<int64_t>(0, end - kWindow)) {
    const int64_t begin = std::max<int64_t>(0, end - kWindow), after = before + rows * sweep.unitsOf(begin, end);
    const int64_t zeros = std::llround(share * after) - std::llround(share * before);
    sweep.fix(begin, end, markLeast(sweep.scores(begin, end), zeros));
    before = after;
  }
}
