//===- WeightRounding.h - scales and codes of constant weights --------------===//
//
// Nearest rounding is the quantize rule itself. Diffused rounding keeps, for each pair of an output and an input
// channel, the sum over the kernel's taps to half a step: neighbouring pixels are nearly equal, so the sum is what the
// picture's low frequencies meet, and what shifts the mean. The codes with the largest errors go to their other
// neighbour, as the dots of a halftone print go where the tone so far is lacking.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_WEIGHTROUNDING_H
#define HALFTONE_QUANTIZATION_WEIGHTROUNDING_H

#include "halftone/Quantization/Passes.h"

namespace mlir::halftone {

/// Where each element of a contraction's weights (row-major) belongs.
struct WeightChannels {
  explicit WeightChannels(Operation *contraction);

  std::vector<int32_t> output, input; ///< channel of each element, counted over all groups
  int64_t outputs = 1, inputs = 1;    ///< numbers of channels
};

struct RoundedWeights {
  std::vector<int8_t> codes;  ///< of each element
  std::vector<float> scales;  ///< of each output channel
};

struct WeightOptions {
  WeightScales scales = WeightScales::Largest;
  WeightRounding rounding = WeightRounding::Diffused;
  int bits = 8; ///< 2 to 8

  /// The largest code.
  int limit() const { return (1 << (bits - 1)) - 1; }
};

/// The scale of each output channel, for codes in [-limit, limit].
std::vector<float> findWeightScales(ArrayRef<float> values, const WeightChannels &channels, WeightScales method, int limit);

/// What halftone-reconstruct-weights chose for the contraction, or the rounding of the options.
RoundedWeights roundWeights(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels,
                            const WeightOptions &options);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_WEIGHTROUNDING_H
