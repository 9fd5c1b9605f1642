//===- KnapsackTest.cpp - the solver against all selections -----------------===//
#include "halftone/Precision/Knapsack.h"
#include "gtest/gtest.h"
#include <random>

using namespace mlir::halftone;

/// The least value of all selections within the limits.
static std::optional<int64_t> tryAll(llvm::ArrayRef<KnapsackItem> items, KnapsackWeights left) {
  if (left[0] < 0 || left[1] < 0)
    return std::nullopt;
  if (items.empty())
    return 0;
  std::optional<int64_t> best;
  for (const KnapsackChoice &choice : items.front()) {
    auto rest = tryAll(items.drop_front(), {left[0] - choice.weights[0], left[1] - choice.weights[1]});
    if (rest && (!best || *rest + choice.value < *best))
      best = *rest + choice.value;
  }
  return best;
}

/// The answer is a selection: its sums are those of its choices, within the limits.
static void checkSums(llvm::ArrayRef<KnapsackItem> items, const KnapsackWeights &limits, const KnapsackAnswer &answer) {
  ASSERT_EQ(answer.choices.size(), items.size());
  int64_t value = 0;
  KnapsackWeights weights{};
  for (size_t i = 0; i < items.size(); ++i) {
    const KnapsackChoice &choice = items[i].at(answer.choices[i]);
    value += choice.value;
    for (int limit : {0, 1})
      weights[limit] += choice.weights[limit];
  }
  EXPECT_EQ(value, answer.value);
  EXPECT_EQ(weights, answer.weights);
  for (int limit : {0, 1})
    EXPECT_LE(weights[limit], limits[limit]);
}

/// Seeded items; a small range makes ties.
static std::vector<KnapsackItem> makeItems(std::mt19937 &random, int range, bool second) {
  auto below = [&](int n) { return int64_t(random() % n); };
  std::vector<KnapsackItem> items(1 + below(7));
  for (KnapsackItem &item : items)
    for (int64_t choice = 0, count = 1 + below(4); choice < count; ++choice)
      item.push_back({below(range) - range / 4, {below(range), second ? below(range) : 0}});
  return items;
}

TEST(Knapsack, EqualsBruteForce) {
  std::mt19937 random(1);
  int feasible = 0, infeasible = 0;
  for (int round = 0; round < 3000; ++round) {
    bool second = round % 2;
    int range = round % 3 ? 1000 : 6;
    std::vector<KnapsackItem> items = makeItems(random, range, second);
    KnapsackWeights limits;
    for (int64_t &limit : limits)
      limit = random() % (range * items.size() + 1);
    std::optional<int64_t> expected = tryAll(items, limits);
    std::optional<KnapsackAnswer> answer = solveKnapsack(items, limits);
    ASSERT_EQ(expected.has_value(), answer.has_value()) << "round " << round;
    ++(expected ? feasible : infeasible);
    if (!expected)
      continue;
    EXPECT_EQ(*expected, answer->value) << "round " << round;
    checkSums(items, limits, *answer);
  }
  EXPECT_GT(feasible, 500);
  EXPECT_GT(infeasible, 100);
}

/// A model's sizes: 100 layers, 6 formats, millions of bytes.
TEST(Knapsack, ManyLayers) {
  std::mt19937 random(2);
  std::vector<KnapsackItem> items(100);
  int64_t least = 0, most = 0;
  for (KnapsackItem &item : items) {
    int64_t weights = 1000 + random() % 1000000, noise = 1 + random() % 1000;
    for (int64_t bits : {2, 3, 4, 6, 8, 32})
      item.push_back({(noise << 24) >> (2 * std::min<int64_t>(bits, 8)), {weights * bits / 8, 0}});
    least += item.front().weights[0];
    most += item.back().weights[0];
  }
  for (int64_t percent : {0, 1, 5, 20, 60, 100}) {
    KnapsackWeights limits{least + (most - least) * percent / 100, 0};
    std::optional<KnapsackAnswer> answer = solveKnapsack(items, limits);
    ASSERT_TRUE(answer);
    checkSums(items, limits, *answer);
  }
  EXPECT_EQ(leastWeight(items, 0), least);
  EXPECT_FALSE(solveKnapsack(items, {least - 1, 0}));
}

/// Taking the better choice wherever it pays most is not enough: 6 and 6 beat 7 and 1 only together.
TEST(Knapsack, BeatsGreedy) {
  std::vector<KnapsackItem> items = {{{0, {0, 0}}, {-7, {6, 0}}}, {{0, {0, 0}}, {-6, {5, 0}}}, {{0, {0, 0}}, {-6, {5, 0}}}};
  std::optional<KnapsackAnswer> answer = solveKnapsack(items, {10, 0});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->value, -12);
  EXPECT_EQ(answer->choices, (std::vector<unsigned>{0, 1, 1}));
}
