//===- Passes.td - weights that become zero --------------------*- tablegen -*-===//
#ifndef HALFTONE_PRUNING_PASSES
#define HALFTONE_PRUNING_PASSES

include "mlir/Pass/PassBase.td"

def PruneWeights : Pass<"halftone-prune-weights", "::mlir::ModuleOp"> {
  let summary = "Make the weights zero that matter least";
  let description = [{
    Works on the entry form. Each contraction with constant weights gets weights of which a share is zero, and
    `halftone.pruned`, which every later pass respects: their zeros stay zero (rounding, reconstruction and training
    included; `halftone-verify-quantization` counts them against `halftone.zeros`).

    Patterns: `blocks` are 4 consecutive input channels of one tap and one output channel, what one dot of the sparse
    kernels reads; `unstructured` are single weights; `n:m` keeps the `keep` largest of each `of` consecutive input
    channels. With fewer input channels left than a block takes, the rest is a block of its own.

    Blocks are compared by their mean squared weight. With a file of Hessians (see `halftone-reconstruct-weights`)
    method `obs` compares by what the layer's output loses, the sum of w(j)^2 H(j, j), and moves the weights that are
    kept so that they make up for the others: they solve the least squares problem of the layer's output. That is the
    update of the optimal brain surgeon (Hassibi and Stork 1993; Frantar and Alistarh, SparseGPT, arXiv:2301.00774)
    for all pruned weights at once instead of one after the other. It is done in `rounds`, each of which prunes some
    more, as what is best to prune changes with the update.

    Where a contraction has `halftone.channel_means` (of its input channels, from calibration) its bias takes what pruning adds to
    the mean of each output channel back; the attribute is removed from all.

    Only layers that the file has a Hessian for are pruned then.

    With `assigned` the contractions that have a `halftone.sparsity` (a recipe's, docs/Methods.md) are pruned, each to its own share, by
    Hessians where the file has one and else by their weights. The others stay as they are, and so do the means.

    With `gradually` the contractions get `halftone.pruning`, too: `halftone train --prune` makes more of their weights zero.

    Left alone: depthwise convolutions (they are no work), the first and the last contraction with constant weights
    (with `ends` they are pruned too), layers with less than 4 input channels, and those whose name matches
    an expression of `exclude`. An expression that matches nothing is an error.

    ```mlir
    %m = linalg.matmul ins(%x, %w : ...        // w = [[1.0], [2.0], [1.0], [1.0], [3.0], [4.0], [4.0], [4.0]]
    // becomes
    %m = linalg.matmul {halftone.pruned = "blocks", halftone.zeros = 4 : i64} ins(%x, %p : ...
    // p = [[0.0], [0.0], [0.0], [0.0], [3.0], [4.0], [4.0], [4.0]]
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let options = [
    Option<"pattern", "pattern", "::mlir::halftone::PruningPattern", "::mlir::halftone::PruningPattern::Blocks",
           "What becomes zero together", [{::llvm::cl::values(
             clEnumValN(::mlir::halftone::PruningPattern::Unstructured, "unstructured", "single weights"),
             clEnumValN(::mlir::halftone::PruningPattern::Blocks, "blocks", "4 input channels of one output channel"),
             clEnumValN(::mlir::halftone::PruningPattern::NOfM, "n:m", "all but `keep` of each `of` input channels"))}]>,
    Option<"sparsity", "sparsity", "double", "0.5", "Share of zeros; n:m has its own">,
    Option<"scope", "scope", "::mlir::halftone::PruningScope", "::mlir::halftone::PruningScope::Layer",
           "Where the share is met", [{::mlir::halftone::pruningScopeValues()}]>,
    Option<"keep", "keep", "int64_t", "2", "For n:m, the weights kept">,
    Option<"of", "of", "int64_t", "4", "For n:m, of so many">,
    ListOption<"exclude", "exclude", "std::string", "Regular expressions of layers that are left alone">,
    Option<"ends", "ends", "bool", "false", "Prune the first and the last layer, too">,
    Option<"hessians", "hessians", "std::string", "", "File of Hessians; makes the method obs">,
    Option<"assigned", "assigned", "bool", "false", "Prune the layers that have a share of their own">,
    Option<"gradually", "gradually", "bool", "false", "Mark the layers, so that training prunes them further">,
    Option<"rounds", "rounds", "int64_t", "4", "Steps in which obs reaches the share">
  ];
  let statistics = [Statistic<"layers", "layers", "Number of contractions pruned">,
                    Statistic<"zeros", "zeros", "Number of their weights that are zero">];
}

def PruneChannels : Pass<"halftone-prune-channels", "::mlir::ModuleOp"> {
  let summary = "Remove the output channels that matter least";
  let description = [{
    Works on the entry form. Of the output channels of convolutions and matrix products with constant weights a share is
    removed, and all that stands behind shrinks: biases and other constants along the channels, depthwise convolutions,
    pools, concatenations, slices, flattened tensors, and the weights of the contractions that read them. The function
    computes what it did with the weights zero that read these channels (`shrink=false` does just that, keeps all
    shapes, and marks the contractions `halftone.pruned = "channels"`).

    Channels that meet in an addition or a product go together or stay together. The number that stays is the multiple
    of `round` nearest to the share, and at least one of them; it holds for the channels that the same contractions make.

    A channel counts for its share of the squared weights of each contraction that makes or reads it, added up (the group
    norm of Fang et al., DepGraph, arXiv:2301.12900). With a file of Hessians (see `halftone-reconstruct-weights`) it counts
    for what the outputs of its readers lose, and the weights that stay there solve the least squares problem of the
    output, in `rounds`, as `halftone-prune-weights` does; channels stay that are read by a layer without Hessian.
    Biases keep the means of outputs where the contraction has `halftone.channel_means`; the attribute is removed from all.

    Left alone: outputs of the model, channels that are read by an operation that could not follow (softmax over them,
    grouped convolutions, products of two activations), the first layer (with `ends` it is pruned, too), and the layers
    whose name matches an expression of `exclude`. Each contraction says so in `halftone.channels_kept`; the others
    list the channels that they lost in `halftone.removed_channels`. An expression that matches nothing is an error.

    ```mlir
    %m = linalg.matmul ins(%x, %v : tensor<1x3xf32>, tensor<3x4xf32>) ...
    %y = linalg.matmul ins(%m, %w : tensor<1x4xf32>, tensor<4x2xf32>) ...
    // becomes
    %m = linalg.matmul {halftone.removed_channels = array<i64: 1, 2>} ins(%x, %v : tensor<1x3xf32>, tensor<3x2xf32>) ...
    %y = linalg.matmul {halftone.channels_kept = "is an output of the model", ...
             ins(%m, %w : tensor<1x2xf32>, tensor<2x2xf32>) ...
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::halftone::HalftoneDialect", "::mlir::math::MathDialect"];
  let options = [
    Option<"sparsity", "sparsity", "double", "0.5", "Share of channels that go">,
    Option<"round", "round", "int64_t", "16", "The number that stays is a multiple of this">,
    Option<"scope", "scope", "::mlir::halftone::PruningScope", "::mlir::halftone::PruningScope::Layer",
           "Where the share is met", [{::mlir::halftone::pruningScopeValues()}]>,
    ListOption<"exclude", "exclude", "std::string", "Regular expressions of layers that are left alone">,
    Option<"ends", "ends", "bool", "false", "Prune the first layer, too">,
    Option<"hessians", "hessians", "std::string", "", "File of Hessians; makes the method obs">,
    Option<"rounds", "rounds", "int64_t", "4", "Steps in which obs reaches the share">,
    Option<"shrink", "shrink", "bool", "true", "Shrink shapes; else weights that read the channels become zero">
  ];
  let statistics = [Statistic<"layers", "layers", "Number of contractions that lost channels">,
                    Statistic<"numRemoved", "removed", "Number of output channels removed from them">];
}

#endif // HALFTONE_PRUNING_PASSES
