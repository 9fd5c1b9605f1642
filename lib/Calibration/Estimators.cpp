//===- Estimators.cpp - from counts to a range ------------------------------===//
//
// A prefix stands for the interval of f32 values that begin with it, cut to the exact minimum and maximum; inside of it
// the elements are taken as evenly spread. The squared error of rounding to a grid of step 1 over [a, b] is then
//
//   (F(b) - F(a)) / (b - a),   F(t) = n / 12 + d^3 / 3,   n = floor(t + 1/2),  d = t - n
//
// inside of the grid; beyond its ends n stays and d grows. The integral of the error n - t itself is -d^2 / 2.
//
//===----------------------------------------------------------------------===//
#include "halftone/Calibration/Estimators.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::halftone;

namespace {
/// Elements evenly spread over [low, high].
struct Interval {
  double low, high, count;
};
using Intervals = std::vector<Interval>;
} // namespace

static constexpr int kSteps = 255;

static float prefixValue(uint16_t prefix) { return llvm::bit_cast<float>(uint32_t(prefix) << 16); }

/// The finite elements as intervals in ascending order.
static Intervals toIntervals(const ValueStatistics &value) {
  Intervals intervals;
  for (auto [prefix, count] : value.counts) {
    bool negative = prefix & 0x8000;
    double near = prefixValue(prefix), far = llvm::bit_cast<float>(uint32_t(prefix) << 16 | 0xFFFF);
    if (!std::isfinite(near))
      continue;
    Interval interval{negative ? far : near, negative ? near : far, double(count)};
    interval.low = std::clamp<double>(interval.low, value.minimum, value.maximum);
    interval.high = std::clamp<double>(interval.high, value.minimum, value.maximum);
    intervals.push_back(interval);
  }
  std::sort(intervals.begin(), intervals.end(), [](const Interval &a, const Interval &b) { return a.low < b.low; });
  return intervals;
}

/// Intervals far below the step of any useful grid become one mass at zero: they cost time and change nothing.
static Intervals mergeSmall(const Intervals &intervals) {
  if (intervals.empty())
    return {};
  double threshold = std::max(-intervals.front().low, intervals.back().high) / 4096;
  Intervals merged;
  Interval zero{0, 0, 0};
  for (const Interval &interval : intervals) {
    if (std::max(std::abs(interval.low), std::abs(interval.high)) < threshold)
      zero.count += interval.count;
    else
      merged.push_back(interval);
  }
  merged.push_back(zero);
  return merged;
}

/// The integral of the squared rounding error from 0 to t on the grid {first, ..., last} of step 1.
static double errorIntegral(double t, double first, double last) {
  double inside = std::clamp(t, first, last), outside = t - inside;
  double nearest = std::floor(inside + 0.5), distance = inside - nearest;
  return nearest / 12 + (distance * distance * distance + outside * outside * outside) / 3;
}

static double squaredError(double t, double first, double last) {
  double error = t - std::clamp(std::floor(t + 0.5), first, last);
  return error * error;
}

/// The summed squared error with the grid of that step whose first code is `first` (an integer <= 0).
static double summedError(const Intervals &intervals, double step, double first) {
  double sum = 0, last = first + kSteps;
  for (const Interval &interval : intervals) {
    double low = interval.low / step, high = interval.high / step, width = high - low;
    // The difference of the integrals loses its digits for a narrow interval, where the middle is as good.
    double error = width < 1e-3 ? squaredError((low + high) / 2, first, last)
                                : (errorIntegral(high, first, last) - errorIntegral(low, first, last)) / width;
    sum += interval.count * error;
  }
  return sum * step * step;
}

static double summedError(const Intervals &intervals, RealRange range) {
  double step = (double(range.high) - range.low) / kSteps;
  return step > 0 ? summedError(intervals, step, std::round(range.low / step)) : 0;
}

RealRange mlir::halftone::estimateMinMax(const ValueStatistics &value) {
  Intervals intervals = toIntervals(value);
  if (intervals.empty())
    return {};
  return {float(std::min(0.0, intervals.front().low)), float(std::max(0.0, intervals.back().high))};
}

RealRange mlir::halftone::estimateMeanExtrema(const ValueStatistics &value, int64_t runs) {
  if (!runs)
    return estimateMinMax(value);
  auto mean = [&](int64_t sum) { return float(std::ldexp(double(sum) / double(runs), -kFractionBits)); };
  return {std::min(0.0f, mean(value.minima)), std::max(0.0f, mean(value.maxima))};
}

/// The value that `count` elements lie below.
static double quantile(const Intervals &intervals, double count) {
  for (const Interval &interval : intervals) {
    if (count <= interval.count)
      return interval.low + (interval.high - interval.low) * count / interval.count;
    count -= interval.count;
  }
  return intervals.back().high;
}

RealRange mlir::halftone::estimatePercentile(const ValueStatistics &value, double percentile) {
  Intervals intervals = toIntervals(value);
  if (intervals.empty())
    return {};
  double total = 0;
  for (const Interval &interval : intervals)
    total += interval.count;
  double low = quantile(intervals, total * (1 - percentile / 100));
  double high = quantile(intervals, total * percentile / 100);
  return {float(std::min(0.0, low)), float(std::max(0.0, high))};
}

/// The factor in [least, 1] that minimizes cost(factor): a scan, then two refinements around the best.
template <typename Cost>
static double minimizeFactor(Cost cost, double least) {
  double from = least, to = 1, best = 1, bestCost = cost(1.0);
  for (int round = 0; round < 3; ++round) {
    constexpr int candidates = 24;
    double spacing = (to - from) / candidates;
    for (int i = 0; i < candidates; ++i) {
      double factor = from + spacing * i, candidate = cost(factor);
      if (candidate < bestCost) {
        bestCost = candidate;
        best = factor;
      }
    }
    from = std::max(least, best - spacing);
    to = std::min(1.0, best + spacing);
  }
  return best;
}

/// The summed error with the grid of that step whose first code is `first`: clipping moves the mean.
static double summedShift(const Intervals &intervals, double step, double first) {
  double sum = 0, last = first + kSteps;
  auto distance = [&](double t) { return t - std::clamp(std::floor(t + 0.5), first, last); };
  for (const Interval &interval : intervals) {
    double low = interval.low / step, high = interval.high / step, width = high - low;
    double error = width < 1e-3 ? -distance((low + high) / 2)
                                : (distance(low) * distance(low) - distance(high) * distance(high)) / (2 * width);
    sum += interval.count * error;
  }
  return sum * step;
}

/// The squared error of sums of elements: what the mean of the errors adds counts `weight` times.
static double readError(const Intervals &intervals, RealRange range, double weight) {
  double step = (double(range.high) - range.low) / kSteps, error = summedError(intervals, range), total = 0;
  if (weight == 1 || !(step > 0))
    return error;
  for (const Interval &interval : intervals)
    total += interval.count;
  double shift = summedShift(intervals, step, std::round(range.low / step));
  return error + (weight - 1) * shift * shift / total;
}

RealRange mlir::halftone::estimateMeanSquaredError(const ValueStatistics &value, double weight) {
  RealRange full = estimateMinMax(value), best = full;
  Intervals intervals = mergeSmall(toIntervals(value));
  if (!(full.high - full.low > 0))
    return full;
  // The ends are searched in turn; a distribution of one sign has one end only.
  constexpr double least = 0.05;
  bool twoSided = full.low < 0 && full.high > 0;
  auto cost = [&](double low, double high) { return readError(intervals, {float(low), float(high)}, weight); };
  for (int round = 0; round < (twoSided ? 2 : 1); ++round) {
    if (full.high > 0)
      best.high = full.high * minimizeFactor([&](double f) { return cost(best.low, full.high * f); }, least);
    if (full.low < 0)
      best.low = full.low * minimizeFactor([&](double f) { return cost(full.low * f, best.high); }, least);
  }
  return best;
}

/// The counts in bins of equal width; the elements of an interval are spread over the bins that it meets.
static std::vector<double> toHistogram(const Intervals &intervals, RealRange range, int bins) {
  std::vector<double> histogram(bins);
  double width = (double(range.high) - range.low) / bins;
  auto binOf = [&](double x) { return std::clamp(int((x - range.low) / width), 0, bins - 1); };
  for (const Interval &interval : intervals) {
    int first = binOf(interval.low), last = binOf(interval.high);
    for (int bin = first; bin <= last; ++bin) {
      double low = std::max(interval.low, range.low + bin * width), high = std::min(interval.high, range.low + (bin + 1) * width);
      double share = interval.high > interval.low ? std::max(0.0, high - low) / (interval.high - interval.low) : 1;
      histogram[bin] += interval.count * share;
    }
  }
  return histogram;
}

/// The divergence of the bins [first, last), the others cut to the ends, from what 256 levels tell of them.
static double divergence(llvm::ArrayRef<double> histogram, int first, int last) {
  std::vector<double> real(histogram.begin() + first, histogram.begin() + last);
  std::vector<double> kept = real;
  for (int bin = 0; bin < first; ++bin)
    real.front() += histogram[bin];
  for (int bin = last; bin < int(histogram.size()); ++bin)
    real.back() += histogram[bin];
  int bins = last - first;
  double all = 0, told = 0, sum = 0;
  std::vector<double> quantized(bins);
  for (int level = 0; level <= kSteps; ++level) {
    int from = int64_t(level) * bins / (kSteps + 1), to = int64_t(level + 1) * bins / (kSteps + 1);
    double count = 0, filled = 0;
    for (int bin = from; bin < to; ++bin) {
      count += kept[bin];
      filled += real[bin] > 0;
    }
    for (int bin = from; bin < to; ++bin)
      quantized[bin] = real[bin] > 0 ? count / filled : 0;
  }
  for (int bin = 0; bin < bins; ++bin) {
    all += real[bin];
    told += quantized[bin];
  }
  if (!(told > 0))
    return std::numeric_limits<double>::infinity();
  for (int bin = 0; bin < bins; ++bin)
    if (real[bin] > 0)
      sum += real[bin] / all * std::log(real[bin] / all / std::max(quantized[bin] / told, 1e-12));
  return sum;
}

RealRange mlir::halftone::estimateEntropy(const ValueStatistics &value) {
  RealRange full = estimateMinMax(value);
  Intervals intervals = toIntervals(value);
  llvm::erase_if(intervals, [](const Interval &interval) { return interval.low == 0 && interval.high < 1e-38; });
  if (!(full.high - full.low > 0))
    return full;
  constexpr int bins = 2048, least = 256;
  std::vector<double> histogram = toHistogram(intervals, full, bins);
  double zero = -double(full.low) / (double(full.high) - full.low) * bins, best = std::numeric_limits<double>::infinity();
  RealRange range = full;
  for (int kept = bins; kept >= least; kept -= 8) {
    int first = int(zero * (1 - double(kept) / bins)), last = std::min(bins, first + kept);
    double candidate = divergence(histogram, first, last);
    if (candidate < best) {
      best = candidate;
      double factor = double(kept) / bins;
      range = {float(full.low * factor), float(full.high * factor)};
    }
  }
  return range;
}

RoundingError mlir::halftone::expectedError(const ValueStatistics &value, RealRange range) {
  Intervals intervals = toIntervals(value);
  double total = 0, step = (double(range.high) - range.low) / kSteps;
  for (const Interval &interval : intervals)
    total += interval.count;
  if (!(total > 0 && step > 0))
    return {};
  double first = std::round(range.low / step);
  return {summedShift(intervals, step, first) / total, summedError(intervals, step, first) / total};
}

double mlir::halftone::expectedSquaredError(const ValueStatistics &value, RealRange range) {
  return expectedError(value, range).square;
}

double mlir::halftone::meanSquare(const ValueStatistics &value) {
  double squares = 0, total = 0;
  for (const Interval &interval : toIntervals(value)) {
    // Elements are evenly spread in an interval.
    squares += interval.count * (interval.low * interval.low + interval.low * interval.high + interval.high * interval.high) / 3;
    total += interval.count;
  }
  return total > 0 ? squares / total : 0;
}
