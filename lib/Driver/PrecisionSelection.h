//===- PrecisionSelection.h - A format for every layer, by measurement ----===//
//
// Costs: bytes, time and loss of each layer in each format (LayerChoices.h).
// Choice: an exact multiple-choice knapsack over integers (Knapsack.h).
// Verification: the chosen model is compiled, and its bytes, its time and its
// drop on samples that the search never saw are measured; while a budget does
// not hold, the search goes on with a tighter one.
// Single formats: losses add up only nearly, so the format throughout that keeps
// the budgets and should be best is verified, too.
// Layer by layer: with --sequential the model that is verified is rounded both
// ways, and the better one counts.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_PRECISIONSELECTION_H
#define HALFTONE_LIB_DRIVER_PRECISIONSELECTION_H

#include "Variants.h"

namespace mlir::halftone {

/// What is made as small as the budgets allow.
enum class Objective { Automatic, Size, Latency, Error };

/// A limit, absolute or as a part of a reference's value.
struct Budget {
  double value = 0;
  bool isPercent = false;
  double limit(double reference) const {
    return isPercent ? value / 100 * reference : value;
  }
};

struct SelectionRequest {
  std::optional<double> maxDrop;    ///< In the metric's unit.
  std::optional<Budget> maxBytes;   ///< Percent: of the float model.
  std::optional<Budget> maxLatency; ///< Microseconds; percent: of plain int8.
  Objective objective = Objective::Automatic;
  MetricKind metric = MetricKind::Automatic;
  std::string metricCommand;
  std::string measurements; ///< A file of losses; "" keeps none.
};

/// What is known of a model as a whole.
struct Measured {
  double drop = 0;         ///< On the samples kept for verification.
  int64_t constantBytes = 0;
  double microseconds = 0; ///< Interleaved with plain int8 and float.
  double loss = 0;         ///< Distance from float's outputs (measureLoss), on the samples of the drop.
};

struct Selection {
  Assignment assignment;
  Measured chosen, plainInt8, wholeFloat;
  bool isSequential = false;     ///< Rounded layer by layer.
  std::optional<Measured> other; ///< The same formats rounded the other way, with --sequential.
  std::optional<Measured> summed; ///< What the sums of losses chose, where one format throughout is nearer to float.
};

/// The search runs on `search`, the verification on `verify`.
llvm::Expected<Selection> selectPrecision(VariantCompiler &compiler,
                                          const SelectionRequest &request,
                                          const SampleRange &search,
                                          const SampleRange &verify);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_PRECISIONSELECTION_H
