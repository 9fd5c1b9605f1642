//===- EqualizeLayers.cpp - cross-layer equalization -------------------------===//
//
// Nagel et al., Data-free quantization through weight equalization and bias correction, arXiv:1906.04721, section 4.1:
// channel c between two contractions, made by weights of range r1[c] and read by weights of range r2[c], is divided by
//
//   s[c] = sqrt(r1[c] / r2[c]),
//
// so that both ranges become sqrt(r1[c] r2[c]); repeated over all pairs until nothing moves. What differs: ranges are largest
// magnitudes, since weights are symmetric; a value that several contractions read is one pair with all of them; Relu6 stays, with a
// bound for each channel, where the paper makes it a Relu. High biases are not absorbed; instead no factor makes a bias larger than the
// largest of its layer, which would cost all channels' activations their resolution.
//
//===----------------------------------------------------------------------===//
#include "halftone/Quantization/ChannelLinks.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_EQUALIZELAYERS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// A chain of n layers needs a few times n sweeps; most models are done after ten.
static constexpr int kMostSweeps = 40;
static constexpr float kLeastChange = 1e-3f;

namespace {
/// What is known of a link beside its weights.
struct LinkState {
  std::vector<float> total; ///< The product of all factors so far.
  std::vector<float> least; ///< What it may not fall below: the bias as a share of the largest one.
};
} // namespace

static LinkState beginLink(const ChannelLink &link) {
  LinkState state{std::vector<float>(link.channels, 1), sumOfBiases(link)};
  float largest = 0;
  for (float bias : state.least)
    largest = std::max(largest, std::abs(bias));
  for (float &bias : state.least)
    bias = largest > 0 ? std::abs(bias) / largest : 0;
  return state;
}

/// The factors that equalize a link once; 1 for a channel that is not made or not read.
static std::vector<float> findFactors(const ChannelLink &link, const LinkState &state, WeightTable &weights) {
  std::vector<float> made = weights.largestByOutput(link.producer), read(link.channels, 0), factors(link.channels, 1);
  for (Operation *consumer : link.consumers)
    for (auto [largest, more] : llvm::zip_equal(read, weights.largestByInput(consumer)))
      largest = std::max(largest, more);
  for (int64_t c = 0; c < link.channels; ++c)
    if (float factor = std::sqrt(made[c] / read[c]); factor > 0 && std::isfinite(factor))
      factors[c] = std::max(factor, state.least[c] / state.total[c]);
  return factors;
}

namespace {
struct EqualizeLayersPass : halftone::impl::EqualizeLayersBase<EqualizeLayersPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(checkUncalibrated(*entry)))
      return signalPassFailure();
    auto hash = getOperation()->getAttrOfType<StringAttr>(kSourceHashAttr);
    if (hash && hash.getValue().ends_with(kEqualizedSuffix))
      return;
    equalize(findChannelLinks(*entry));
    if (hash)
      getOperation()->setAttr(kSourceHashAttr, StringAttr::get(&getContext(), hash.getValue() + kEqualizedSuffix));
  }

  /// Ranges would be those of other values.
  LogicalResult checkUncalibrated(func::FuncOp entry) {
    for (Operation &op : entry.getBody().front())
      if (op.hasAttr(kRangeAttr))
        return op.emitOpError("has a calibrated range: layers are equalized before calibration");
    return success();
  }

  void equalize(ArrayRef<ChannelLink> links) {
    WeightTable weights;
    std::vector<LinkState> states;
    for (const ChannelLink &link : links)
      states.push_back(beginLink(link));
    bool moves = true;
    for (int sweep = 0; sweep < kMostSweeps && moves; ++sweep) {
      moves = false;
      for (auto [link, state] : llvm::zip_equal(links, states)) {
        std::vector<float> factors = findFactors(link, state, weights);
        moves |= llvm::any_of(factors, [](float factor) { return std::abs(factor - 1) > kLeastChange; });
        weights.divideOutputs(link.producer, factors);
        for (Operation *consumer : link.consumers)
          weights.multiplyInputs(consumer, factors);
        for (auto [product, factor] : llvm::zip_equal(state.total, factors))
          product *= factor;
      }
    }
    for (auto [link, state] : llvm::zip_equal(links, states))
      divideConstants(link, state.total);
    weights.write();
    equalized += links.size();
  }
};
} // namespace
