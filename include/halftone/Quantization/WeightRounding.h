//===- WeightRounding.h - scales and codes of constant weights --------------===//
//
// Nearest rounding is the quantize rule itself. Diffused rounding keeps, for each pair of an output and an input
// channel, the sum over the kernel's taps to half a step: neighbouring pixels are nearly equal, so the sum is what the
// picture's low frequencies meet, and what shifts the mean. The codes with the largest errors go to their other
// neighbour, as the dots of a halftone print go where the tone so far is lacking. Taps that read nothing but padding do not count (the
// outer ones of a kernel of 3 over one column): what they lack is never met, and a tap that made up for it would be wrong. It needs equal steps: weights
// with groups or without uniform levels are rounded to the nearest.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_QUANTIZATION_WEIGHTROUNDING_H
#define HALFTONE_QUANTIZATION_WEIGHTROUNDING_H

#include "halftone/Quantization/WeightGrid.h"
#include "halftone/Support/ConstantPool.h"
#include <map>
#include <tuple>

namespace mlir::halftone {

/// Where each element of a contraction's weights (row-major) belongs.
struct WeightChannels {
  explicit WeightChannels(Operation *contraction);

  std::vector<int32_t> output, input; ///< channel of each element, counted over all groups
  int64_t outputs = 1, inputs = 1;    ///< numbers of channels

  /// Elements of an output channel.
  int64_t dimension() const { return outputs ? output.size() / outputs : 0; }
  /// The place of each element when output channels are rows, their elements in the order that they have.
  std::vector<int64_t> places() const;
};

/// Of each element (row-major) the share of a contraction's positions at which its tap reads the input: at the others it reads zeros of the
/// padding. 1 for all where nothing is padded or sizes are not known.
std::vector<float> findTapShares(Operation *contraction);

struct RoundedWeights {
  std::vector<int8_t> codes; ///< of each element
  std::vector<float> scales; ///< of each output channel
  std::vector<int8_t> zeros = {}; ///< zero points of each output channel; empty: 0, as all but a source's own weights have
};

struct WeightOptions {
  WeightScales scales = WeightScales::Automatic;
  WeightRounding rounding = WeightRounding::Diffused;
};

/// What the contraction has as attributes, the codes of the source where the format holds them, or the rounding of the options in the format of the
/// contraction. The values are finite. A diagnostic if the format is not sound.
FailureOr<RoundedWeights> roundWeights(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels,
                                       const WeightOptions &options);

/// The codes of weights that are steps times `scales`, one for each output channel or one for all, but for the rounding of that product; nothing if they
/// are none. Channels whose steps do not fit s8 but have at most 256 of them from the least to the greatest have a zero point, the one nearest to 0.
std::optional<RoundedWeights> takeCodes(Operation *contraction, ArrayRef<float> values, ArrayRef<float> scales);

/// Rounds the weights of many contractions, equal ones once: layers that share weights and the steps of a recurrent network have the same, each in a
/// constant of its own, and differ in biases and ranges. The options are the same for all.
class RoundingCache {
public:
  explicit RoundingCache(const WeightOptions &options) : options(options) {}

  /// What roundWeights() gives.
  FailureOr<RoundedWeights> round(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels);

  /// How many roundings that took.
  int64_t computed() const { return numComputed; }

private:
  /// The constant, the attributes of the format, and the dimensions of the output and the input channels.
  using Key = std::tuple<const void *, const void *, const void *, std::vector<int64_t>, std::vector<int64_t>>;

  RoundedWeights compute(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels, const FormatOfWeights &format,
                         std::vector<float> leastScales);
  /// The codes of the source (Analysis/SourceScales.h), if the weights are still those and the format can hold them; else null.
  const RoundedWeights *findSource(Operation *contraction, ArrayRef<float> values, const FormatOfWeights &format);
  const void *constantOf(Operation *contraction);
  const RoundedWeights &roundOnce(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels, const FormatOfWeights &format);

  WeightOptions options;
  ConstantPool constants;
  int64_t numComputed = 0;
  std::map<Key, RoundedWeights> rounded; ///< without the scales that biases need
  std::map<Key, std::optional<RoundedWeights>> taken; ///< by the scales of the source in place of the format's first attribute
};

/// Lowers codes (row-major) of a contraction whose format bounds pairs where a pair exceeds its bound.
void boundPairs(Operation *contraction, const WeightFormat &format, MutableArrayRef<int8_t> codes);

/// Leaves codes and scales as attributes of the contraction.
void attachWeights(Operation *contraction, const RoundedWeights &rounded);

} // namespace mlir::halftone

#endif // HALFTONE_QUANTIZATION_WEIGHTROUNDING_H
