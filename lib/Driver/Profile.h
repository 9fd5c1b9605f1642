//===- Profile.h - Where a model's time goes ------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_PROFILE_H
#define HALFTONE_LIB_DRIVER_PROFILE_H

#include "Contestant.h"

namespace mlir::halftone {

/// Runs the model for that many rounds and prints its layers in the order of
/// running, then their sums by kind: time (the median over rounds), share of
/// the run, multiply-accumulates, part of the peak, bytes moved.
llvm::Error profileModel(Contestant &contestant, int rounds, bool json);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_PROFILE_H
