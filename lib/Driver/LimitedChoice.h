//===- LimitedChoice.h - The best formats within limits -------------------===//
#ifndef HALFTONE_LIB_DRIVER_LIMITEDCHOICE_H
#define HALFTONE_LIB_DRIVER_LIMITEDCHOICE_H

#include "LayerChoices.h"
#include <array>

namespace mlir::halftone {

/// One for each sum.
struct Limits {
  static constexpr int64_t kUnlimited = int64_t(1) << 60;

  std::array<int64_t, 3> values = {kUnlimited, kUnlimited, kUnlimited};
  int64_t &operator[](Sum sum) { return values[int(sum)]; }
  int64_t operator[](Sum sum) const { return values[int(sum)]; }
  bool has(Sum sum) const { return (*this)[sum] < kUnlimited / 2; }
};

/// What is not among a layer's choices is not summed.
int64_t sumOf(llvm::ArrayRef<LayerChoices> layers, const Assignment &assignment, Sum sum);

/// The least of one sum with all within limits; nothing if there is no such
/// selection.
std::optional<Assignment> choose(llvm::ArrayRef<LayerChoices> layers, const Limits &limits, Sum least);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LIMITEDCHOICE_H
