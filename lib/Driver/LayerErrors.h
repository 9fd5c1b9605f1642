//===- LayerErrors.h - How far each layer is from float -------------------===//
//
// Both models are instrumented with probes, compiled for this machine, and run
// on the same samples; a layer of one is compared with the layer of the same
// key of the other. Memory is bounded: sums, and a few samples.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_LAYERERRORS_H
#define HALFTONE_LIB_DRIVER_LAYERERRORS_H

#include "LoadedModel.h"
#include "TemporaryFile.h"
#include "mlir/IR/BuiltinOps.h"
#include <array>

namespace mlir::halftone {

/// What a probe reads.
struct Probe {
  std::string key;       ///< "<index>:<name>", of the entry form.
  std::string kind;      ///< "contraction", "softmax", ...
  std::string precision; ///< "int8" or "float".
  std::string reason;    ///< Why it stays float.
  double scale = 0;      ///< Of its codes; 0: it has none.
  int64_t zeroPoint = 0;

  /// The source's node name.
  llvm::StringRef name() const {
    return llvm::StringRef(key).split(':').second;
  }
};

/// The error of one layer's result, over all samples.
struct LayerError {
  static constexpr int kBins = 64; ///< Of four codes each.

  Probe probe; ///< Of the quantized model.
  double signal = 0, noise = 0, cross = 0, other = 0; ///< Sums of squares.
  int64_t elements = 0;
  int64_t clipped = 0; ///< Float values outside of what the codes reach.
  /// Counts of the float values and of what the codes stand for; empty counts
  /// if the layer has no codes.
  std::array<int64_t, kBins> before{}, after{};

  double sqnr() const;   ///< dB; infinite when equal.
  double cosine() const; ///< 1 when both are zero.
  double low() const { return probe.scale * (-128.5 - probe.zeroPoint); }
  double high() const { return probe.scale * (127.5 - probe.zeroPoint); }
  void add(llvm::ArrayRef<float> floats, llvm::ArrayRef<float> quantized);
};

/// An instrumented model that runs: its own outputs come first.
class ProbedModel {
public:
  /// From a module of a stage from import to quantization, which stays as it
  /// is.
  static llvm::Expected<ProbedModel> compile(ModuleOp module);

  llvm::ArrayRef<Probe> probes() const { return list; }
  llvm::Expected<std::vector<Tensor>> run(llvm::ArrayRef<Tensor> inputs) {
    return model.runSamples(inputs);
  }
  /// Samples that one run takes at least.
  int64_t batch() const;

private:
  ProbedModel(std::vector<Probe> list, TemporaryFile file, LoadedModel model)
      : list(std::move(list)), file(std::move(file)), model(std::move(model)) {}

  std::vector<Probe> list;
  TemporaryFile file;
  LoadedModel model;
};

/// The layers that both models have, in the order of the program; none for two
/// different models.
llvm::Expected<std::vector<LayerError>>
measureLayerErrors(ModuleOp floats, ModuleOp quantized, const Dataset &data);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LAYERERRORS_H
