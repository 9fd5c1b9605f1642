//===- LimitedChoice.cpp - The best formats within limits -----------------===//
#include "LimitedChoice.h"
#include "halftone/Precision/Knapsack.h"

using namespace mlir::halftone;

int64_t mlir::halftone::sumOf(llvm::ArrayRef<LayerChoices> layers, const Assignment &assignment, Sum sum) {
  int64_t total = 0;
  for (auto [choices, format] : llvm::zip_equal(layers, assignment))
    for (const Choice &choice : choices)
      if (choice.format == format)
        total += choice.of(sum);
  return total;
}

/// Takes the weights out of limits that even the heaviest choices keep: without, they keep selections apart that are alike.
static void dropIdleLimits(std::vector<KnapsackItem> &items, const KnapsackWeights &limits) {
  for (int limit = 0; limit < kKnapsackLimits; ++limit) {
    int64_t most = 0;
    for (const KnapsackItem &item : items) {
      int64_t heaviest = 0;
      for (const KnapsackChoice &choice : item)
        heaviest = std::max(heaviest, choice.weights[limit]);
      most += heaviest;
    }
    if (most > limits[limit])
      continue;
    for (KnapsackItem &item : items)
      for (KnapsackChoice &choice : item)
        choice.weights[limit] = 0;
  }
}

std::optional<Assignment> mlir::halftone::choose(llvm::ArrayRef<LayerChoices> layers, const Limits &limits, Sum least) {
  Sum others[2];
  int count = 0;
  for (Sum sum : {Sum::Bytes, Sum::Time, Sum::Loss})
    if (sum != least)
      others[count++] = sum;
  // Weights are not negative: every item's least is taken off all its choices.
  std::vector<KnapsackItem> items;
  KnapsackWeights left = {limits[others[0]], limits[others[1]]};
  for (const LayerChoices &choices : layers) {
    KnapsackItem item;
    for (const Choice &choice : choices)
      item.push_back({choice.of(least), {choice.of(others[0]), choice.of(others[1])}});
    for (int limit = 0; limit < kKnapsackLimits; ++limit) {
      int64_t lowest = item.front().weights[limit];
      for (const KnapsackChoice &choice : item)
        lowest = std::min(lowest, choice.weights[limit]);
      for (KnapsackChoice &choice : item)
        choice.weights[limit] -= lowest;
      left[limit] -= lowest;
    }
    items.push_back(std::move(item));
  }
  dropIdleLimits(items, left);
  std::optional<KnapsackAnswer> answer = solveKnapsack(items, left);
  if (!answer || answer->value > limits[least])
    return std::nullopt;
  Assignment assignment;
  for (auto [choices, choice] : llvm::zip_equal(layers, answer->choices))
    assignment.push_back(choices[choice].format);
  return assignment;
}
