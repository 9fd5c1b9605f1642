//===- Passes.td - rounding by the layer's error ---------------*- tablegen -*-===//
#ifndef HALFTONE_RECONSTRUCTION_PASSES
#define HALFTONE_RECONSTRUCTION_PASSES

include "mlir/Pass/PassBase.td"

def ExposeContractionInputs : Pass<"halftone-expose-contraction-inputs", "::mlir::ModuleOp"> {
  let summary = "Return what the contractions read that are rounded by Hessians";
  let description = [{
    Appends to the results of @main the value that each int8 contraction with constant weights reads, before padding
    and grouping, each value once, in the program's order, named `halftone.input.N`. The module is for running only:
    from what it returns the Hessians of `halftone-reconstruct-weights` are summed. Left out are float contractions and
    those with `halftone.without_hessian` (`rounding: diffused` in a recipe).

    ```mlir
    func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
      %m = linalg.matmul {halftone.precision = "int8"} ins(%x, %weights ...
      return %m
    // becomes
    func.func @main(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32> {halftone.name = "halftone.input.0"}) {
      return %m, %x
    ```
  }];
  let statistics = [Statistic<"exposed", "exposed", "Number of values returned">];
}

def ReconstructWeights : Pass<"halftone-reconstruct-weights", "::mlir::ModuleOp"> {
  let summary = "Choose codes of weights by the squared error of the layer's output";
  let description = [{
    Rounding W to Q changes the output of a layer by the squared error sum over the output channels of
    (q - w) H (q - w)^T, H = X^T X the Hessian over the layer's inputs, which a file of `halftone build --rounding=gptq`
    holds. Each int8 contraction that the file has a Hessian for gets `halftone.weight_codes` and
    `halftone.weight_scales`, which `halftone-correct-bias` and `halftone-insert-casts` take instead of rounding
    themselves. Scales are found as in `halftone-insert-casts`. The weights stay as they are.

    `gptq` fixes one weight of an output channel after the other, and lets those that are still free take over the
    error (Frantar et al., arXiv:2210.17323). `adaround` then moves single codes as long as the error falls
    (instead of the relaxation by gradients of Nagel et al., arXiv:2004.10568). `nearest` and `diffused` do not look at
    the Hessians and are left to `halftone-insert-casts`.

    The scale of an output channel, which is found for each weight by itself, is then fitted to the levels that the sweep chose, and the
    channel swept again, as long as its error falls. Scales of groups, of whole tensors and those that just hold the largest weight
    (`weight-scales=max`, and what int8 has by itself) stay. A codebook is tried as the uniform levels of equal bits, too, and one of
    5 bits or less has its levels fitted to what the sweep chose, as scales are; what has the smaller error stays.

    `damping` (GPTQ's percdamp) keeps a Hessian of few samples from being believed too far: the larger, the less a weight takes
    over from the others.

    With `sparsity`, a sweep of gptq that makes weights zero or levels (SparseGPT, Frantar and Alistarh, arXiv:2301.00774) chooses
    that share of a layer's blocks (4 input channels of one tap and output channel; with pattern `unstructured` of its weights),
    and the contraction gets `halftone.pruned`. What is kept then solves the least squares problem of the layer's output, and
    is rounded by gptq from there: for given zeros E(q) = E(v) + (q - v) H (q - v)^T, v being that solution, so a sweep from v
    can only gain on one in which the first columns are fixed before the last become zero. The layers that `halftone-prune-weights`
    leaves alone stay dense here, too, and blocks need input channels in multiples of 4. Weights of groups are an error then.

    ```mlir
    %0 = linalg.matmul {halftone.precision = "int8"} ins(%x, %w : ...
    // becomes
    %0 = linalg.matmul {halftone.precision = "int8", halftone.weight_codes = dense<[[127, 10], [0, 127]]> : tensor<2x2xi8>,
                        halftone.weight_scales = array<f32: 0.01, 0.01>} ins(%x, %w : ...
    ```
  }];
  let options = [
    Option<"hessians", "hessians", "std::string", "", "File of Hessians">,
    Option<"weightScales", "weight-scales", "::mlir::halftone::WeightScales", "::mlir::halftone::WeightScales::Automatic",
           "How scales of weights are found", [{::mlir::halftone::weightScalesValues()}]>,
    Option<"sparsity", "sparsity", "double", "0.0", "Share of zeros, for gptq">,
    Option<"pattern", "pattern", "std::string", "\"blocks\"", "What becomes zero together: blocks or unstructured">,
    Option<"method", "method", "::mlir::halftone::WeightRounding", "::mlir::halftone::WeightRounding::GPTQ",
           "How codes are chosen", [{::llvm::cl::values(
             clEnumValN(::mlir::halftone::WeightRounding::GPTQ, "gptq", "error feedback"),
             clEnumValN(::mlir::halftone::WeightRounding::AdaRound, "adaround", "error feedback, then descent"))}]>,
    Option<"damping", "damping", "double", "0.01", "Share of the mean diagonal that is added to the diagonals of the Hessians">
  ];
  let statistics = [Statistic<"reconstructed", "reconstructed", "Number of weight tensors">];
}

#endif // HALFTONE_RECONSTRUCTION_PASSES
