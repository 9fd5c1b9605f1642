//===- LoadedModel.h - A compiled model in this process -------------------===//
//
// The runtime's C API with ownership, llvm::Error and the data library's
// tensors.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_LOADEDMODEL_H
#define HALFTONE_LIB_DRIVER_LOADEDMODEL_H

#include "halftone-c/Runtime.h"
#include "halftone/Data/Dataset.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace mlir::halftone {

class LoadedModel {
public:
  /// Loads a compiled model and makes one session. 0 threads: the runtime's
  /// default.
  static llvm::Expected<LoadedModel> load(llvm::StringRef path, int threads);

  /// The table; of a library for several sizes, that of the one that was taken,
  /// or of the first.
  const HalftoneModel &info() const { return *halftone_module_info(size); }
  /// The tables of all sizes; one if the library has no several.
  std::vector<const HalftoneModel *> sizes() const;
  /// Takes the size whose inputs have these shapes; of a library for one it is
  /// that.
  llvm::Error takeSize(llvm::ArrayRef<InputSpec> inputs);
  llvm::ArrayRef<HalftoneTensorInfo> inputs() const;
  llvm::ArrayRef<HalftoneTensorInfo> outputs() const;
  int threads() const { return halftone_module_threads(module.get()); }

  /// Runs once; `inputs` in the model's order, whole shapes. The outputs have
  /// been allocated by makeOutputs.
  llvm::Error run(llvm::ArrayRef<Tensor> inputs,
                  llvm::MutableArrayRef<Tensor> outputs);

  /// The same, and adds each layer's nanoseconds, and those of the whole run as
  /// the last of layers().size() + 1.
  llvm::Error runProfiled(llvm::ArrayRef<Tensor> inputs,
                          llvm::MutableArrayRef<Tensor> outputs,
                          llvm::MutableArrayRef<int64_t> nanoseconds);

  /// The artefact's list of layers; empty if it is older than such lists.
  std::vector<const HalftoneLayerInfo *> layers() const;

  /// One zeroed tensor for each output at that batch.
  std::vector<Tensor> makeOutputs(int64_t batch) const;

  /// Runs every sample along the leading axis of the inputs, whatever the
  /// model's batch is. Of several sizes one has been taken.
  llvm::Expected<std::vector<Tensor>> runSamples(llvm::ArrayRef<Tensor> inputs);

  /// The same for a whole data set, a bounded number of samples in memory, in
  /// the size of its inputs.
  llvm::Expected<std::vector<Tensor>> runDataset(const Dataset &data) {
    return runDataset(data, 0, data.size());
  }
  /// The same for the samples [begin, end).
  llvm::Expected<std::vector<Tensor>> runDataset(const Dataset &data,
                                                 int64_t begin, int64_t end);

private:
  struct Unload {
    void operator()(HalftoneModule *module) const {
      halftone_module_unload(module);
    }
    void operator()(HalftoneSession *session) const {
      halftone_session_destroy(session);
    }
  };

  llvm::Error createSession();

  std::unique_ptr<HalftoneModule, Unload> module;
  HalftoneModule *size = nullptr; ///< The module, or that of one of its sizes.
  std::unique_ptr<HalftoneSession, Unload> session;
};

/// Appends outputs of more samples along their leading axes.
void appendSamples(std::vector<Tensor> &all, std::vector<Tensor> more);

/// The shape of a model's tensor with -1 replaced by the batch.
Shape shapeAtBatch(const HalftoneTensorInfo &tensor, int64_t batch);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LOADEDMODEL_H
