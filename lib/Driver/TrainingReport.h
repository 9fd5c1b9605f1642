//===- TrainingReport.h - curves of a training run --------------------------===//
#ifndef HALFTONE_LIB_DRIVER_TRAININGREPORT_H
#define HALFTONE_LIB_DRIVER_TRAININGREPORT_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <vector>

namespace mlir::halftone {

/// One epoch. Accuracies are shares; there are none for --loss=mse, and no held-out figures without --held-out.
struct EpochRecord {
  float loss = 0, rate = 0, seconds = 0; ///< the rate is that of the first step
  std::optional<float> accuracy, heldOutLoss, heldOutAccuracy;
};

struct TrainingReport {
  std::string model, data, settings; ///< settings: what was asked for, as the command line says it
  std::vector<EpochRecord> epochs;
};

/// A page of curves (.html), or the figures (.json).
llvm::Error writeTrainingReport(const TrainingReport &report, llvm::StringRef path);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TRAININGREPORT_H
