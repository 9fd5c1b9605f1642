//===- LevelSet.h - the int8 values that a weight may have --------------------===//
//
// From the integer stage on every format is int8 weights with a scale for each output channel. A format only says which
// int8 values occur: that is a set of levels. The border between two levels is a multiple of 1/2, so the nearest level
// of any real is in a table of 512 half steps.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_LEVELSET_H
#define HALFTONE_QUANTIZATION_LEVELSET_H

#include "llvm/ADT/ArrayRef.h"
#include <array>
#include <cstdint>
#include <vector>

namespace mlir::halftone {

class LevelSet {
public:
  /// The integers of [-limit, limit], 1 <= limit <= 127.
  explicit LevelSet(int limit);
  /// Any values of [-127, 127], at least one; sorted here, equal ones count once.
  explicit LevelSet(llvm::ArrayRef<int8_t> values);

  llvm::ArrayRef<int8_t> levels() const { return sorted; }
  /// The largest magnitude of a level.
  int largest() const { return magnitude; }
  /// The limit of a uniform set, 0 for others.
  int uniformLimit() const { return limit; }

  /// The level nearest to `quotient`. A uniform set follows rule A1 (half to even, NaN gives the lowest); others take the
  /// upper level half-way, and their lowest for NaN.
  int nearest(float quotient) const {
    if (limit)
      return nearestInteger(quotient);
    float bin = quotient * 2 + kZeroBin;
    return !(bin >= 0) ? table[0] : bin >= kBins - 1 ? table[kBins - 1] : table[static_cast<int>(bin)];
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
  std::array<int8_t, kBins> table = {}; ///< The level of reals in [(i - 256) / 2, (i - 255) / 2).
};

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_LEVELSET_H
