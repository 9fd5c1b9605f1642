//===- Units.cpp - weights that become zero together ------------------------===//
#include "halftone/Pruning/Units.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <numeric>

using namespace mlir::halftone;

PruningUnits::PruningUnits(int64_t rows, int64_t columns, int64_t channels, int64_t size) : rows(rows), columns(columns) {
  for (int64_t tap = 0; tap < columns; tap += channels)
    for (int64_t channel = 0; channel < channels; channel += size)
      units.push_back({tap + channel, std::min(size, channels - channel)});
}

std::vector<double> PruningUnits::score(llvm::ArrayRef<float> values,
                                        llvm::function_ref<double(int64_t, int64_t)> importance) const {
  std::vector<double> scores;
  scores.reserve(count());
  for (int64_t row = 0; row < rows; ++row)
    for (const PruningUnit &unit : units) {
      double sum = 0;
      for (int64_t j = unit.begin; j < unit.begin + unit.size; ++j)
        sum += double(values[row * columns + j]) * values[row * columns + j] * importance(row, j);
      scores.push_back(sum / unit.size);
    }
  return scores;
}

void PruningUnits::forEachWeight(int64_t unit, llvm::function_ref<void(int64_t)> clear) const {
  const PruningUnit &where = units[unit % units.size()];
  for (int64_t j = where.begin; j < where.begin + where.size; ++j)
    clear(unit / units.size() * columns + j);
}

void PruningUnits::clearLeast(llvm::MutableArrayRef<float> values, llvm::ArrayRef<double> scores, double share) const {
  const std::vector<int64_t> order = rankScores(scores);
  for (int64_t unit : llvm::ArrayRef<int64_t>(order).take_front(std::llround(share * count())))
    forEachWeight(unit, [&](int64_t i) { values[i] = 0; });
}

std::vector<int64_t> mlir::halftone::rankScores(llvm::ArrayRef<double> scores) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](int64_t a, int64_t b) { return std::make_pair(scores[a], a) < std::make_pair(scores[b], b); });
  return order;
}

std::vector<double> mlir::halftone::sharesOverall(llvm::ArrayRef<std::vector<double>> layers, double share) {
  std::vector<double> all;
  std::vector<size_t> owner;
  for (auto [i, scores] : llvm::enumerate(layers)) {
    double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
    for (double score : scores)
      all.push_back(sum > 0 ? score / sum : 0);
    owner.insert(owner.end(), scores.size(), i);
  }
  std::vector<double> shares(layers.size(), 0);
  const std::vector<int64_t> order = rankScores(all);
  for (int64_t unit : llvm::ArrayRef<int64_t>(order).take_front(std::llround(share * all.size())))
    shares[owner[unit]] += 1;
  for (auto [i, scores] : llvm::enumerate(layers))
    shares[i] /= scores.size();
  return shares;
}
