//===- SelectionOptions.h - Budgets of a model, from the command line -----===//
#ifndef HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H
#define HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H

#include "Command.h"
#include "PrecisionSelection.h"

namespace mlir::halftone {

/// What a selection chose, as settings of the stages, with the files that these
/// name.
struct ChosenSettings {
  StageSettings stages;
  TemporaryFile recipe;
  HessianFile hessians; ///< For roundings that need them.
  std::string data;     ///< For --sequential and --refit, which sum their own; else empty.
};

/// --max-drop, --max-bytes, --max-latency, --objective, --formats, --metric,
/// --metric-command, --measurements, --save-choice, --held-out and --refit, of
/// build and quantize.
class SelectionOptions {
public:
  explicit SelectionOptions(CommandLine &line);

  /// Whether precision is to be selected, with everything checked that can be
  /// before long work.
  llvm::Expected<bool> isAsked() const;
  /// Whether some of --formats prune; isAsked has found them sound.
  bool prunes() const;

  /// Of `samples`, how many are for calibration, search and rounding: all but
  /// --held-out, or a third in a selection, which verifies on them.
  llvm::Expected<int64_t> seenSamples(int64_t samples) const;
  /// --held-out, or 0.
  int64_t heldOutSamples() const { return heldOut; }

  /// Selects and prints what was chosen and measured; the settings that make
  /// the chosen model from `module`, at the stage calibration.
  llvm::Expected<ChosenSettings> select(ModuleOp module, StringRef data,
                                        const StageSettings &settings,
                                        StringRef target,
                                        StorageChoice storage) const;

  /// How the chosen model's weights are to be stored: a budget of bytes wants
  /// them packed unless the user says otherwise.
  StorageChoice storage(StorageChoice asked) const;

private:
  /// Whether what was chosen is rounded by all samples.
  bool isRefitting() const;
  bool hasBudget() const { return !maxDrop.empty() || !maxBytes.empty() || !maxLatency.empty(); }
  llvm::Expected<SelectionRequest> request() const;
  /// What is chosen among; `hasNarrow`: the target has kernels for small weights.
  llvm::Expected<std::vector<LayerFormat>> candidates(bool hasNarrow = false) const;

  llvm::cl::opt<std::string> maxDrop, maxBytes, maxLatency;
  llvm::cl::opt<Objective> objective;
  llvm::cl::opt<MetricKind> metric;
  llvm::cl::opt<std::string> metricCommand, formats, measurements, saveChoice;
  llvm::cl::opt<int64_t> heldOut;
  llvm::cl::opt<llvm::cl::boolOrDefault> refit;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H
