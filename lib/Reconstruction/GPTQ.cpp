//===- GPTQ.cpp - error feedback -------------------------------------------------===//
//
// Frantar et al., GPTQ, arXiv:2210.17323. With H = L L^T and e = q - w,
//
//   E = sum over j of (L(j, j) e(j) + sum over k > j of L(k, j) e(k))^2
//
// From the last weight to the first, each takes the level nearest to w(j) - sum over k > j of L(k, j) e(k) / L(j, j),
// which makes its own term least for the levels that are fixed. The paper updates the free weights with rows of a
// factor of the inverse; this is the same sequence without an inverse, in the reverse order. Weights that meet
// the largest inputs come first (the paper's code calls it act-order).
//
// Where the sweep enters a group, its multiplier or its table is chosen: the group is swept with each candidate, with the feedback
// inside of it, and the one with the least sum of the group's terms of E stays. The paper takes the scale from the largest
// of the updated weights.
//
// Not the paper's: of two weights that bound one another (LevelSet.h) the first one leaves the other half of what they exceed the bound by.
//
//===----------------------------------------------------------------------===//
#include "halftone/Reconstruction/Rounding.h"
#include <cmath>

using namespace mlir::halftone;

namespace {
/// The columns of one group, at [begin, end) of the factor's order, for one output channel.
struct GroupSweep {
  const CholeskyFactor &hessian;
  int64_t begin, end, output;
  llvm::ArrayRef<float> weights; ///< of the row
  llvm::ArrayRef<double> errors; ///< sums of L(k, j) e(k) so far

  /// The terms of E with this grid, or more than `limit` once they exceed it.
  double cost(const WeightGrid &grid, double limit) const {
    std::array<double, 256> inside; // a group has 256 elements at most
    std::copy(errors.begin() + begin, errors.begin() + end, inside.begin());
    double sum = 0;
    for (int64_t k = end - 1; k >= begin && sum <= limit; --k) {
      const double *factor = hessian.factor.data() + k * (k + 1) / 2;
      int64_t column = hessian.order[k];
      double feedback = inside[k - begin];
      float weight = weights[column];
      double error = double(grid.nearest(output, column, weight - feedback / factor[k])) - weight;
      double term = factor[k] * error + feedback;
      sum += term * term;
      for (int64_t j = begin; j < k; ++j)
        inside[j - begin] += factor[j] * error;
    }
    return sum;
  }
};
} // namespace

/// Tries all tables, or at most 17 multipliers from half to twice the present one.
static void choose(const GroupSweep &sweep, WeightGrid &grid) {
  int64_t group = sweep.hessian.order[sweep.begin] / grid.group;
  uint8_t &choice = grid.choices[sweep.output * grid.groups + group];
  const bool isTable = !grid.tables.empty();
  const int present = choice;
  const int low = isTable ? 0 : std::max(1, present / 2);
  const int high = isTable ? grid.tables.size() - 1 : std::min(127 / grid.levels.largest(), 2 * present);
  int step = std::max(1, (high - low) / 16), best = present;
  double least = sweep.cost(grid, INFINITY);
  for (int candidate = low; candidate <= high; candidate += step) {
    choice = candidate;
    double cost = sweep.cost(grid, least);
    if (cost < least) {
      least = cost;
      best = candidate;
    }
  }
  choice = best;
}

std::vector<double> mlir::halftone::roundGPTQ(llvm::MutableArrayRef<float> weights, int64_t first, const CholeskyFactor &hessian,
                                              WeightGrid &grid) {
  int64_t dimension = hessian.order.size(), rows = weights.size() / dimension, entered = dimension;
  std::vector<double> feedback(weights.size(), 0.0), sums(rows, 0.0);
  std::vector<bool> done(dimension, false); // columns
  for (int64_t k = dimension - 1; k >= 0; --k) {
    const double *factor = hessian.factor.data() + k * (k + 1) / 2;
    int64_t column = hessian.order[k];
    if (grid.group && k < entered) {
      while (entered > 0 && hessian.order[entered - 1] / grid.group == column / grid.group)
        --entered;
      for (int64_t row = 0; row < rows; ++row)
        choose({hessian, entered, k + 1, first + row, weights.slice(row * dimension, dimension),
                llvm::ArrayRef<double>(feedback).slice(row * dimension, dimension)},
               grid);
    }
    const int64_t neighbour = grid.levels.neighbour(column, dimension);
    for (int64_t row = 0; row < rows; ++row) {
      float &weight = weights[row * dimension + column];
      double *errors = feedback.data() + row * dimension;
      float wanted = weight - errors[k] / factor[k];
      if (neighbour != column)
        wanted = grid.besides(first + row, wanted, weights[row * dimension + neighbour], done[neighbour]);
      float level = grid.nearest(first + row, column, wanted);
      double error = double(level) - weight;
      weight = level;
      const double term = factor[k] * error + errors[k];
      sums[row] += term * term;
      if (error != 0)
        for (int64_t j = 0; j < k; ++j)
          errors[j] += factor[j] * error;
    }
    done[column] = true;
  }
  return sums;
}
