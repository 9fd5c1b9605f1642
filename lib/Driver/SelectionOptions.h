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
};

/// --max-drop, --max-bytes, --max-latency, --objective, --formats, --metric,
/// --metric-command, --measurements and --save-choice, of build and quantize.
class SelectionOptions {
public:
  explicit SelectionOptions(CommandLine &line);

  /// Whether precision is to be selected, with everything checked that can be
  /// before long work.
  llvm::Expected<bool> isAsked() const;
  /// Whether some of --formats prune; isAsked has found them sound.
  bool prunes() const;

  /// Of `samples`, how many are for calibration and search; the rest is for
  /// verification.
  static llvm::Expected<int64_t> searchSamples(int64_t samples);

  /// Selects and prints what was chosen and measured; the settings that make
  /// the chosen model from `module`, at the stage calibration.
  llvm::Expected<ChosenSettings> select(ModuleOp module, StringRef data,
                                        const StageSettings &settings,
                                        StringRef target,
                                        StorageChoice storage) const;

  /// How the chosen model's weights are to be stored: a budget of bytes wants
  /// them packed unless the user says otherwise.
  StorageChoice storage(StorageChoice asked) const;

  /// What of other options a selection decides itself, and refuses.
  static llvm::Error refuseFormats(const StageSettings &settings);

private:
  llvm::Expected<SelectionRequest> request() const;
  llvm::Expected<std::vector<LayerFormat>> candidates() const;

  llvm::cl::opt<std::string> maxDrop, maxBytes, maxLatency;
  llvm::cl::opt<Objective> objective;
  llvm::cl::opt<MetricKind> metric;
  llvm::cl::opt<std::string> metricCommand, formats, measurements, saveChoice;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H
