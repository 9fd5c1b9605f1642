//===- Half.h - numbers in half precision -----------------------------------===//
#ifndef HALFTONE_SUPPORT_HALF_H
#define HALFTONE_SUPPORT_HALF_H

#include "llvm/ADT/bit.h"
#include <cstdint>

namespace mlir::halftone {

/// The f32 with the value of an IEEE half: its exponent is 112 too small where the bits stand in those of an f32.
inline float widenHalf(uint16_t half) {
  uint32_t rest = half & 0x7fffu, bits = rest << 13;
  float magnitude = rest < 0x7c00 ? llvm::bit_cast<float>(bits) * 0x1p112f : llvm::bit_cast<float>(bits | 0x7f800000u);
  return half & 0x8000u ? -magnitude : magnitude;
}

} // namespace mlir::halftone

#endif // HALFTONE_SUPPORT_HALF_H
