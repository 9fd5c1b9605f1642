//===- Estimators.h - from counts to a range --------------------------------===//
#ifndef HALFTONE_CALIBRATION_ESTIMATORS_H
#define HALFTONE_CALIBRATION_ESTIMATORS_H

#include "halftone/Calibration/Statistics.h"
#include <array>

namespace mlir::halftone {

/// The range of real values that the codes shall cover; it includes 0.
struct RealRange {
  float low = 0, high = 0;
};

/// Automatic: by value, the one of the others whose range causes the least error at the value's consumers.
enum class Estimator { MinMax, MeanExtrema, Percentile, MeanSquaredError, Entropy, Automatic };

/// An estimator as options and recipes name it.
struct EstimatorName {
  Estimator estimator;
  llvm::StringLiteral name, description;
};
inline constexpr std::array<EstimatorName, 6> kEstimatorNames = {{
    {Estimator::MinMax, "minmax", "exact minimum and maximum"},
    {Estimator::MeanExtrema, "mean", "mean of the samples' minima and maxima"},
    {Estimator::Percentile, "percentile", "leave out rare values"},
    {Estimator::MeanSquaredError, "mse", "least squared error"},
    {Estimator::Entropy, "entropy", "least divergence of the distributions"},
    {Estimator::Automatic, "auto", "for each tensor the one with the least error where it is read"}}};

inline std::optional<Estimator> parseEstimator(llvm::StringRef name) {
  for (const EstimatorName &entry : kEstimatorNames)
    if (entry.name == name)
      return entry.estimator;
  return std::nullopt;
}

/// The exact finite minimum and maximum.
RealRange estimateMinMax(const ValueStatistics &value);

/// The means of the runs' minima and maxima (the exact ones if `runs` is 0).
RealRange estimateMeanExtrema(const ValueStatistics &value, int64_t runs);

/// Leaves out (100 - percentile) percent of the elements on each side; `percentile` in (50, 100].
RealRange estimatePercentile(const ValueStatistics &value, double percentile);

/// Minimizes the expected squared error of 8-bit asymmetric quantization over the counts. With a weight other than 1 it is that of
/// what reads the elements: the square of the errors' mean counts so many times.
RealRange estimateMeanSquaredError(const ValueStatistics &value, double weight = 1);

/// Minimizes the Kullback-Leibler divergence of the quantized from the real distribution, zeros left out: they are exact
/// in every range. S. Migacz, 8-bit inference with TensorRT, GTC 2017, with both ends cut by one factor.
RealRange estimateEntropy(const ValueStatistics &value);

/// What is expected of the difference between a rounded and a real element.
struct RoundingError {
  double mean = 0, square = 0;
};

/// With 8-bit codes of that range, clipping included.
RoundingError expectedError(const ValueStatistics &value, RealRange range);

/// The mean square of the finite elements; 0 if there are none.
double meanSquare(const ValueStatistics &value);

/// The expected squared error of 8-bit quantization with that range, clipping included.
double expectedSquaredError(const ValueStatistics &value, RealRange range);

} // namespace mlir::halftone

#endif // HALFTONE_CALIBRATION_ESTIMATORS_H
