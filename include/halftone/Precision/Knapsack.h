//===- Knapsack.h - one choice for every item under budgets -----------------===//
//
// The multiple-choice knapsack: of each item exactly one choice is taken, so that the sum of values is least and no sum
// of weights is above its limit. Precision selection has one item for each layer, one choice for each format, and
// bytes, nanoseconds and parts of the error as integers: sums are exact, and so is the answer.
//
// Solved by dynamic programming over the undominated partial sums (in the order of the items), pruned by the linear
// relaxation: H. Kellerer, U. Pferschy, D. Pisinger, Knapsack Problems, 2004, chapter 11. A partial sum is dropped only
// if another one is at least as good in everything, or if even the relaxation of the rest cannot beat a known answer;
// so the result is an optimum, not an approximation. Of equal answers the one found first is given: the same on every
// machine.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_PRECISION_KNAPSACK_H
#define HALFTONE_PRECISION_KNAPSACK_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace mlir::halftone {

/// Two limited sums; one that does not matter has weights of 0.
inline constexpr int kKnapsackLimits = 2;
using KnapsackWeights = std::array<int64_t, kKnapsackLimits>;

struct KnapsackChoice {
  int64_t value;           ///< Any sign; less is better.
  KnapsackWeights weights; ///< Not below 0.
};

/// The choices of one item, at least one.
using KnapsackItem = std::vector<KnapsackChoice>;

struct KnapsackAnswer {
  std::vector<unsigned> choices; ///< One for each item.
  int64_t value = 0;
  KnapsackWeights weights{};
};

/// The optimum; nothing if no selection meets the limits. Sums stay within 62 bits.
std::optional<KnapsackAnswer> solveKnapsack(llvm::ArrayRef<KnapsackItem> items, const KnapsackWeights &limits);

/// The least reachable sum of one weight, whatever the rest: what an infeasible budget's error names.
int64_t leastWeight(llvm::ArrayRef<KnapsackItem> items, int limit);

} // namespace mlir::halftone

#endif // HALFTONE_PRECISION_KNAPSACK_H
