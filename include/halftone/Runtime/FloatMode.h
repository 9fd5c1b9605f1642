//===- FloatMode.h - The floating-point mode that models run in -----------===//
//
// Part of the Halftone project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Outputs have the same bits whatever a caller did to the mode of its thread
// (flush-to-zero from -ffast-math libraries, another rounding direction): runs
// and pool workers use round-to-nearest-even with denormals, and restore what
// they found.
//
//===----------------------------------------------------------------------===//

#ifndef HALFTONE_RUNTIME_FLOATMODE_H
#define HALFTONE_RUNTIME_FLOATMODE_H

#include <cstdint>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace mlir::halftone {

/// Sets the IEEE default mode for a scope of this thread.
class IeeeFloatMode {
#if defined(__x86_64__)
public:
  IeeeFloatMode() : saved(_mm_getcsr()) { _mm_setcsr(kDefault); }
  ~IeeeFloatMode() { _mm_setcsr(saved); }

private:
  /// MXCSR at reset: all exceptions masked, nearest, no FTZ, no DAZ.
  static constexpr unsigned kDefault = 0x1f80;
  unsigned saved;
#elif defined(__aarch64__)
public:
  IeeeFloatMode() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" : : "r"(uint64_t(0)));
  }
  ~IeeeFloatMode() { __asm__ volatile("msr fpcr, %0" : : "r"(saved)); }

private:
  uint64_t saved;
#endif

public:
  IeeeFloatMode(const IeeeFloatMode &) = delete;
  IeeeFloatMode &operator=(const IeeeFloatMode &) = delete;
};

} // namespace mlir::halftone

#endif // HALFTONE_RUNTIME_FLOATMODE_H
