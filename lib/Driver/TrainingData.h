//===- TrainingData.h - batches in a seeded order ---------------------------===//
#ifndef HALFTONE_LIB_DRIVER_TRAININGDATA_H
#define HALFTONE_LIB_DRIVER_TRAININGDATA_H

#include "DataOptions.h"
#include "halftone/Data/Tensor.h"

namespace mlir::halftone {

/// Samples with their labels or targets, some of them held out. The order of an epoch depends on the seed and on the
/// epoch's number only, so that training can go on anywhere.
class TrainingData {
public:
  /// Reads from `path`; `target` is the array of labels or targets, empty for none. The last `heldOut` samples of a
  /// permutation are not trained on.
  static llvm::Expected<TrainingData> open(llvm::StringRef path, const InputInterface &interface,
                                           llvm::StringRef target, int64_t heldOut, uint64_t seed);

  int64_t trained() const { return static_cast<int64_t>(kept.size()); }
  llvm::ArrayRef<int64_t> heldOut() const { return apart; }
  llvm::ArrayRef<InputSpec> inputs() const { return data->inputs(); }

  /// The samples to train on, as that epoch takes them.
  std::vector<int64_t> orderOf(int64_t epoch) const;

  /// Copies samples into the model's inputs, one tensor for each, and into the tensor of targets unless it is null.
  llvm::Error fill(llvm::ArrayRef<int64_t> samples, llvm::ArrayRef<Tensor *> into, Tensor *targets) const;

  /// Fails unless `tensor` can hold the targets of a batch.
  llvm::Error checkTarget(const Tensor &tensor) const;
  /// Whether the labels are classes, numbered from 0.
  llvm::Error checkClasses(int64_t classes) const;

private:
  llvm::Error readTarget(llvm::StringRef path, llvm::StringRef name);

  std::unique_ptr<Dataset> data;
  Tensor target;
  std::vector<int64_t> kept, apart;
  uint64_t seed = 0;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_TRAININGDATA_H
