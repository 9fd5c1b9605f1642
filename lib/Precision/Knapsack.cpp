//===- Knapsack.cpp - one choice for every item under budgets ---------------===//
#include "halftone/Precision/Knapsack.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <map>

using namespace mlir::halftone;
using llvm::ArrayRef;

int64_t mlir::halftone::leastWeight(ArrayRef<KnapsackItem> items, int limit) {
  int64_t sum = 0;
  for (const KnapsackItem &item : items) {
    int64_t least = item.front().weights[limit];
    for (const KnapsackChoice &choice : item)
      least = std::min(least, choice.weights[limit]);
    sum += least;
  }
  return sum;
}

//===----------------------------------------------------------------------===//
// The relaxation
//===----------------------------------------------------------------------===//

namespace {
/// From one choice to the next one on an item's lower hull: value falls as weight grows.
struct Step {
  int64_t weight, value; // value < 0 < weight
  /// Steeper first, exactly.
  bool operator<(const Step &other) const {
    return __int128(value) * other.weight < __int128(other.value) * weight;
  }
};

/// The least value of some items over one weight, if choices could be mixed: a convex function, by its steps.
class Relaxation {
public:
  Relaxation(ArrayRef<KnapsackItem> items, int limit) {
    std::vector<Step> steps;
    for (const KnapsackItem &item : items)
      addHull(item, limit, steps);
    llvm::sort(steps);
    weights = {weight};
    values = {value};
    for (const Step &step : steps) {
      weights.push_back(weights.back() + step.weight);
      values.push_back(values.back() + step.value);
    }
  }

  /// A bound from below on the value with that much weight left; nothing if it is too little.
  std::optional<int64_t> bound(int64_t left) const {
    if (left < weights.front())
      return std::nullopt;
    size_t next = llvm::upper_bound(weights, left) - weights.begin();
    if (next == weights.size())
      return values.back();
    // The value falls by a part of the next step; rounded towards less, the bound holds.
    __int128 fall = __int128(values[next] - values[next - 1]) * (left - weights[next - 1]);
    int64_t span = weights[next] - weights[next - 1];
    return values[next - 1] + int64_t(fall / span) - (fall % span != 0);
  }

private:
  /// Adds the item's lightest choice to the start and the steps of its lower hull.
  void addHull(const KnapsackItem &item, int limit, std::vector<Step> &steps) {
    std::vector<std::pair<int64_t, int64_t>> points;
    for (const KnapsackChoice &choice : item)
      points.push_back({choice.weights[limit], choice.value});
    llvm::sort(points);
    std::vector<std::pair<int64_t, int64_t>> hull;
    for (auto point : points) {
      if (!hull.empty() && point.second >= hull.back().second)
        continue;
      while (hull.size() > 1 && !isConvex(hull[hull.size() - 2], hull.back(), point))
        hull.pop_back();
      hull.push_back(point);
    }
    weight += hull.front().first;
    value += hull.front().second;
    for (size_t i = 1; i < hull.size(); ++i)
      steps.push_back({hull[i].first - hull[i - 1].first, hull[i].second - hull[i - 1].second});
  }

  static bool isConvex(std::pair<int64_t, int64_t> a, std::pair<int64_t, int64_t> b, std::pair<int64_t, int64_t> c) {
    return Step{b.first - a.first, b.second - a.second} < Step{c.first - b.first, c.second - b.second};
  }

  int64_t weight = 0, value = 0;
  std::vector<int64_t> weights, values; ///< Sums before each step, and behind the last.
};
} // namespace

//===----------------------------------------------------------------------===//
// The search
//===----------------------------------------------------------------------===//

namespace {
/// A selection of the first items; `before` and `choice` lead back through all of them.
struct State {
  int64_t value;
  KnapsackWeights weights;
  uint32_t before;
  unsigned choice;
};

class Search {
public:
  Search(ArrayRef<KnapsackItem> items, const KnapsackWeights &limits) : items(items), limits(limits) {
    for (size_t i = 0; i <= items.size(); ++i)
      for (int limit = 0; limit < kKnapsackLimits; ++limit)
        rests[limit].emplace_back(items.drop_front(i), limit);
  }

  std::optional<KnapsackAnswer> run() {
    known = greedy();
    levels = {{State{0, {}, 0, 0}}};
    for (size_t i = 0; i < items.size(); ++i)
      levels.push_back(extend(levels[i], i));
    const State *best = nullptr;
    for (const State &state : levels.back())
      if (!best || state.value < best->value)
        best = &state;
    if (!best)
      return std::nullopt;
    return trace(*best);
  }

private:
  /// What the rest behind the first `count` items can reach at best; nothing if it cannot meet the limits.
  std::optional<int64_t> bound(const State &state, size_t count) const {
    int64_t best = std::numeric_limits<int64_t>::min();
    for (int limit = 0; limit < kKnapsackLimits; ++limit) {
      std::optional<int64_t> rest = rests[limit][count].bound(limits[limit] - state.weights[limit]);
      if (!rest)
        return std::nullopt;
      best = std::max(best, state.value + *rest);
    }
    return best;
  }

  static State add(const State &state, uint32_t index, const KnapsackItem &item, unsigned choice) {
    State next{state.value + item[choice].value, state.weights, index, choice};
    for (int limit = 0; limit < kKnapsackLimits; ++limit)
      next.weights[limit] += item[choice].weights[limit];
    return next;
  }

  /// The value of some selection within the limits: at each item the choice with the least bound.
  std::optional<int64_t> greedy() const {
    State state{0, {}, 0, 0};
    for (size_t i = 0; i < items.size(); ++i) {
      std::optional<std::pair<int64_t, State>> best;
      for (unsigned choice = 0; choice < items[i].size(); ++choice) {
        State next = add(state, 0, items[i], choice);
        std::optional<int64_t> value = bound(next, i + 1);
        if (value && (!best || *value < best->first))
          best = {*value, next};
      }
      if (!best)
        return std::nullopt;
      state = best->second;
    }
    return state.value;
  }

  std::vector<State> extend(const std::vector<State> &level, size_t i) const {
    std::vector<State> next;
    for (auto [index, state] : llvm::enumerate(level))
      for (unsigned choice = 0; choice < items[i].size(); ++choice) {
        State candidate = add(state, index, items[i], choice);
        std::optional<int64_t> value = bound(candidate, i + 1);
        if (value && (!known || *value <= *known))
          next.push_back(candidate);
      }
    return dropDominated(std::move(next));
  }

  /// Keeps what no other state equals or beats in both weights and the value. By the first weight, a state's rivals
  /// are those before it; of these the map keeps, by the second weight, the falling values.
  static std::vector<State> dropDominated(std::vector<State> states) {
    llvm::stable_sort(states, [](const State &a, const State &b) {
      return std::tie(a.weights, a.value) < std::tie(b.weights, b.value);
    });
    std::vector<State> kept;
    std::map<int64_t, int64_t> least; // second weight to value; strictly falling
    for (const State &state : states) {
      auto after = least.upper_bound(state.weights[1]);
      if (after != least.begin() && std::prev(after)->second <= state.value)
        continue;
      while (after != least.end() && after->second >= state.value)
        after = least.erase(after);
      least[state.weights[1]] = state.value;
      kept.push_back(state);
    }
    return kept;
  }

  KnapsackAnswer trace(const State &last) const {
    KnapsackAnswer answer{std::vector<unsigned>(items.size()), last.value, last.weights};
    const State *state = &last;
    for (size_t i = items.size(); i > 0; --i) {
      answer.choices[i - 1] = state->choice;
      state = &levels[i - 1][state->before];
    }
    return answer;
  }

  ArrayRef<KnapsackItem> items;
  KnapsackWeights limits;
  std::vector<Relaxation> rests[kKnapsackLimits]; ///< Of the items from each index on.
  std::optional<int64_t> known;                   ///< The value of a selection that meets the limits.
  std::vector<std::vector<State>> levels;
};
} // namespace

std::optional<KnapsackAnswer> mlir::halftone::solveKnapsack(ArrayRef<KnapsackItem> items,
                                                            const KnapsackWeights &limits) {
  return Search(items, limits).run();
}
