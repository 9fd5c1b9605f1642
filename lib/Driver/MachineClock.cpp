//===- MachineClock.cpp - The frequency of this CPU, now ------------------===//
#include "MachineClock.h"
#include <algorithm>
#include <chrono>
#include <cstdint>

/// Cycles of one 64-bit multiplication whose operand is the last one's result.
#if defined(__x86_64__)
static constexpr double kMultiplyLatency = 3;
#else
static constexpr double kMultiplyLatency = 0;
#endif

double mlir::halftone::measureClock() {
  constexpr int64_t kSteps = 2'000'000;
  double best = 0;
  uint64_t value = 3;
  for (int attempt = 0; attempt < 10; ++attempt) {
    auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < kSteps; ++i) {
      value *= 0x9E3779B97F4A7C15u;
      asm volatile("" : "+r"(value)); // The compiler sees no chain to shorten.
    }
    std::chrono::duration<double> time =
        std::chrono::steady_clock::now() - start;
    best = std::max(best, kSteps * kMultiplyLatency / time.count());
  }
  return best;
}
