//===- Metric.h - How much worse than float a model is --------------------===//
#ifndef HALFTONE_LIB_DRIVER_METRIC_H
#define HALFTONE_LIB_DRIVER_METRIC_H

#include "LoadedModel.h"
#include "TemporaryFile.h"
#include <map>

namespace mlir::halftone {

enum class MetricKind {
  Automatic, ///< Top1 of a classifier; an error for other models.
  Top1,
  Sqnr,
  Cosine
};

/// Samples [begin, end) of some data.
struct SampleRange {
  const Dataset &data;
  int64_t begin, end;

  int64_t size() const { return end - begin; }
};

/// What float gave for samples.
struct FloatOutputs {
  const SampleRange &samples;
  llvm::ArrayRef<Tensor> outputs;
};

/// The drop of a model against float; 0 for float itself, less is better.
///
///   Top1     percent of the samples whose greatest output is another one
///   Sqnr     dB below 100 dB of signal to error, over all outputs
///   Cosine   1 - cosine
///   command  the number that the command prints for float, less the model's
class Metric {
public:
  /// `command` wins over the kind; it gets the path of a compiled model as its
  /// last argument and prints a number, more is better. In its environment are
  /// HALFTONE_OUTPUTS, an .npz of what the model gave for some samples of the
  /// data, HALFTONE_REFERENCE, one of what float gave, and HALFTONE_SAMPLES,
  /// which they are (BEGIN:END). Fails for a kind that the outputs do not have.
  /// `floats` are of all samples that drops are asked for.
  static llvm::Expected<Metric> make(MetricKind kind, llvm::StringRef command, llvm::StringRef floatModel,
                                     llvm::ArrayRef<FloatOutputs> floats);

  /// `outputs` are of the samples of `floats`, one of those that the metric was
  /// made with.
  llvm::Expected<double> drop(llvm::StringRef model, const FloatOutputs &floats, llvm::ArrayRef<Tensor> outputs) const;

  /// "points of disagreement with float's top-1", ...
  std::string unit() const;
  /// Whether losses are taken from the distribution over classes.
  bool isTop1() const { return command.empty() && kind == MetricKind::Top1; }
  /// Whether drops count from 0, so that they may be scaled.
  bool startsAtZero() const { return command.empty() && kind != MetricKind::Sqnr; }
  /// Whether each sample adds to the drop by how far it is from float.
  bool isContinuous() const { return command.empty() && kind != MetricKind::Top1; }
  /// The noise by signal, up to a factor, that a drop of a continuous metric is.
  double distance(double drop) const;

private:
  MetricKind kind = MetricKind::Top1;
  std::string command;
  struct FloatRun {
    TemporaryFile outputs;
    double value; ///< Of the command.
  };
  std::map<std::pair<int64_t, int64_t>, FloatRun> floatRuns; ///< By the samples' range; only of a command.
};

/// What a search adds up, layer by layer, on the outputs of the same samples:
/// the mean divergence KL(reference, outputs) of the classes' distributions for
/// top-1, else noise by signal.
double measureLoss(const Metric &metric, llvm::ArrayRef<Tensor> reference,
                   llvm::ArrayRef<Tensor> outputs);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_METRIC_H
