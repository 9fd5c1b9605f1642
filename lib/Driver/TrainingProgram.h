//===- TrainingProgram.h - a step of training, compiled ---------------------===//
#ifndef HALFTONE_LIB_DRIVER_TRAININGPROGRAM_H
#define HALFTONE_LIB_DRIVER_TRAININGPROGRAM_H

#include "LoadedModel.h"
#include "TemporaryFile.h"
#include "halftone/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone {

/// A weight that is trained.
struct TrainedWeight {
  std::string name;
  Tensor value;
};

/// The leading dimension of the first input, or 0.
int64_t leadingDimension(ModuleOp module);

/// Makes `size` the leading dimension of all inputs, and of what is computed from them.
llvm::Error setBatch(ModuleOp module, int64_t size);

/// Writes the float weights beside their contractions, before they become codes.
llvm::Error keepWeights(ModuleOp module);

/// Makes the codes of weights floats with a quantization behind them; restoreWeights makes them codes again. With `floats` the
/// weights that keepWeights wrote down stay as they are.
llvm::Error exposeWeights(ModuleOp module, bool floats = false);

/// Makes the scales of quantization arguments; promoteWeights returns them with the weights.
llvm::Error promoteScales(ModuleOp module);

/// Makes the levels of codebooks arguments, likewise.
llvm::Error promoteLevels(ModuleOp module);

/// Makes the weights that match `only` arguments, and returns them.
llvm::Expected<std::vector<TrainedWeight>> promoteWeights(ModuleOp module, llvm::StringRef only);

/// Puts values back, in the same order, and makes the arguments constants again.
llvm::Error restoreWeights(ModuleOp module, llvm::ArrayRef<TrainedWeight> weights);

/// Takes the main function of `teacher` into the module, as @teacher.
llvm::Error adoptTeacher(ModuleOp module, ModuleOp teacher);

/// Returns from main and from its teacher the tensors by which they are compared besides the output: those whose names match
/// `only`, or chosen automatically if it is empty. Their number goes to stderr.
llvm::Error exposeBlocks(ModuleOp module, llvm::StringRef only);

/// A compiled program and its buffers: what it returns under the name of an input is that input of the next run.
class TrainingProgram {
public:
  /// Compiles a copy of the module, whose weights are arguments.
  static llvm::Expected<TrainingProgram> compile(ModuleOp module, const TrainingSettings &settings, bool backward,
                                                 int threads);

  /// The input of that name, or null.
  Tensor *input(llvm::StringRef name);
  /// The value of a result that is one float; nothing if there is none of that name.
  std::optional<float> scalar(llvm::StringRef name) const;
  /// Everything that one run hands to the next: the weights, then the optimizer's state.
  std::vector<Tensor *> state();

  llvm::Error run();

private:
  TrainingProgram(TemporaryFile file, LoadedModel model);

  TemporaryFile file;
  LoadedModel model;
  std::vector<Tensor> inputs, outputs;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TRAININGPROGRAM_H
