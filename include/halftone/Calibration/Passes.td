//===- Passes.td - the calibration stage -----------------------*- tablegen -*-===//
#ifndef HALFTONE_CALIBRATION_PASSES
#define HALFTONE_CALIBRATION_PASSES

include "mlir/Pass/PassBase.td"

def InsertObservers : Pass<"halftone-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Make @main count the values of its tensors";
  let description = [{
    Adds two arguments to the end of @main, `halftone.counts` (one row of 65,536 counters for each quantizable value)
    and `halftone.extrema` (minimum and maximum), and one `halftone.observe` behind each quantizable value: arguments,
    results of sandwiches (docs/Pipeline.md) and results of operations that stay alone. Values inside of a sandwich and
    values that are only moved (padding, reshapes, slices, transposes, max pools) are not observed. The attribute
    `halftone.observed` of @main lists the keys in the order of the rows. The instrumented module is for running only;
    the statistics go to `halftone-annotate-ranges` on the module without observers.

    With `channels`, loops behind what each contraction with constant weights reads add its values by channel, in fixed
    point, to a third argument `halftone.sums`, which bias correction needs; `halftone.observed_channels` lists their
    keys, `halftone.channel_widths` the numbers of channels. Behind the channels' sums stand the number of positions, the bits of
    each channel's largest element and largest negated element, and how many rows (of a matrix; images of a convolution) have which range.

    ```mlir
    func.func @main(%x: tensor<1x8xf32>) -> tensor<1x8xf32>
    // becomes
    func.func @main(%x: tensor<1x8xf32>, %counts: memref<2x65536xi64> {halftone.name = "halftone.counts"},
                    %extrema: memref<2x2xf32> {halftone.name = "halftone.extrema"}) -> tensor<1x8xf32>
        attributes {halftone.observed = ["0:x", "1:sum"]} {
      halftone.observe %x into %counts, %extrema {index = 0 : i64} : ...
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"channels", "channels", "bool", "false", "Observe the channels of contractions' inputs too">];
  let statistics = [Statistic<"observers", "observers", "Number of values observed">];
}

def AnnotateRanges : Pass<"halftone-annotate-ranges", "::mlir::ModuleOp"> {
  let summary = "Set halftone.range from calibration statistics";
  let description = [{
    Reads a statistics file and sets `halftone.range = array<f32: low, high>` on the operation or argument of each
    quantizable value. A value without finite samples gets `halftone.reason` instead, and one that had -inf and neither NaN
    nor +inf, a mask or what one is added to, since no code stands for -inf; else NaN and infinite samples are left out with a warning. Without a
    file every value gets a reason. The file must be of the same source model and observe the same values.

    Contractions get `halftone.channel_means` if the file has channel sums, and with `channel-extrema` the smallest and the largest
    element of each channel (and 0) as `halftone.channel_lows` and `halftone.channel_highs`, which the file must have then, and the number of
    elements of each channel as `halftone.channel_positions`. With `row-gains` they get, from files that have the rows' ranges, the expected squared
    error of 8-bit codes of the calibrated range: as `halftone.rounding_noise` over the mean square of what is read, as `halftone.row_gain` over the error of
    codes of each row's own range.

    Estimators: `minmax` takes the exact extrema, `mean` the means of the samples' minima and maxima, `percentile` leaves out the given share on both sides,
    `mse` (the default) minimizes the expected squared error of 8-bit quantization over the counts, `entropy` the divergence of the quantized from the real
    distribution. `auto` takes for each value the range of them, or one searched for this, that causes the least error at the operations that read it: a
    weighted sum of elements x with errors e of the mean m and the variance v has the error v sum w^2 + m^2 (sum w)^2, and average pooling of n elements v /
    n + m^2. So what clips less wins where weights have one sign.

    A rule of the recipe with an estimator has it for the results of the layers, or the inputs of the model, that it matches.
    A rule that matches none is an error.
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
  let options = [
    Option<"stats", "stats", "std::string", "", "Statistics file">,
    Option<"estimator", "estimator", "::mlir::halftone::Estimator", "::mlir::halftone::Estimator::MeanSquaredError",
           "How a range is estimated", [{::mlir::halftone::estimatorValues()}]>,
    Option<"recipe", "recipe", "std::string", "", "Recipe file, for its estimators">,
    Option<"channelExtrema", "channel-extrema", "bool", "false", "Set the extrema of the channels that contractions read">,
    Option<"rowGains", "row-gains", "bool", "false", "Set what codes of each row's own range would gain">,
    Option<"percentile", "percentile", "double", "99.99", "Percentile, above 50 and at most 100">
  ];
  let statistics = [Statistic<"ranges", "ranges", "Number of ranges set">];
}

def ChooseActivations : Pass<"halftone-choose-activations", "::mlir::ModuleOp"> {
  let summary = "Give contractions ranges that are found when they run, where these are better";
  let description = [{
    Takes `halftone.row_gain` and `halftone.rounding_noise` away from contractions. `halftone.precision` becomes "dynamic", unless it is set, where the noise
    is above 10^-3.8 (38 dB; 8-bit codes of a normal distribution have 41) and the gain at least 2 for a matrix product, 3 for a convolution: each row, or
    image, has codes of its own range, and channels are not evened out (`halftone.channel_lows` and `halftone.channel_highs` go). A product finds a row's
    range while the row is in L1; a convolution reads an image once more.

    ```mlir
    %0 = linalg.matmul {halftone.rounding_noise = 0.0004 : f64, halftone.row_gain = 6.5 : f64} ins(%x, %w : ...
    // becomes
    %0 = linalg.matmul {halftone.precision = "dynamic"} ins(%x, %w : ...
    ```
  }];
  let statistics = [Statistic<"chosen", "chosen", "Number of contractions with ranges of their own">];
}

def VerifyCalibration : Pass<"halftone-verify-calibration", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the calibration stage";
  let description = [{
    Every quantizable value has a well-formed `halftone.range` (two finite numbers, the first not above the second) or
    a `halftone.reason`, and no observer is left.
  }];
}

#endif // HALFTONE_CALIBRATION_PASSES
