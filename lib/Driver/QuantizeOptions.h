//===- QuantizeOptions.h - How a model becomes int8, from the command line ===//
#ifndef HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H
#define HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H

#include "Command.h"
#include "Stages.h"

namespace mlir::halftone {

/// --estimator, --percentile, --smooth, --weights, --granularity, --recipe,
/// --weight-scales, --rounding, --hessians, --sequential, --activations and --float-ops, of build and
/// quantize.
class QuantizeOptions {
public:
  explicit QuantizeOptions(CommandLine &line);

  /// The settings of the stages; the statistics and the target are not set.
  StageSettings settings() const;

  /// Whether activations need ranges, so samples or statistics.
  bool needsCalibration() const { return activations == Activations::Automatic || activations == Activations::Int8; }

  /// Whether any of them is given.
  bool isGiven() const;

  /// Whether --smooth is.
  bool isSmoothGiven() const { return smooth.getNumOccurrences() > 0; }

  /// The format of all weights.
  StringRef weightFormat() const { return weights.getValue(); }

  /// What is wrong with the values, beside a selection among formats if `selects`,
  /// of which some prune with `formatsPrune`.
  llvm::Error check(bool selects = false, bool formatsPrune = false) const;

  /// Fails for options of a stage that the module is behind already.
  llvm::Error checkStage(ModuleOp module) const;

private:
  llvm::cl::opt<Estimator> estimator;
  llvm::cl::opt<double> percentile;
  llvm::cl::opt<std::string> smooth, weights, granularity, recipe;
  llvm::cl::opt<WeightScales> weightScales;
  llvm::cl::opt<WeightRounding> rounding;
  llvm::cl::opt<std::string> hessians;
  llvm::cl::opt<bool> sequential;
  llvm::cl::opt<double> sparsity;
  llvm::cl::opt<std::string> pattern;
  llvm::cl::opt<Activations> activations;
  llvm::cl::list<std::string> floatOps;
};

/// --target-cpu, of build and compile.
class TargetOption : public llvm::cl::opt<std::string> {
public:
  explicit TargetOption(CommandLine &line);
};

/// --cost, of quantize, build and compile.
class CostOption : public llvm::cl::opt<std::string> {
public:
  explicit CostOption(CommandLine &line);
  /// Gives the module the table of the file, if one is given: it then travels
  /// with the stage files.
  llvm::Error attach(ModuleOp module) const;
};

/// --weight-storage, of build and compile.
class StorageOption : public llvm::cl::opt<StorageChoice> {
public:
  explicit StorageOption(CommandLine &line);
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H
