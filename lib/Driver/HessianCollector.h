//===- HessianCollector.h - Hessians of a model from samples --------------===//
//
// The model is compiled to return what its int8 contractions read. Each input
// is rounded to the codes of its calibrated range, and X^T X of what each
// output position reads is summed in integers.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_HESSIANCOLLECTOR_H
#define HALFTONE_LIB_DRIVER_HESSIANCOLLECTOR_H

#include "Metric.h"
#include "Stages.h"
#include "TemporaryFile.h"
#include "halftone/Reconstruction/Hessians.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"

namespace mlir::halftone {

/// Data for the inputs of @main, of which the last samples are left alone.
struct LoadedSamples {
  static llvm::Expected<LoadedSamples> load(ModuleOp module, StringRef path, int64_t heldOut = 0);
  SampleRange range() const { return {*data, 0, used}; }

  std::unique_ptr<Dataset> data;
  int64_t used;
};

/// The error when nothing is left of the samples.
llvm::Error heldOutTooMany(int64_t heldOut, int64_t samples);

/// The Hessians of a module of the stage precision over samples; of at most
/// 128 of them, spread over the data. With a path they are kept: what the file
/// has is read, if it is there, and must be of these samples, this model and
/// these ranges; what it lacks is summed and added. It may have more layers.
llvm::Expected<Hessians> collectHessians(ModuleOp module,
                                         const SampleRange &samples,
                                         StringRef kept = "");

/// The least number of samples that `halftone.dims` allows a run; nothing if the batch is fixed.
std::optional<int64_t> leastBatch(func::FuncOp entry);

/// A copy whose runs take that number of samples; null where samples
/// are counted, mixed or cut. What is returned of such a program has a shape that is known.
OwningOpRef<ModuleOp> copyAtLeastBatch(ModuleOp module);

/// How many of the samples are summed.
int64_t countHessianSamples(const SampleRange &samples);

/// The inputs of one run from a sample on, for a model whose first input has
/// that shape; -1 is a symbolic batch.
llvm::Expected<std::vector<Tensor>> readRun(const SampleRange &samples, llvm::ArrayRef<int64_t> shape, int64_t sample, int64_t minBatch = 1);

/// Values to integers code - zero point, in place.
void roundToCodes(llvm::MutableArrayRef<float> values, quant::UniformQuantizedType type);

/// Hessians in a file: the one that they are kept in, or a temporary one.
struct HessianFile {
  /// `kept` has them already, or is empty.
  static llvm::Expected<HessianFile> of(const Hessians &hessians,
                                        StringRef kept);
  /// Those of the samples, which are not needed in memory any more.
  static llvm::Expected<HessianFile> collect(ModuleOp module, const SampleRange &samples,
                                             StringRef kept = "");

  std::string path;
  std::shared_ptr<TemporaryFile> temporary;
};

/// Whether Hessians are of use: to a rounding that needs them, or to a recipe
/// that prunes, which does without them by the weights alone.
llvm::Expected<bool> usesHessians(const StageSettings &settings);

/// The stages up to `last`, with Hessians where they are of use, or layer by
/// layer: those of the data, kept in the file that the settings name; or without data those of that
/// file.
llvm::Error advanceWithHessians(ModuleOp module, Stage last,
                                StageSettings settings, StringRef dataPath);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_HESSIANCOLLECTOR_H
