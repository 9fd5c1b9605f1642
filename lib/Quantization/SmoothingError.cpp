//===- SmoothingError.cpp - what factors of channels do to errors -----------===//
//
// The weights w make y[o] = sum w[c, o] x[c]. If x is divided by s[c] and w multiplied by it, the weights of an output channel are rounded in steps of
// e[o] = max |w s| / L, which are e[o] / s[c] in units of w[c, o], L the largest code (127 in int8, 7 in int4); with groups the largest is that of each.
// With errors d[c] of the value, and those of weights evenly spread over a step, all independent of each other,
//
//   E[error^2] = sum over c, o of d[c]^2 w[c, o]^2 + E[x[c]^2] (e[o] / s[c])^2 / 12,     E[y^2] = sum over c, o of E[x[c]^2] w[c, o]^2.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/SmoothingError.h"
#include "halftone/Quantization/UniformTypes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

std::vector<double> ChannelMoments::squares() const {
  std::vector<double> squares;
  for (size_t c = 0; c < lows.size(); ++c)
    squares.push_back(mean(c) * mean(c) + deviation(c) * deviation(c));
  return squares;
}

/// E[max(x - bound, 0)^2] of a normal distribution.
static double squareAbove(double mean, double deviation, double bound) {
  if (!(deviation > 0))
    return mean > bound ? (mean - bound) * (mean - bound) : 0;
  const double z = (bound - mean) / deviation, density = std::exp(-z * z / 2) / std::sqrt(2 * M_PI), share = std::erfc(z / std::sqrt(2.0)) / 2;
  return deviation * deviation * std::max(0.0, (1 + z * z) * share - z * density);
}

std::vector<double> ChannelMoments::errors(ArrayRef<float> factors, std::pair<float, float> range) const {
  std::vector<double> errors;
  const double step = (double(range.second) - range.first) / 255;
  for (size_t c = 0; c < lows.size(); ++c) {
    const double low = double(range.first) * factors[c], high = double(range.second) * factors[c];
    double error = step * factors[c] * step * factors[c] / 12;
    if (highs[c] > high)
      error += squareAbove(mean(c), deviation(c), high);
    if (lows[c] < low)
      error += squareAbove(-mean(c), deviation(c), -low);
    errors.push_back(error);
  }
  return errors;
}

double mlir::halftone::predictError(ArrayRef<float> weights, const WeightChannels &channels, ArrayRef<double> squares, ArrayRef<double> errors,
                                    ArrayRef<float> factors, WeightSteps format) {
  const int64_t groups = format.group ? llvm::divideCeil(channels.inputs, format.group) : 1;
  std::vector<double> steps(channels.outputs * groups, 0); // of the weights
  auto stepOf = [&](size_t i) -> double & {
    return steps[channels.output[i] * groups + (format.group ? channels.input[i] / format.group : 0)];
  };
  for (auto [i, weight] : llvm::enumerate(weights)) {
    double &step = stepOf(i);
    step = std::max(step, std::abs(double(weight)) * factors[channels.input[i]] / format.largest);
  }
  double error = 0, signal = 0;
  for (auto [i, weight] : llvm::enumerate(weights)) {
    const int32_t c = channels.input[i];
    const double square = double(weight) * weight, step = stepOf(i) / factors[c];
    error += errors[c] * square + squares[c] * step * step / 12;
    signal += squares[c] * square;
  }
  return signal > 0 ? error / signal : 0;
}
