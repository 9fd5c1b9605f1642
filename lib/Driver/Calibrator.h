//===- Calibrator.h - Runs the samples through compiled observers ---------===//
//
// The module is instrumented, compiled for this machine into a temporary
// file, and run over the whole data set. Memory is bounded: the counters, one
// arena, and a few samples.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_CALIBRATOR_H
#define HALFTONE_LIB_DRIVER_CALIBRATOR_H

#include "TemporaryFile.h"
#include "halftone/Calibration/Statistics.h"
#include "halftone/Data/Dataset.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone {

/// How many of the samples, from the first, calibration may see.
using ShareOfSamples =
    llvm::function_ref<llvm::Expected<int64_t>(int64_t samples)>;

/// Where an interrupted calibration keeps what it has counted.
struct PartialCalibration {
  std::string path;    ///< Nothing is kept if it is empty.
  bool resume = false; ///< The file is there: go on behind its samples.
};

/// The statistics of a module of the stage import over all samples, or the
/// first of them. Loads the data, prints what it looks like and what seems
/// wrong with it, and runs the samples. The first Ctrl-C ends it with an error.
/// Going on gives the bytes of one whole run if model and data are the same.
llvm::Expected<Statistics> calibrate(ModuleOp module, StringRef dataPath,
                                     ShareOfSamples share = nullptr,
                                     const PartialCalibration &partial = {});

/// The same in a file, which the passes read.
llvm::Expected<TemporaryFile>
calibrateIntoFile(ModuleOp module, StringRef dataPath,
                  ShareOfSamples share = nullptr);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_CALIBRATOR_H
