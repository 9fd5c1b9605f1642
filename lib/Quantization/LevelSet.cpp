//===- LevelSet.cpp - the int8 values that a weight may have ------------------===//
#include "halftone/Quantization/LevelSet.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <cstdlib>

using namespace mlir::halftone;

LevelSet::LevelSet(int limit, bool isPaired) : limit(limit), magnitude(limit), paired(isPaired) {
  for (int level = -limit; level <= limit; ++level)
    sorted.push_back(level);
}

LevelSet::LevelSet(llvm::ArrayRef<int8_t> values) : sorted(values.vec()) {
  llvm::sort(sorted);
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  size_t at = 0;
  for (int bin = 0; bin < kBins; ++bin) {
    // Reals of the bin are at or above (bin - 256) / 2, which is compared with the border of the next level.
    while (at + 1 < sorted.size() && bin - kZeroBin >= sorted[at] + sorted[at + 1])
      ++at;
    table[bin] = sorted[at];
  }
  for (int8_t level : sorted)
    magnitude = std::max(magnitude, std::abs(int(level)));
}

float LevelSet::withinPair(float quotient, float other, bool isLevel) const {
  const float most = limit, sum = quotient + other, excess = std::abs(sum) - mostOfPair();
  if (!(excess > 0))
    return quotient;
  // What is clipped anyway takes no part of the excess.
  if (!isLevel && std::abs(other) - excess / 2 > most)
    return withinPair(quotient, std::copysign(most, other), /*isLevel=*/true);
  return quotient - std::copysign(isLevel ? excess : excess / 2, sum);
}
