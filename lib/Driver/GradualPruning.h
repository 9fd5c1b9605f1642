//===- GradualPruning.h - weights become zero while they are trained --------===//
#ifndef HALFTONE_LIB_DRIVER_GRADUALPRUNING_H
#define HALFTONE_LIB_DRIVER_GRADUALPRUNING_H

#include "TrainingProgram.h"
#include "halftone/Pruning/Passes.h"
#include "halftone/Pruning/Schedule.h"
#include "halftone/Pruning/Units.h"

namespace mlir::halftone {

/// The layers of a program that are pruned by a schedule, with the weights that they have when a step begins: the result
/// depends on these and on the step alone, so that training resumes exactly.
class GradualPruning {
public:
  /// The trained arguments of @main with `halftone.pruning`.
  static llvm::Expected<GradualPruning> of(ModuleOp module, PruningSchedule schedule, PruningScope scope);

  /// Makes more weights zero, if that step is one to prune at.
  void apply(int64_t step, TrainingProgram &program) const;

  /// The share of the weights that are zero.
  double shareOfZeros(TrainingProgram &program) const;

private:
  struct Layer {
    std::string name; ///< of the argument
    PruningUnits units;
    std::vector<int64_t> places; ///< of each element in rows x columns
  };

  PruningSchedule schedule;
  PruningScope scope = PruningScope::Layer;
  std::vector<Layer> layers;
};

/// Marks the layers that are pruned while they are trained.
llvm::Error markForPruning(ModuleOp module, const PruneWeightsOptions &options);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_GRADUALPRUNING_H
