//===- TrainSchedules.h - what comes in while weights are trained -----------===//
#ifndef HALFTONE_LIB_DRIVER_TRAINSCHEDULES_H
#define HALFTONE_LIB_DRIVER_TRAINSCHEDULES_H

#include "Command.h"
#include "GradualPruning.h"
#include "halftone/Training/CastSchedule.h"

namespace mlir::halftone {

/// --prune and its companions, --quantize-from-epoch and --bits-from, of train.
class ScheduleOptions {
public:
  explicit ScheduleOptions(CommandLine &line);

  /// What is wrong with the values, for so many epochs.
  llvm::Error check(int64_t epochs) const;

  bool prunes() const { return sparsity.getNumOccurrences() > 0; }
  /// Whether casts are not the same in all steps.
  bool changesCasts() const { return castsFrom > 0 || bitsFrom > 0; }
  /// Whether training begins with floats.
  bool startsInFloats() const { return castsFrom > 0; }

  /// Marks the layers of a model of the stage import.
  llvm::Error mark(ModuleOp module) const;

  /// The schedules of a module whose weights are arguments.
  llvm::Expected<GradualPruning> pruning(ModuleOp module, int64_t epochs, int64_t stepsPerEpoch) const;
  llvm::Expected<CastSchedule> casts(ModuleOp module, int64_t epochs, int64_t stepsPerEpoch) const;

  /// All values, for the identity of a run.
  std::string text() const;

private:
  llvm::cl::opt<double> sparsity, sparsityFrom;
  llvm::cl::opt<std::string> pruneEpochs;
  llvm::cl::opt<int64_t> every;
  llvm::cl::opt<std::string> pattern;
  llvm::cl::opt<PruningScope> scope;
  llvm::cl::list<std::string> exclude;
  llvm::cl::opt<bool> ends;
  llvm::cl::opt<double> castsFrom;
  llvm::cl::opt<int> bitsFrom;
  llvm::cl::opt<std::string> bitsEpochs;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TRAINSCHEDULES_H
