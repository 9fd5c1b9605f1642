//===- Passes.td - the precision stage -------------------------*- tablegen -*-===//
#ifndef HALFTONE_PRECISION_PASSES
#define HALFTONE_PRECISION_PASSES

include "mlir/Pass/PassBase.td"

def AssignFormats : Pass<"halftone-assign-formats", "::mlir::ModuleOp"> {
  let summary = "Assign the format of weights that the user asks for to every contraction";
  let description = [{
    Sets `halftone.weights` and `halftone.granularity` on contractions with constant weights, for the passes that round
    weights. `weights` is a format of docs/Pipeline.md (int8 to int2, codebook8 to codebook2, nf4, log3 to log5, float),
    `granularity` what shares a scale: "tensor", "channel", or "group:N", where N elements of the reduction share an
    integer multiplier inside of the channel's scale. int8 by channel is what contractions without attributes have.

    Depthwise convolutions and convolutions that read an argument of @main keep int8 by channel under another `weights`:
    they have few weights, and errors there hurt most. A `recipe` has rules for single layers, these included; the last
    rule that matches a layer decides alone. A rule that matches nothing is an error.

    ```yaml
    - {regex: "blocks/.*", weights: int4, granularity: "group:32"}
    - {kind: depthwise, weights: int8}          # conv, depthwise, grouped, matmul, batch_matmul, contraction, ...
    - {name: "head/conv", levels: [-127, -40, 0, 40, 127]}
    - {name: "head/logits", precision: float}
    - {name: "head/widen", sparsity: 0.7}       # `halftone.sparsity`, for halftone-prune-weights
    - {name: "stem/conv", rounding: diffused}   # `halftone.without_hessian`: no Hessian chooses its codes
    - {name: "gru/gates", activations: dynamic} # codes of the range that each row has when it runs; or float: its weights alone are codes
    ```

    ```mlir
    %0 = linalg.matmul ins(%x, %w : ...
    // becomes, with weights=int4 granularity=group:32
    %0 = linalg.matmul {halftone.granularity = "group:32", halftone.weights = "int4"} ins(%x, %w : ...
    ```

    `weights: float` and `precision: float` set `halftone.precision` to "float", which `halftone-select-precision` keeps; so do
    `activations: dynamic` and `float` with "dynamic" and "weights".
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
  let options = [
    Option<"weights", "weights", "std::string", [{"int8"}], "Format of weights">,
    Option<"granularity", "granularity", "std::string", [{"channel"}], "What shares a scale: tensor, channel or group:N">,
    Option<"recipe", "recipe", "std::string", [{""}], "Recipe file">
  ];
  let statistics = [Statistic<"assigned", "assigned", "Number of contractions that got a format">];
}

def SelectPrecision : Pass<"halftone-select-precision", "::mlir::ModuleOp"> {
  let summary = "Assign int8 or float to every operation";
  let description = [{
    Sets `halftone.precision` ("int8", "float", "dynamic" or "weights") on every operation of @main that computes, and `halftone.reason` on
    those that stay float. A sandwich (docs/Pipeline.md) is assigned as a whole.

    int8: contractions with constant weights, products of two activations (`linalg.batch_matmul`), average pools,
    elementwise and unary operations, concatenations and max pools, if their operands have calibrated ranges. Float: kinds
    without an integer form (softmax, normalizations, `linalg.matmul` of two activations, ...), operands or results without a range, what `float-ops` names
    or is "float" already (halftone-assign-formats), elementwise and unary operations that compute from floats (an operand is made as floats, as in a
    normalization), and operations other than contractions whose result is used in float only: rounding it to codes would gain nothing. A contraction with
    such a result is int8 up to its bias, and the rest of its tail float.
    Chains are float, too: elementwise operations that read nothing but results of contractions, and of each other, which nothing else reads. So
    the magnitude of a spectrum, sqrt(re^2 + im^2), or its logarithm is rounded once, at its end.

    Contractions in front of logarithms and roots are float where they have at most a third of the model's multiply-accumulates: a logarithm shows the
    rounding of small values, and a spectrum has many. All that reads the contraction's result must come to one, by sums, products with constants,
    squares, clamps, pools or other contractions. `precision: int8` in a recipe (halftone-assign-formats) takes a layer back.

    Functions of one tensor that codes of its calibrated range are too coarse for are float: where rounding the operand to 256 codes changes the result by more
    than 15 dB below its variance over that range, as it does the sine of a position times a high frequency, from steps of 0.6 radians on. So is what
    stands in front of them: elementwise operations, concatenations, and contractions where these have at most a third of the
    multiply-accumulates.

    With `activations=dynamic` or `float` no range is needed: contractions with constant weights get "dynamic" (codes of
    the range found when it runs) or "weights" (only the weights become codes), everything else stays float. A contraction that is "dynamic" or "weights"
    already (halftone-assign-formats) stays so with `activations=int8`: it reads floats, and its result is floats.

    `float-ops` is a list of regular expressions; each is matched against the whole location name and, as
    `kind:NAME`, against the kind: contraction, max_pool, avg_pool, elementwise, unary, concat, table. One that matches nothing is an error.

    ```mlir
    %0 = linalg.matmul {halftone.precision = "int8"} ...
    %1 = halftone.composite "softmax"(%0) ... attributes {halftone.precision = "float",
        halftone.reason = "softmax has no integer form"}
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
  let options = [
    ListOption<"floatOps", "float-ops", "std::string", "Regular expressions of operations that stay float">,
    Option<"activations", "activations", "::mlir::halftone::Activations", "::mlir::halftone::Activations::Int8",
           "What contractions read", [{::mlir::halftone::activationsValues()}]>
  ];
  let statistics = [Statistic<"int8Ops", "int8-ops", "Number of operations assigned to int8">,
                    Statistic<"floatOpsLeft", "float-ops-left", "Number of operations that stay float">];
}

def VerifyPrecision : Pass<"halftone-verify-precision", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the precision stage";
  let description = [{
    Every operation that computes has `halftone.precision`, one of "int8", "float" and, of contractions with their tails,
    "dynamic" and "weights"; one that stays float has a
    `halftone.reason`; a sandwich has one precision; operands of int8 operations have a range.
  }];
}

def InsertProbes : Pass<"halftone-insert-probes", "::mlir::ModuleOp"> {
  let summary = "Make @main return the result of every layer";
  let description = [{
    Appends one result to @main for each sandwich (docs/Pipeline.md) and each operation outside of one, in the program's
    order: in the entry form its value, in the quantized form what its codes stand for. The same layer has the same key
    in both forms of one model, "<index>:<location name>", which is also the result's `halftone.name`; so running both
    on the same samples gives the error of each layer. `halftone.probes` of @main says of each result its kind,
    precision, why it stays float, and the scale and zero point of its codes.

    Arguments, values inside of a sandwich, and what movements and max pools pass on are left out. The instrumented
    module is for running only.

    ```mlir
    func.func @main(%x: tensor<1x8xf32>) -> tensor<1x4xf32> {
      ...
      %rq = halftone.quantize %r : tensor<1x4xf32> to tensor<1x4x!q>
      return %y
    // becomes
    func.func @main(%x: tensor<1x8xf32>) -> (tensor<1x4xf32>, tensor<1x4xf32> {halftone.name = "1:relu"})
      ...
      %rq = halftone.quantize %r : tensor<1x4xf32> to tensor<1x4x!q>
      %p = halftone.dequantize %rq : tensor<1x4x!q> to tensor<1x4xf32>
      return %y, %p
    ```
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"probes", "probes", "Number of results added">];
}

#endif // HALFTONE_PRECISION_PASSES
