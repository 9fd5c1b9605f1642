//===- SelectionOptions.h - Budgets of a model, from the command line -----===//
#ifndef HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H
#define HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H

#include "Command.h"
#include "PrecisionSelection.h"

namespace mlir::halftone {

/// --max-drop, --max-bytes, --max-latency, --objective, --metric,
/// --metric-command and --save-choice, of build and quantize.
class SelectionOptions {
public:
  explicit SelectionOptions(CommandLine &line);

  /// Whether precision is to be selected, with everything checked that can be
  /// before long work.
  llvm::Expected<bool> isAsked() const;

  /// Of `samples`, how many are for calibration and search; the rest is for
  /// verification.
  static llvm::Expected<int64_t> searchSamples(int64_t samples);

  /// Selects and prints what was chosen and measured; the settings that make
  /// the chosen model from `module`, at the stage calibration.
  llvm::Expected<StageSettings> select(ModuleOp module, StringRef data,
                                       const StageSettings &settings,
                                       StringRef target) const;

private:
  llvm::Expected<SelectionRequest> request() const;

  llvm::cl::opt<std::string> maxDrop, maxBytes, maxLatency;
  llvm::cl::opt<Objective> objective;
  llvm::cl::opt<MetricKind> metric;
  llvm::cl::opt<std::string> metricCommand, saveChoice;
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_SELECTIONOPTIONS_H
