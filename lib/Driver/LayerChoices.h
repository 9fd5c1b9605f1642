//===- LayerChoices.h - What each format costs each layer -----------------===//
//
// Bytes and times of a layer in a format are those that it has in the model
// that has the format throughout, compiled as the chosen one will be: bytes as
// they are stored, padding, scales and tables included; times from a profile on
// this machine.
// What is measured is how far the outputs move (Metric.h) when a layer alone
// gets a format, all others staying int8. Distances add up, as small errors of
// different layers are hardly correlated. The error against float itself would
// have each layer's error times those of all others in it, which is zero in the
// mean and on some samples more than the error of a fine format.
// But whatever changes in a layer, the layers behind it round otherwise: each
// distance has a part that is no loss, on EfficientNet-Lite0 ten times what the
// layer loses. Where float is a format, a second trial tells the parts apart: int8
// in this layer alone and float in all others, where nothing rounds behind it. Its
// distance d from float is what float gains. All of them float is float, so that
// gains add up to int8's own distance D from float: with s = D / sum of d (at most
// 1) the loss of float is -s d. What float's own distance is more than s d is the
// part that is no loss, of other formats, too: theirs are lessened by it, to 0 at
// least.
// A rounding by Hessians fits their samples, however few bits it has: its losses
// are measured on others.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_LIB_DRIVER_LAYERCHOICES_H
#define HALFTONE_LIB_DRIVER_LAYERCHOICES_H

#include "MeasuredLosses.h"
#include "Variants.h"

namespace mlir::halftone {

/// The three sums that a selection has.
enum class Sum { Bytes, Time, Loss };

/// A format that a layer may get.
struct Choice {
  int64_t of(Sum sum) const {
    return sum == Sum::Bytes ? costs.bytes : sum == Sum::Time ? costs.nanoseconds : costs.loss;
  }

  unsigned format;
  Costs costs;
};

/// Those of one layer.
using LayerChoices = std::vector<Choice>;

/// The least that a sum can be over all layers.
int64_t leastSum(llvm::ArrayRef<LayerChoices> layers, Sum sum);

/// Every format for every layer, without losses; what the file has is not
/// measured again. `plain` is int8 throughout, `floats` all float.
llvm::Expected<std::vector<LayerChoices>>
measureCosts(const VariantCompiler &compiler, const Variant &plain,
             const Variant &floats, MeasuredLosses &file);

/// Drops what cannot be chosen: fewer levels than int8's that take no fewer
/// bytes and, where time counts, no less time, and what no selection within
/// `bytes` has.
void dropHopeless(std::vector<LayerChoices> &layers, int64_t bytes, bool timeCounts,
                  llvm::ArrayRef<LayerFormat> formats);

/// What losses are measured on, and the samples of the Hessians of trials, which
/// are others.
struct LossReference {
  const Metric &metric;
  const SampleRange &samples, &fitted;
  llvm::ArrayRef<Tensor> plainOutputs, floatOutputs;
};

/// The file of measurements at `path`, which is to be of this model, these
/// samples and these settings.
llvm::Expected<MeasuredLosses> openMeasurements(const VariantCompiler &compiler,
                                                const LossReference &reference,
                                                llvm::StringRef path);

/// Fills in the losses, those that the file does not have by a trial each.
llvm::Error measureLosses(std::vector<LayerChoices> &layers,
                          VariantCompiler &compiler,
                          const LossReference &reference, MeasuredLosses &file);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LAYERCHOICES_H
