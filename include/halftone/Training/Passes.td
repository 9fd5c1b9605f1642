//===- Passes.td - differentiation and training ----------------*- tablegen -*-===//
#ifndef HALFTONE_TRAINING_PASSES
#define HALFTONE_TRAINING_PASSES

include "mlir/Pass/PassBase.td"

def RefreshComposites : Pass<"halftone-refresh-composites", "::mlir::func::FuncOp"> {
  let summary = "Build composites again, with functions that are not yet polynomials";
  let description = [{
    `halftone-expand-math` writes exp, tanh, ... as polynomials that take bits apart, which have no useful derivative. A
    composite knows its name and its parameters, so softmax and the elementwise composites are built again as the
    importer made them; inlined, they can be differentiated, and `halftone-expand-math` runs once more behind that.
    Other composites stay.
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"refreshed", "refreshed", "Number of composites built again">];
}

def SetBatch : Pass<"halftone-set-batch", "::mlir::ModuleOp"> {
  let summary = "Give a program another number of samples in front";
  let description = [{
    The leading dimension of each argument of @main becomes `size`, and everything that is computed from them follows: types,
    empty tensors to write to, slices, bodies of composites. A stage file of the batch 1, or of a dynamic one, can so be
    trained with a batch that fills the machine.

    ```mlir
    func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
      %q = halftone.quantize %x : tensor<1x4xf32> to tensor<1x4x!quant.uniform<i8:f32, 0.5>>
    // becomes, with size=8,
    func.func @main(%x: tensor<8x4xf32>) -> tensor<8x4xf32> {
      %q = halftone.quantize %x : tensor<8x4xf32> to tensor<8x4x!quant.uniform<i8:f32, 0.5>>
    ```

    An operation that takes, pads, sums or mixes samples is an error with its location, and so is a constant with a value
    for each sample.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
  let options = [Option<"size", "size", "int64_t", "1", "Number of samples">];
}

def PromoteConstants : Pass<"halftone-promote-constants", "::mlir::ModuleOp"> {
  let summary = "Turn weights into arguments that are trained";
  let description = [{
    Each float constant of @main that a linalg operation, a composite or a quantization reads, and whose name matches `only`, becomes an argument behind
    the others, with `halftone.trainable` and its old value as `halftone.value`. The name is that of the constant's
    location, or of its reader's with `.weight` or `.bias` (rank 1) behind it. `halftone-demote-arguments` is the way back.

    ```mlir
    func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
      %w = arith.constant dense<1.0> : tensor<2x3xf32> loc("w")
      %y = linalg.matmul ins(%x, %w : ...) ...
    // becomes
    func.func @main(%x: tensor<4x2xf32>, %w: tensor<2x3xf32> {halftone.name = "w", halftone.trainable,
                    halftone.value = dense<1.0> : tensor<2x3xf32>}) -> tensor<4x3xf32> {
      %y = linalg.matmul ins(%x, %w : ...) ...
    ```

    Scalars, integers and constants that only data movement reads stay. The weights of a contraction with
    `halftone.pruned`, casts between or not, are arguments with that attribute.
  }];
  let options = [Option<"only", "only", "std::string", "\".*\"", "Regular expression of the names">];
  let statistics = [Statistic<"promoted", "promoted", "Number of constants that became arguments">];
}

def DemoteArguments : Pass<"halftone-demote-arguments", "::mlir::ModuleOp"> {
  let summary = "Turn arguments with a value into constants";
  let description = [{
    The counterpart of `halftone-promote-constants`: each argument of @main with `halftone.value` becomes a constant of
    that value. Training writes its results into these attributes.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"demoted", "demoted", "Number of arguments that became constants">];
}

def KeepWeights : Pass<"halftone-keep-weights", "::mlir::ModuleOp"> {
  let summary = "Write the float weights of contractions beside them, for training behind quantization";
  let description = [{
    To be run before the stage quantization. Codes forget what they rounded; training starts better from what was there.
    `halftone-expose-weights` takes the attribute. Weights that are no constant have none.

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) ...
    // becomes, %w being a constant,
    %y = linalg.matmul {halftone.float_weights = dense<...> : tensor<2x3xf32>} ins(%x, %w : ...) ...
    ```
  }];
  let statistics = [Statistic<"kept", "kept", "Number of contractions whose weights were written down">];
}

def ExposeWeights : Pass<"halftone-expose-weights", "::mlir::ModuleOp"> {
  let summary = "Put float weights in front of their quantization";
  let description = [{
    Weights of the quantization stage are constant codes. Each becomes a float constant, the real values of the codes, with
    `halftone.quantize` behind it: the same codes again, but of something that can be trained
    (`halftone-promote-constants`). `halftone-store-weights` is the way back. Per-axis types with a scale for each channel only; where
    the format of the weights is no uniform one, the codes that may occur stand in `halftone.levels` on the operation; of weights by group
    `halftone.multipliers` has that of each element (of several that give these codes the least that clips no kept weight), and
    `halftone.largest_level` the largest code that is multiplied. Groups that choose from tables are refused. With
    `halftone.float_weights` on the contraction (`halftone-keep-weights`), each weight is that number, moved as little as
    its code needs, or with `floats` as it is; zeros of a contraction with `halftone.pruned` stay zero.

    ```mlir
    %q = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
    // becomes
    %w = arith.constant dense<[[1.0, 0.5], [...]]> : tensor<2x2xf32>
    %q = halftone.quantize %w : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::halftone::HalftoneDialect"];
  let options = [Option<"floats", "floats", "bool", "false", "Leave kept weights where they are: training begins without casts">];
  let statistics = [Statistic<"exposed", "exposed", "Number of weights made float">];
}

def StoreWeights : Pass<"halftone-store-weights", "::mlir::ModuleOp"> {
  let summary = "Replace quantized float constants by their codes";
  let description = [{
    The counterpart of `halftone-expose-weights`: `halftone.quantize` of a constant to a type of weights becomes a constant
    of codes, by rule A1 of docs/Arithmetic.md, or those of `halftone.levels` that are nearest; of groups times their multipliers, which stay.
    Pairs of int8pair and int7pair are lowered to their bound.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect"];
  let statistics = [Statistic<"stored", "stored", "Number of weights made codes">];
}

def PromoteScales : Pass<"halftone-promote-scales", "::mlir::ModuleOp"> {
  let summary = "Turn scales of quantization into arguments that are trained";
  let description = [{
    LSQ: Esser et al., Learned step size quantization, arXiv:1902.08153. Each scale that `halftone.quantize` rounds to,
    weights exposed by `halftone-expose-weights` included, gets an argument of @main; `halftone.scale` on the operation
    names it, for `halftone-simulate-casts`. Values between which codes move (data movement, concatenations, max pools)
    have one scale. `halftone.gradient_factor` is the paper's 1 / sqrt(N Q). Zero points stay.

    ```mlir
    func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
      %q = halftone.quantize %x : tensor<2x4xf32> to tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> loc("x")
    // becomes
    func.func @main(%x: tensor<2x4xf32>, %s: tensor<f32> {halftone.gradient_factor = 4.0e-02 : f64, halftone.name = "x.scale",
                    halftone.positive, halftone.trainable, halftone.value = dense<5.0e-01> : tensor<f32>}) -> ... {
      %q = halftone.quantize %x {halftone.scale = "x.scale"} : ...
    ```

    Codes that are constants or arguments, or that are returned, have fixed scales. `halftone-demote-scales` is the way back.
  }];
  let statistics = [Statistic<"promoted", "promoted", "Number of scales that became arguments">];
}

def DemoteScales : Pass<"halftone-demote-scales", "::mlir::ModuleOp"> {
  let summary = "Turn arguments with the value of a scale into types";
  let description = [{
    The counterpart of `halftone-promote-scales`: the types of what an argument is the scale of get its value.
  }];
  let statistics = [Statistic<"demoted", "demoted", "Number of arguments that became scales of types">];
}

def PromoteLevels : Pass<"halftone-promote-levels", "::mlir::ModuleOp"> {
  let summary = "Turn levels of codebooks into arguments that are trained";
  let description = [{
    Where `halftone.quantize` rounds weights of a codebook format (exposed by `halftone-expose-weights`) to `halftone.levels`, the
    levels become an argument of @main, which `halftone.level_argument` names: real numbers, codes times `halftone.level_unit`,
    the mean of the channels' scales. The gradient of a level is the sum of those of its weights, scaled down by the root of
    their number. Of a pruned contraction the level 0 stays. Levels of a table (nf4, log4, a recipe's) stay, too.

    ```mlir
    func.func @main(%x: ...) -> ... {
      %q = halftone.quantize %w {halftone.levels = array<i8: -80, 0, 127>} : ...
    // becomes
    func.func @main(%x: ..., %l: tensor<3xf32> {halftone.name = "conv.levels", halftone.trainable, halftone.value = ...}) -> ... {
      %q = halftone.quantize %w {halftone.level_argument = "conv.levels", halftone.level_unit = 0.01 : f64, halftone.levels = ...} : ...
    ```

    `halftone-demote-levels` is the way back.
  }];
  let statistics = [Statistic<"promoted", "promoted", "Number of codebooks that became arguments">];
}

def DemoteLevels : Pass<"halftone-demote-levels", "::mlir::ModuleOp"> {
  let summary = "Turn arguments with the levels of a codebook into attributes";
  let description = [{
    The counterpart of `halftone-promote-levels`: `halftone.levels` gets the values of the argument, rounded to codes; equal ones
    count once.
  }];
  let statistics = [Statistic<"demoted", "demoted", "Number of arguments that became levels">];
}

def SimulateCasts : Pass<"halftone-simulate-casts", "::mlir::func::FuncOp"> {
  let summary = "Write quantization as float arithmetic, to be differentiated";
  let description = [{
    `halftone.quantize` becomes division by the scale, clamp, `roundeven` and multiplication: the real value of the code.
    Dequantize goes, constant codes become their real values, data movement of codes is movement of these. The float
    operations between compute what the integer stage does up to rounding ("fake quantization"), and have
    derivatives: `halftone-differentiate` passes gradients through `roundeven` and cuts them where the clamp does. A
    scale is a number, or the argument that `halftone.scale` names (`halftone-promote-scales`), of weights by group times `halftone.multipliers`.
    With `halftone.levels`, weights become the nearest level times the scale; levels are numbers, or the argument that `halftone.level_argument` names.

    ```mlir
    %q = halftone.quantize %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5:-3>>
    %y = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.5:-3>> to tensor<4xf32>
    // becomes
    %y = linalg.generic ins(%x) { divf 0.5; maximumf -125.0; minimumf 130.0; roundeven; mulf 0.5 }
    ```

    With `schedule`, @main gets two arguments of one float behind the others, so that one program serves a whole schedule:
    `halftone.casts`, at or below 0 while nothing is rounded, and `halftone.limit`, the largest code that weights
    may have so far; those with a lower limit of their own have finer steps until it is reached.
  }];
  let options = [Option<"schedule", "schedule", "bool", "false", "Add the arguments of a schedule to @main">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"simulated", "simulated", "Number of casts written out">];
}

def ExposeBlocks : Pass<"halftone-expose-blocks", "::mlir::ModuleOp"> {
  let summary = "Return the tensors by which a student and its teacher are compared";
  let description = [{
    Distillation block by block (FitNets, arXiv:1412.6550, where both networks have the same tensors): tensors of @main and of
    the teacher with the same name, that of the operation that gives them, and the same type become results of both, named
    `halftone.block.NAME`; `halftone-add-loss` compares them. They are the results of residual additions; in a network without,
    the results of all contractions but the last; or those whose name matches `only`. Between casts the student shows what
    the next operation reads.

    ```mlir
    func.func @main(%x: ...) -> tensor<8x3xf32>            func.func private @teacher(%x: ...) -> tensor<8x3xf32>
      %b = linalg.add ins(%h, %x : ...) loc("block")        %c = linalg.add ins(%g, %x : ...) loc("block")
    // become
    func.func @main(%x: ...) -> (tensor<8x3xf32>, tensor<8x4xf32> {halftone.name = "halftone.block.block"})
    func.func private @teacher(%x: ...) -> (tensor<8x3xf32>, tensor<8x4xf32> {halftone.name = "halftone.block.block"})
    ```

    Tensors that the teacher does not have are left out; if none is left it is an error.
  }];
  let options = [
    Option<"teacher", "teacher", "std::string", "\"teacher\"", "The teacher's function">,
    Option<"only", "only", "std::string", "\"\"", "Regular expression of whole names; empty: chosen automatically">
  ];
  let statistics = [Statistic<"exposed", "exposed", "Number of tensors that are compared">];
}

def AddLoss : Pass<"halftone-add-loss", "::mlir::ModuleOp"> {
  let summary = "Replace the results of @main by the loss that training makes small";
  let description = [{
    `cross-entropy`: result 0 is logits [samples, classes]; the loss is the mean cross-entropy with the labels, a new i64
    argument named `target`, with `smoothing`; with a `teacher` (a function of the module on the same inputs, which is
    inlined) it is that with the teacher's softmax at `temperature` (distillation, arXiv:1503.02531), or, with both, a mix
    by `teacher-share`. The second result is the number of samples whose largest logit is that of the label, or of the
    teacher's class. `mse`: the mean squared difference to a new argument `target`, or to the teacher's output.

    Results that `halftone-expose-blocks` gave to both functions add `block-share` times the mean over these tensors of
    sum (student - teacher)^2 / sum teacher^2.

    ```mlir
    func.func @main(%x: tensor<8x4xf32>) -> tensor<8x3xf32>
    // becomes, with target=label,
    func.func @main(%x: tensor<8x4xf32>, %label: tensor<8xi64> {halftone.name = "label"})
        -> (tensor<f32> {halftone.name = "loss"}, tensor<f32> {halftone.name = "correct"})
    ```

    Other results are dropped. The batch is static.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"kind", "loss", "std::string", "\"cross-entropy\"", "cross-entropy or mse">,
    Option<"target", "target", "std::string", "\"\"", "Name of the argument with labels or targets; empty: none">,
    Option<"teacher", "teacher", "std::string", "\"\"", "Function whose output is to be met; empty: none">,
    Option<"teacherShare", "teacher-share", "double", "0.5", "Weight of the teacher's loss, where there are labels too">,
    Option<"blockShare", "block-share", "double", "1.0", "Weight of the tensors that are compared besides the output">,
    Option<"temperature", "temperature", "double", "1.0", "Softens the teacher's classes">,
    Option<"smoothing", "smoothing", "double", "0.0", "Label smoothing: the share that all classes have alike">
  ];
}

def AddOptimizer : Pass<"halftone-add-optimizer", "::mlir::ModuleOp"> {
  let summary = "Return trained arguments after one step of an optimizer, instead of gradients";
  let description = [{
    To be run behind `halftone-differentiate`. The gradients, the last results, are replaced by the weights after one step,
    under their arguments' names. What the optimizer remembers of a weight (`NAME.momentum`, or `NAME.first` and
    `NAME.second`) becomes arguments and results behind them; the learning rate and Adam's corrections are scalar arguments,
    so that one program serves for all steps.

    `sgd`: momentum, maybe Nesterov's; weight decay is added to the gradient. `adam`: weight decay is decoupled
    (arXiv:1711.05101). Tensors of rank 1 do not decay. Zeros of an argument with `halftone.pruned` stay zero.
    The gradient of one with `halftone.gradient_factor` is multiplied by that. One with `halftone.positive` at most halves
    in a step, so that it stays above 0, and Adam's step is a share of it.

    ```mlir
    func.func @main(%x, %w {halftone.trainable}) -> (%loss, %w.gradient)
    // becomes
    func.func @main(%x, %w {halftone.trainable}, %rate: tensor<f32>, %w.momentum) -> (%loss, %w, %w.momentum)
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let options = [
    Option<"kind", "optimizer", "std::string", "\"sgd\"", "sgd or adam">,
    Option<"decay", "decay", "double", "0.0", "Weight decay">,
    Option<"momentum", "momentum", "double", "0.9", "SGD's momentum; 0: none">,
    Option<"nesterov", "nesterov", "bool", "false", "SGD looks ahead">,
    Option<"beta1", "beta1", "double", "0.9", "Adam's first decay">,
    Option<"beta2", "beta2", "double", "0.999", "Adam's second decay">,
    Option<"epsilon", "epsilon", "double", "1e-8", "Adam's epsilon">
  ];
}

def Differentiate : Pass<"halftone-differentiate", "::mlir::ModuleOp"> {
  let summary = "Return the gradient of the loss with regard to the trained arguments";
  let description = [{
    Reverse-mode differentiation of @main. The first result is the loss, a `tensor<f32>`; the gradient with regard to
    each argument with `halftone.trainable` is appended to the results, named `<argument>.gradient`.

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%zero : tensor<4x3xf32>)
    // contributes, dy being the adjoint of %y,
    %dw = linalg.generic {sum over m: maps (k, n, m) -> (m, k), (m, n), (k, n)} ins(%x, %dy) outs(%zero)
    %t = linalg.transpose ins(%w) permutation = [1, 0]
    %dx = linalg.matmul ins(%dy, %t : tensor<4x3xf32>, tensor<3x2xf32>) outs(%zero : tensor<4x2xf32>)
    ```

    Rules: convolutions (stride, dilation, groups, depthwise) and matrix products become contractions of the same kind:
    the data gradient convolves dy with flipped weights, one convolution of stride 1 for each phase of the stride;
    the weight gradient is a sum over images and positions. A max pool gives the gradient to the first maximum
    of a window. Any other linalg operation that is elementwise, a sum or a maximum is differentiated through its scalar
    region, a broadcast becoming a sum; equal maxima of a reduction share the gradient. Data movement moves back. `roundeven`
    counts as the identity (straight-through estimator, arXiv:1308.3432): with the clamp around it, the gradient of a
    simulated quantization is clipped, and that of its scale is that of LSQ (arXiv:1902.08153).

    Sums over many terms are cut into at most 16 partial sums by shape alone, added in order: the result is the same for
    any number of threads. Operations with `halftone.stop_gradient` count as constants. Composites have to be inlined
    before; every operation without a rule is an error, and so are dynamic shapes. Forward values are kept, none is
    computed twice but scalars within a region.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"differentiated", "differentiated", "Number of operations differentiated">];
}

#endif // HALFTONE_TRAINING_PASSES
