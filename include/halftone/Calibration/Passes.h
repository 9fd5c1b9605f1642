//===- Passes.h - the calibration stage -------------------------------------===//
#ifndef HALFTONE_CALIBRATION_PASSES_H
#define HALFTONE_CALIBRATION_PASSES_H

#include "halftone/Calibration/Estimators.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::halftone {

/// The keys of the observed values, on an instrumented @main: an array of strings in the order of the rows.
inline constexpr llvm::StringLiteral kObservedAttr = "halftone.observed";

/// Names of the two arguments that an instrumented @main has at its end.
inline constexpr llvm::StringLiteral kCountsName = "halftone.counts";
inline constexpr llvm::StringLiteral kExtremaName = "halftone.extrema";

/// On contractions: the calibrated mean of each input channel, `array<f32: ...>`.
inline constexpr llvm::StringLiteral kChannelMeansAttr = "halftone.channel_means";

/// On contractions: the smallest and the largest element of each input channel and 0, `array<f32: ...>`.
inline constexpr llvm::StringLiteral kChannelLowsAttr = "halftone.channel_lows", kChannelHighsAttr = "halftone.channel_highs";

/// On contractions with these: how many elements of each input channel were observed, an i64.
inline constexpr llvm::StringLiteral kChannelPositionsAttr = "halftone.channel_positions";

/// On contractions, f64: the expected squared error of 8-bit codes of the calibrated range over the mean square of what is read, and over the error
/// of codes of each row's own range.
inline constexpr llvm::StringLiteral kRoundingNoiseAttr = "halftone.rounding_noise", kRowGainAttr = "halftone.row_gain";

/// With channels observed: the keys, the numbers of channels, and the name of the third argument, the sums.
inline constexpr llvm::StringLiteral kObservedChannelsAttr = "halftone.observed_channels";
inline constexpr llvm::StringLiteral kChannelWidthsAttr = "halftone.channel_widths";
inline constexpr llvm::StringLiteral kSumsName = "halftone.sums";

/// The estimators as the values of an option.
inline llvm::cl::ValuesClass estimatorValues() {
  auto value = [](const EstimatorName &entry) {
    return llvm::cl::OptionEnumValue{entry.name, static_cast<int>(entry.estimator), entry.description};
  };
  return std::apply([&](const auto &...entries) { return llvm::cl::values(value(entries)...); }, kEstimatorNames);
}

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "halftone/Calibration/Passes.h.inc"

} // namespace mlir::halftone

#endif // HALFTONE_CALIBRATION_PASSES_H
