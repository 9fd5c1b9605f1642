//===- ChooseActivations.cpp - calibrated ranges, or those of each row ------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Calibration/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CHOOSEACTIVATIONS
#include "halftone/Calibration/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The error over the mean square that is worth the search for ranges: 10^-3.8. Where values are normally distributed it is 10^-4.1.
static constexpr double kLeastNoise = 1.6e-4;

/// How many times less the error must be.
static double leastGain(Operation *contraction) { return isa<linalg::MatmulOp>(contraction) ? 2 : 3; }

namespace {
struct ChooseActivationsPass : halftone::impl::ChooseActivationsBase<ChooseActivationsPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    for (const ContractionInput &input : getContractionInputs(*entry)) {
      Operation *op = input.contraction;
      auto gain = dyn_cast_or_null<FloatAttr>(op->removeAttr(kRowGainAttr)), noise = dyn_cast_or_null<FloatAttr>(op->removeAttr(kRoundingNoiseAttr));
      if (!gain || !noise || isa<linalg::BatchMatmulOp>(op) || op->hasAttr(kPrecisionAttr))
        continue;
      if (gain.getValueAsDouble() < leastGain(op) || noise.getValueAsDouble() < kLeastNoise)
        continue;
      op->setAttr(kPrecisionAttr, StringAttr::get(&getContext(), kDynamicPrecision));
      for (StringRef name : {StringRef(kChannelLowsAttr), StringRef(kChannelHighsAttr), StringRef(kChannelPositionsAttr)})
        op->removeAttr(name);
      ++chosen;
    }
  }
};
} // namespace
