//===- CorrectBias.cpp - take the mean error of rounding out of the bias ----===//
//
// bias'[o] = bias[o] - sum over the weights of output channel o of (W' - W) * share * E[x of its input channel],
//
// share of the positions at which the weight's tap reads the input and no padding.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Calibration/Passes.h"
#include "halftone/Quantization/Biases.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_CORRECTBIAS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// What rounding adds to the mean of each output channel.
static std::vector<double> meanErrors(ArrayRef<float> weights, ArrayRef<float> shares, const WeightChannels &channels,
                                      const RoundedWeights &rounded, ArrayRef<float> means) {
  std::vector<double> errors(channels.outputs, 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    double error = rounded.codes[i] * double(rounded.scales[channels.output[i]]) - weights[i];
    errors[channels.output[i]] += error * shares[i] * means[channels.input[i]];
  }
  return errors;
}

/// Where a layer finds its ranges when it runs, rows differ, and their mean says less of a row: it makes up for the weights' error only where that is
/// large.
static bool isMeanWorth(Operation *contraction) {
  if (isInt8(contraction))
    return true;
  FailureOr<FormatOfWeights> format = isDynamic(contraction) ? getFormatOfWeights(contraction) : FailureOr<FormatOfWeights>();
  return succeeded(format) && format->format.bits < 8;
}

namespace {
struct CorrectBiasPass : halftone::impl::CorrectBiasBase<CorrectBiasPass> {
  using CorrectBiasBase::CorrectBiasBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    Sandwiches sandwiches(*entry);
    RoundingCache rounding({weightScales, weightRounding});
    for (const Sandwich &sandwich : sandwiches.all()) {
      auto means = dyn_cast_or_null<DenseF32ArrayAttr>(sandwich.anchor->removeAttr(kChannelMeansAttr));
      if (means && isMeanWorth(sandwich.anchor) && failed(correct(sandwich, means, rounding)))
        return signalPassFailure();
    }
  }

  LogicalResult correct(const Sandwich &sandwich, ArrayRef<float> means, RoundingCache &rounding) {
    WeightChannels channels(sandwich.anchor);
    OpOperand *bias = findBias(sandwich.anchor, channels.outputs);
    std::optional<std::vector<float>> weights = getConstantElements<float>(getWeightOperand(sandwich.anchor).get());
    bool finite = weights && llvm::all_of(*weights, [](float value) { return std::isfinite(value); });
    if (!bias || !finite || channels.inputs != static_cast<int64_t>(means.size()))
      return success(); // halftone-insert-casts says what is wrong with weights
    FailureOr<RoundedWeights> rounded = rounding.round(sandwich.anchor, *weights, channels);
    if (failed(rounded))
      return failure();
    attachWeights(sandwich.anchor, *rounded);
    std::vector<double> errors = meanErrors(*weights, findTapShares(sandwich.anchor), channels, *rounded, means);
    subtractFromBias(*bias, errors);
    ++corrected;
    return success();
  }
};
} // namespace
