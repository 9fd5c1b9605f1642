//===- SmoothingError.h - what factors of channels do to errors -------------===//
#ifndef HALFTONE_QUANTIZATION_SMOOTHINGERROR_H
#define HALFTONE_QUANTIZATION_SMOOTHINGERROR_H

#include "halftone/Quantization/WeightRounding.h"

namespace mlir::halftone {

/// What is known of the channels of a value on the samples: extrema, 0 among them, and means, or nothing of those. Each channel is taken for
/// normally distributed, with a deviation of a sixth of what it spans.
struct ChannelMoments {
  std::vector<float> lows, highs, means;

  double mean(size_t channel) const { return means.empty() ? 0 : means[channel]; }
  double deviation(size_t channel) const { return (double(highs[channel]) - lows[channel]) / 6; }

  /// E[x[c]^2].
  std::vector<double> squares() const;

  /// The squared error that is expected of each channel, divided by its factor, in 8-bit codes of the range, in units of the channel itself:
  /// of rounding, and of what is cut off.
  std::vector<double> errors(ArrayRef<float> factors, std::pair<float, float> range) const;
};

/// How weights will be rounded: in steps of the largest of an output channel, or of each group of input channels, over `largest`.
struct WeightSteps {
  int largest = 127;
  int64_t group = 0; ///< input channels; 0: all
};

/// The squared error that is expected of what a contraction computes from a value with these squares and errors of its channels, relative to the
/// square that is expected of the result. The weights are rounded once they are multiplied by the factors.
double predictError(ArrayRef<float> weights, const WeightChannels &channels, ArrayRef<double> squares, ArrayRef<double> errors, ArrayRef<float> factors,
                    WeightSteps format = {});

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_SMOOTHINGERROR_H
