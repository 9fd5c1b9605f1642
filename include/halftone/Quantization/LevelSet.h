//===- LevelSet.h - the int8 values that a weight may have --------------------===//
//
// From the integer stage on every format is int8 weights with a scale for each output channel. A format only says which
// int8 values occur: that is a set of levels. The border between two levels is a multiple of 1/2, so the nearest level
// of any real is in a table of 512 half steps.
//
// A paired set also bounds the sum of two neighbours. x86 without dots of bytes multiplies two unsigned activations by two weights and adds the
// products in 16 bits, which hold 255 * 128: weights of which no two that meet there exceed 128 in sum take fewer instructions (DotKind::Narrow). Few
// pairs of a trained layer do, and what they exceed it by is less than what all weights lose where they are to be small one by one.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_LEVELSET_H
#define HALFTONE_QUANTIZATION_LEVELSET_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

namespace mlir::halftone {

class LevelSet {
public:
  /// The integers of [-limit, limit], 1 <= limit <= 127; if `isPaired`, the elements 2 i and 2 i + 1 of a row sum up to [-limit - 1, limit + 1].
  explicit LevelSet(int limit, bool isPaired = false);
  /// Any values of [-127, 127], at least one; sorted here, equal ones count once.
  explicit LevelSet(llvm::ArrayRef<int8_t> values);

  llvm::ArrayRef<int8_t> levels() const { return sorted; }
  /// The largest magnitude of a level.
  int largest() const { return magnitude; }
  /// The limit of a uniform set, 0 for others.
  int uniformLimit() const { return limit; }
  /// Whether two neighbours bound one another.
  bool isPaired() const { return paired; }
  /// The one that bounds a column of a row of `dimension`; itself if there is none.
  int64_t neighbour(int64_t column, int64_t dimension) const { return paired && (column ^ 1) < dimension ? column ^ 1 : column; }

  /// The level nearest to `quotient`. A uniform set follows rule A1 (half to even, NaN gives the lowest); others take the
  /// upper level half-way, and their lowest for NaN.
  int nearest(float quotient) const {
    if (limit)
      return nearestInteger(quotient);
    float bin = quotient * 2 + kZeroBin;
    return !(bin >= 0) ? table[0] : bin >= kBins - 1 ? table[kBins - 1] : table[static_cast<int>(bin)];
  }

  /// The most that two neighbours of one sign sum up to, for paired sets.
  int mostOfPair() const { return limit + 1; }

  /// For paired sets: `quotient` less what it and `other`, its neighbour, exceed the bound of their sum by, or half of that unless `other` is a level
  /// already.
  float withinPair(float quotient, float other, bool isLevel) const;

  /// For paired sets: levels near to two neighbours.
  std::pair<int, int> nearestPair(float first, float second) const {
    const int level = nearest(withinPair(first, second, false));
    return {level, nearest(withinPair(second, level, true))};
  }

  /// Calls `visit` with the place and the level of each of a row of reals on a scale.
  template <typename Visit>
  void forEachNearest(llvm::ArrayRef<float> row, float scale, Visit visit) const {
    const size_t pairs = paired ? row.size() / 2 : 0;
    for (size_t i = 0; i < 2 * pairs; i += 2) {
      const auto [first, second] = nearestPair(row[i] / scale, row[i + 1] / scale);
      visit(i, first);
      visit(i + 1, second);
    }
    for (size_t i = 2 * pairs; i < row.size(); ++i)
      visit(i, nearest(row[i] / scale));
  }

private:
  static constexpr int kBins = 512, kZeroBin = 256;

  int nearestInteger(float quotient) const {
    if (!(quotient >= -limit))
      return -limit;
    if (!(quotient <= limit))
      return limit;
    // Adding 1.5 * 2^23 leaves no bits behind the point: rounds half to even.
    constexpr float shift = 0x1.8p23f;
    return static_cast<int>((quotient + shift) - shift);
  }

  std::vector<int8_t> sorted;
  int limit = 0, magnitude = 0;
  bool paired = false;
  std::array<int8_t, kBins> table = {}; ///< The level of reals in [(i - 256) / 2, (i - 255) / 2).
};

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_LEVELSET_H
