//===- VectorDots.cpp - the dots of AVX-VNNI, in plain C++ ------------------===//
//
// Products are added up exactly before they meet the sum, which then wraps or saturates once (Intel 64 manual, volume 2:
// vpdpbusds and vpdpwssds have no intermediate saturation).
//
//===----------------------------------------------------------------------===//
#include "VectorDots.h"
#include <algorithm>

using namespace mlir::halftone::emulator;

template <typename First, typename Second>
static void dot(int32_t *sums, const First *first, const Second *second, unsigned lanes, bool saturates) {
  constexpr unsigned depth = 4 / sizeof(First);
  for (unsigned lane = 0; lane < lanes; ++lane) {
    int64_t sum = sums[lane];
    for (unsigned i = 0; i < depth; ++i)
      sum += int64_t(first[lane * depth + i]) * second[lane * depth + i];
    if (saturates)
      sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
    sums[lane] = static_cast<int32_t>(static_cast<uint32_t>(sum));
  }
}

void mlir::halftone::emulator::byteDot(int32_t *sums, const uint8_t *first, const int8_t *second, unsigned lanes, bool saturates) {
  dot(sums, first, second, lanes, saturates);
}

void mlir::halftone::emulator::wordDot(int32_t *sums, const int16_t *first, const int16_t *second, unsigned lanes, bool saturates) {
  dot(sums, first, second, lanes, saturates);
}
