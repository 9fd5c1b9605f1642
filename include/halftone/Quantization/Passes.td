//===- Passes.td - the quantization stage ----------------------*- tablegen -*-===//
#ifndef HALFTONE_QUANTIZATION_PASSES
#define HALFTONE_QUANTIZATION_PASSES

include "mlir/Pass/PassBase.td"

def AdoptCasts : Pass<"halftone-adopt-casts", "::mlir::ModuleOp"> {
  let summary = "Take over the casts and the scales that a quantized source has";
  let description = [{
    For modules of the stage import whose source was quantized by another tool: activations have `halftone.quantize` and
    `halftone.dequantize` where the source has them, contractions `halftone.source_scales` (one f32 for each output channel, or one).
    Nothing is rounded that the source does not round. Constant weights of contractions become the codes that they are multiples of
    (in [-128, 127]), with `quant.scast` and `halftone.dequantize` behind them; a quantize moves before a reshape that it alone
    reads; a max pool of codes gets the casts of its operand's type, which change nothing. Each operation gets
    `halftone.precision`: int8 between casts (contractions also with a result in floats), "weights" for a contraction of floats with
    quantized weights, "dynamic" for one with `halftone.source_dynamic` (the source rounds what it reads by ranges that it finds when it
    runs, as com.microsoft.DynamicQuantizeLSTM), else float with the reason.

    ```mlir
    %0 = linalg.matmul {halftone.source_scales = array<f32: 0.5>} ins(%xd, %w) ...     // w = -1.5, 0.5, ...
    // becomes
    %wd = halftone.dequantize %ws : tensor<8x4x!quant.uniform<i8<-127:127>:f32:1, {0.5, ...}>> ...   // codes -3, 1, ...
    %0 = linalg.matmul {halftone.precision = "int8"} ins(%xd, %wd) ...
    ```

    Left alone: weights that are no multiples of the scales (something was folded into them): the contraction stays float.
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::quant::QuantDialect",
                           "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numWeights", "weights", "Number of weight tensors that became codes">,
                    Statistic<"int8Ops", "int8-ops", "Number of operations with codes">,
                    Statistic<"floatOpsLeft", "float-ops-left", "Number of operations that stay float">];
}

def InsertCasts : Pass<"halftone-insert-casts", "::mlir::ModuleOp"> {
  let summary = "Put quantize and dequantize around the int8 operations";
  let description = [{
    Builds the sandwiches of docs/Pipeline.md from `halftone.precision` and `halftone.range`. Each value that an int8
    operation reads (argument, result of a sandwich, result of a float operation) gets one `halftone.quantize` behind
    it and one `halftone.dequantize` that its int8 readers use; what is made as floats is
    read by floats as it is. A result that only float operations or the return read gets none: it is computed from the
    accumulator in f32. A max pool has the type of its operand.

    Activations: per tensor, s8, scale (high - low) / 255 with the range extended to 0. Weights: constants become i8
    codes in [-127, 127] with one scale for each output channel, `quant.scast` and `halftone.dequantize` behind them.
    What of these codes occurs is the format of the contraction, `halftone.weights` and `halftone.granularity`
    (halftone-assign-formats): the integers of [-7, 7] for int4, the levels of a codebook, and multiples of them by
    groups of the reduction. With `weight-scales=mse` the scale is searched that minimizes the squared error of each
    channel. With `rounding=diffused` (the default) the codes of uniform formats without groups keep the sum over the
    taps of each kernel to half a step, so that smooth pictures meet almost no error; `nearest` rounds each weight alone.
    Codes that `halftone-reconstruct-weights` or `halftone-correct-bias` has left are taken as they are. So are those of a source
    that has quantized its weights alone (`halftone.source_scales`), where the weights are still multiples of the scales, not pruned,
    and the format can hold the codes; the attribute is removed. The weights of a grouped convolution keep one axis of all
    output channels, expanded behind the dequantize. Biases stay f32.

    ```mlir
    %0 = linalg.matmul ins(%x, %w : ...) outs(%zero : ...) -> tensor<1x4xf32>
    // becomes
    %xq = halftone.quantize %x : tensor<1x8xf32> to tensor<1x8x!quant.uniform<i8:f32, 0.02>>
    %xd = halftone.dequantize %xq : ...
    %ws = quant.scast %codes : tensor<8x4xi8> to tensor<8x4x!quant.uniform<i8<-127:127>:f32:1, {0.1, 0.2, 0.1, 0.3}>>
    %wd = halftone.dequantize %ws : ...
    %0 = linalg.matmul ins(%xd, %wd : ...) outs(%zero : ...) -> tensor<1x4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::quant::QuantDialect",
                           "::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"weightScales", "weight-scales", "::mlir::halftone::WeightScales", "::mlir::halftone::WeightScales::Automatic",
           "How scales of weights are found", [{::mlir::halftone::weightScalesValues()}]>,
    Option<"weightRounding", "rounding", "::mlir::halftone::WeightRounding", "::mlir::halftone::WeightRounding::Diffused",
           "How codes of weights are rounded", [{::llvm::cl::values(
             clEnumValN(::mlir::halftone::WeightRounding::Nearest, "nearest", "to the nearest code"),
             clEnumValN(::mlir::halftone::WeightRounding::Diffused, "diffused", "keep the sum over a kernel's taps"),
             clEnumValN(::mlir::halftone::WeightRounding::GPTQ, "gptq", "as reconstructed, else diffused"),
             clEnumValN(::mlir::halftone::WeightRounding::AdaRound, "adaround", "as reconstructed, else diffused"))}]>
  ];
  let statistics = [Statistic<"activations", "activations", "Number of activations that got codes">,
                    Statistic<"weights", "weights", "Number of weight tensors that got codes">];
}

def EqualizeLayers : Pass<"halftone-equalize-layers", "::mlir::ModuleOp"> {
  let summary = "Even out the ranges of weights between consecutive contractions";
  let description = [{
    Cross-layer equalization (Nagel et al., arXiv:1906.04721, section 4.1), for modules of the stage import, without data: the
    channels between two contractions with constant weights are divided by positive factors where they are made and multiplied where
    they are read, so that the weights on both sides have one range for each channel. The float model computes the same, but for
    rounding. Between the two may be biases, Relu, leaky Relu, clamps, max and average pooling, padding with 0, and grouped
    convolutions' reshapes. The bound of a clamp moves with its channels: a scalar becomes a vector.

    Left alone: values that anything but contractions reads (residual branches, concatenations, the return), and other activation
    functions, which do not commute with factors. The source hash gets the suffix `+equalized`, since statistics of the model from
    before do not fit.

    ```mlir
    %c = linalg.matmul ins(%x, %w1) ...                // columns of the ranges 8 and 2
    %r = linalg.generic (%c) { arith.minimumf 6.0 }
    %d = linalg.matmul ins(%r, %w2) ...                // rows of the ranges 2 and 8
    // becomes: columns and rows of the range 4, and
    %r = linalg.generic (%c, dense<[3.0, 12.0]>) { arith.minimumf }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"equalized", "equalized", "Number of values whose channels were equalized">];
}

def SmoothActivations : Pass<"halftone-smooth-activations", "::mlir::ModuleOp"> {
  let summary = "Move the ranges of channels from activations to weights";
  let description = [{
    SmoothQuant (Xiao et al., arXiv:2211.10438), for calibrated modules: where a few channels of what contractions read are much larger
    than the others, one scale for all rounds the others to little. Channel c is divided by s[c] = a[c]^alpha / r[c]^(1 - alpha) and the
    weights that read it are multiplied by it, a[c] the largest magnitude of the channel (`halftone.channel_lows` and `_highs`, which
    halftone-annotate-ranges sets with `channel-extrema` and this pass removes), r[c] that of the weights. The float model computes the
    same, but for rounding. The new range is that of the divided extrema; means of channels are divided, too.

    With `automatic` alpha is the one of 1, 7/8, ... 1/4 with the least error expected at the contractions that read the value, of its rounding and of
    that of weights in int8, and of what a range cuts off of each channel; nothing is done for less than a tenth of the
    error, in int8 and in the format given. Channels are cut off where the range of the value cuts them off, so that none has larger steps than before, unless these are few (one of 16 at most), or
    to cut off nothing is expected to be better. In front of depthwise convolutions, whose weights have a scale for each channel, alpha is 1: each
    channel has all codes. What a contraction makes with clamps alone is left alone: EfficientNet-Lite0 loses by it. So is what had fewer than 1,024
    elements in each channel (`halftone.channel_positions`): other inputs have larger ones, which the divided range would cut off.

    The factors go into the contraction that makes the value, where halftone-equalize-layers would move them. At the end of a normalization
    (multiplications and additions by channel) the contractions get a copy that is multiplied by 1 / s. What else a sandwich makes for these
    contractions alone, as behind an activation function, gets the multiplication at the sandwich's end. `halftone.channel_factors` says on the
    operation that makes the divided value what s is. Left alone is what others read, too, and what no sandwich makes.

    ```mlir
    %n = linalg.generic (%z, %gamma) { arith.mulf }
    %m = linalg.matmul ins(%n, %w) ...
    %r = linalg.generic (%n, %m) { arith.addf }
    // becomes
    %n = linalg.generic (%z, %gamma) { arith.mulf }
    %s = linalg.generic (%n, 1 / s) { arith.mulf }
    %m = linalg.matmul ins(%s, %w * s) ...
    %r = linalg.generic (%n, %m) { arith.addf }
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let options = [Option<"alpha", "alpha", "double", "0.5", "0: all to the activations, 1: all to the weights">,
                 Option<"automatic", "automatic", "bool", "false", "Choose alpha, or to leave the value alone, by the expected error">,
                 Option<"weights", "weights", "std::string", "\"int8\"", "The format of weights whose error is expected">,
                 Option<"granularity", "granularity", "std::string", "\"channel\"", "What shares a scale there: tensor, channel or group:N">];
  let statistics = [Statistic<"smoothed", "smoothed", "Number of values whose channels were divided">];
}

def CorrectBias : Pass<"halftone-correct-bias", "::mlir::ModuleOp"> {
  let summary = "Take the mean error of rounded weights out of the bias";
  let description = [{
    Rounding the weights W to W' changes the output channel's mean by sum over its weights (W' - W) * E[x], E[x] the
    mean of the weight's input channel (`halftone.channel_means` of the contraction), times the share of positions at
    which the weight's tap reads the input and no padding. The bias that follows an int8
    contraction gets the opposite, and so does that of a dynamic one with weights of fewer than 8 bits: its rows differ, and
    their mean says less of each. To be run before `halftone-insert-casts`, for which it leaves the codes that it looked at as
    `halftone.weight_codes` and `halftone.weight_scales`; the means are removed. Contractions without means or without a bias are left alone.
    Nagel et al., Data-free quantization through weight equalization and bias correction, arXiv:1906.04721, section 4.2, with means observed instead of
    assumed.

    ```mlir
    %c = linalg.matmul {halftone.channel_means = array<f32: 2.0>} ins(%x, %w) ...   // w = 0.104, rounded to 0.1
    %b = linalg.generic ins(%c, %bias) { arith.addf }                               // bias = 1.0
    // becomes, with bias = 1.008
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [
    Option<"weightScales", "weight-scales", "::mlir::halftone::WeightScales", "::mlir::halftone::WeightScales::Automatic",
           "How scales of weights are found", [{::mlir::halftone::weightScalesValues()}]>,
    Option<"weightRounding", "rounding", "::mlir::halftone::WeightRounding", "::mlir::halftone::WeightRounding::Diffused",
           "How codes of weights are rounded", [{::llvm::cl::values(
             clEnumValN(::mlir::halftone::WeightRounding::Nearest, "nearest", "to the nearest code"),
             clEnumValN(::mlir::halftone::WeightRounding::Diffused, "diffused", "keep the sum over a kernel's taps"),
             clEnumValN(::mlir::halftone::WeightRounding::GPTQ, "gptq", "as reconstructed, else diffused"),
             clEnumValN(::mlir::halftone::WeightRounding::AdaRound, "adaround", "as reconstructed, else diffused"))}]>
  ];
  let statistics = [Statistic<"corrected", "corrected", "Number of biases corrected">];
}

def QuantizeTables : Pass<"halftone-quantize-tables", "::mlir::ModuleOp"> {
  let summary = "Store embeddings as int8 codes with a scale for each row";
  let description = [{
    A composite `gather` of rows of a constant f32 table (rank 1 and more, picked along dimension 0) whose
    `halftone.precision` is "weights" becomes a gather of int8 codes, a gather of the rows' scales, and their product:
    symmetric, the scale of a row is its greatest absolute value / 127, so no element moves by more than half of that. Where `halftone.source_scales` says
    that the source has codes for the table, and all its elements are their multiples, those are the codes and scales, and nothing moves. A table with NaN or
    infinite elements is an error.

    ```mlir
    %y = halftone.composite "gather" (%table, %ids) {axis = 0} ...      // tensor<30522x384xf32>
    // becomes
    %c = halftone.composite "gather" (%codes, %ids) {axis = 0} ...      // tensor<30522x384xi8>
    %s = halftone.composite "gather" (%scales, %ids) {axis = 0} ...     // tensor<30522xf32>
    %y = linalg.generic ins(%c, %s) { arith.sitofp, arith.mulf }
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"quantized", "quantized", "Number of tables quantized">];
}

def UnifyScales : Pass<"halftone-unify-scales", "::mlir::ModuleOp"> {
  let summary = "Give the operands and the result of a concatenation, and the steps of a loop, one type";
  let description = [{
    All values that an int8 `tensor.concat` joins, and its result, get the type of their widest common range, so that
    the concatenation moves codes only. Max pools share the type of their operand, so they follow. Residual additions
    are left alone: they rescale each operand in their arithmetic.

    So do values that `halftone.steps` names alike, as the states of a recurrent network that is written out step by step: the weights that read
    them are packed once then, and each step is the same code (halftone-share-layers).
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"unified", "unified", "Number of quantize operations with a new type">];
}

def PropagateCasts : Pass<"halftone-propagate-casts", "::mlir::ModuleOp"> {
  let summary = "Move dequantize behind reshapes, slices, transposes and concatenations";
  let description = [{
    Data movement of per-tensor values works on codes: `reshape(dequantize x)` becomes `dequantize(reshape x)`, so do
    slices, transposes and concatenations of one type; `quantize(dequantize x)` of one type disappears. Padding stays in
    the sandwich of its reader: its 0.0 becomes the zero point there.

    ```mlir
    %d = halftone.dequantize %q : tensor<2x3x!q> to tensor<2x3xf32>
    %r = tensor.collapse_shape %d [[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
    // becomes
    %c = tensor.collapse_shape %q [[0, 1]] : tensor<2x3x!q> into tensor<6x!q>
    %r = halftone.dequantize %c : tensor<6x!q> to tensor<6xf32>
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"moved", "moved", "Number of operations that work on codes now">];
}

def VerifyQuantization : Pass<"halftone-verify-quantization", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the quantization stage";
  let description = [{
    Every int8 operation reads dequantized values, through padding and other movement only; its result is quantized
    once, or (contractions) read by float operations only. Max pools keep their type. Codes of weights are constants in
    the range of their type. No operation but casts and data movement has quantized element types, and no
    `quant.qcast` or `quant.dcast` is there, whose folders would delete casts.
  }];
}

#endif // HALFTONE_QUANTIZATION_PASSES
