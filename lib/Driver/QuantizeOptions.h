//===- QuantizeOptions.h - How a model becomes int8, from the command line ===//
#ifndef HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H
#define HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H

#include "Command.h"
#include "Stages.h"

namespace mlir::halftone {

/// --estimator, --percentile, --weights, --rounding, --weight-bits and
/// --float-ops, of build and quantize.
class QuantizeOptions {
public:
  explicit QuantizeOptions(CommandLine &line);

  /// The settings of the stages; the statistics and the target are not set.
  StageSettings settings() const;

  /// What is wrong with the values.
  llvm::Error check() const;

private:
  llvm::cl::opt<Estimator> estimator;
  llvm::cl::opt<double> percentile;
  llvm::cl::opt<WeightScales> weights;
  llvm::cl::opt<WeightRounding> rounding;
  llvm::cl::opt<int> weightBits;
  llvm::cl::list<std::string> floatOps;
};

/// --target-cpu, of build and compile.
class TargetOption : public llvm::cl::opt<std::string> {
public:
  explicit TargetOption(CommandLine &line);
};

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_QUANTIZEOPTIONS_H
