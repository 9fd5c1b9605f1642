//===- CastSchedule.h - quantization that comes in while weights are trained -===//
#ifndef HALFTONE_TRAINING_CASTSCHEDULE_H
#define HALFTONE_TRAINING_CASTSCHEDULE_H

#include <cstdint>

namespace mlir::halftone {

/// When casts begin to round, and how many bits weights have at a step: from `bitsFrom` down to `bitsTo`, in equal times from
/// one number to the next, the last from step `end` on.
struct CastSchedule {
  int64_t castsFrom = 0; ///< the first step with casts
  int bitsFrom = 1, bitsTo = 1;
  int64_t begin = 0, end = 0; ///< steps in which the bits fall

  bool isConstant() const { return castsFrom == 0 && bitsFrom == bitsTo; }

  bool casts(int64_t step) const { return step >= castsFrom; }

  int bits(int64_t step) const {
    if (step >= end)
      return bitsTo;
    if (step < begin)
      return bitsFrom;
    return bitsFrom - static_cast<int>((step - begin) * (bitsFrom - bitsTo) / (end - begin));
  }

  /// The largest code of weights with these bits.
  int limit(int64_t step) const { return (1 << (bits(step) - 1)) - 1; }
};

} // namespace mlir::halftone

#endif // HALFTONE_TRAINING_CASTSCHEDULE_H
