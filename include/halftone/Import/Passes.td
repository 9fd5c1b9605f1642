//===- Passes.td - passes of the import stage ------------------*- tablegen -*-===//
#ifndef HALFTONE_IMPORT_PASSES
#define HALFTONE_IMPORT_PASSES

include "mlir/Pass/PassBase.td"

def BoundIndices : Pass<"halftone-bound-indices", "::mlir::func::FuncOp"> {
  let summary = "Keep indices that data says within their tensors";
  let description = [{
    Rows that one index from data chooses become the composite `gather`, which bounds it (docs/ONNX.md, Gather); indices from data of any other
    `tensor.extract` are bounded in place. So no input makes the compiled model read outside of its tensors. Assertions (`cf.assert`) of such indices, and
    all others, go.

    ```mlir
    %e = linalg.generic ins(%ids : tensor<1x16xi64>) {
      %i = arith.index_cast %id
      cf.assert %inside, "index must be smaller than dim size"
      %x = tensor.extract %table[%i, %column] : tensor<100x64xf32>
    }
    // becomes
    %e = halftone.composite "gather"(%table, %ids) {axis = 0}
    ```

    Left alone: indices that are positions only. An assertion of what is constant and not so is an error.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"numAssertions", "assertions", "Assertions dropped">,
                    Statistic<"numGathers", "gathers", "Generics that are the composite gather">,
                    Statistic<"numBounded", "bounded", "Other elements whose indices are bounded">];
}

def ConvertLayout : Pass<"halftone-convert-layout", "::mlir::func::FuncOp"> {
  let summary = "Make the inside of the model channels-last (NHWC)";
  let description = [{
    Walks the function once. Convolutions and pooling in NCHW become their NHWC forms, with weights transposed as
    constants; padding, concatenation, slices, channels that become positions or are shuffled, elementwise generics and
    composites behind them follow, so that
    transposes remain only where a value enters or leaves the channels-last part: the function's arguments and
    results keep the source's layout. A generic keeps its iteration space and reads the transposed operand through a
    permuted map, then its loops are interchanged so that its result is in row-major order again.

    ```mlir
    %y = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x3x8x8xf32>, tensor<16x3x3x3xf32>) ...
    // becomes
    %t = linalg.transpose ins(%x : tensor<1x3x8x8xf32>) outs(...) permutation = [0, 2, 3, 1]
    %y = linalg.conv_2d_nhwc_hwcf ins(%t, %w' : tensor<1x8x8x3xf32>, tensor<3x3x3x16xf32>) ...
    ```

    What the source itself transposes from channels-last is converted, too; where it transposes back, both transposes go.

    Left alone: operations none of whose operands is channels-last, and reshapes that mix channels with positions
    (their operand is transposed back).
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"numConverted", "converted", "Operations made channels-last">,
                    Statistic<"numTransposes", "transposes", "Transposes inserted">];
}

def ConvertToF32 : Pass<"halftone-convert-to-f32", "::mlir::ModuleOp"> {
  let summary = "Compute f16, bf16 and f64 in f32";
  let description = [{
    All values and constants of f16, bf16 and f64 become those of f32, the interface's too, which a remark names; casts that then do nothing go. Finite
    numbers stay finite.

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<4x8xbf16>, tensor<8x2xbf16>) outs(%z : tensor<4x2xf32>)
    %h = linalg.generic ins(%y : tensor<4x2xf32>) { %t = arith.truncf : f32 to bf16 } -> tensor<4x2xbf16>
    // becomes
    %y = linalg.matmul ins(%x, %w : tensor<4x8xf32>, tensor<8x2xf32>) outs(%z : tensor<4x2xf32>)
    ```

    Left alone: modules without these types, floats of 8 bits and less. The bits of such a number as an integer (`arith.bitcast`) are an error.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::tosa::TosaDialect", "::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"numCasts", "casts", "Casts and copies that do nothing any more">];
}

def DropPaddingTaps : Pass<"halftone-drop-padding-taps", "::mlir::func::FuncOp"> {
  let summary = "Drop taps of convolutions that read nothing but padding";
  let description = [{
    Where a window is wider than the map under it (dilations of 12 on a map of 8x8, 7x7 taps on one of 2x2), some taps are over the padding at every
    position. Rows and columns of such taps at the ends of the kernel go, and with them the padding that only they needed. What is left computes
    the same sums.

    ```mlir
    %p = tensor.pad %x low[0, 12, 12, 0] high[0, 12, 12, 0] { ... 0.0 } : tensor<1x8x8x4xf32> to tensor<1x32x32x4xf32>
    %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<12> ...} ins(%p, %w : tensor<1x32x32x4xf32>, tensor<3x3x4x6xf32>) ...
    // becomes
    %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<12> ...} ins(%x, %w' : tensor<1x8x8x4xf32>, tensor<1x1x4x6xf32>) ...
    ```

    Left alone: taps within the kernel, weights that are not constants in f32, padding with another value than zero, and taps that read the input at a
    single position.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"numTrimmed", "trimmed", "Convolutions that lost taps">];
}

def FoldBatchNorm : Pass<"halftone-fold-batch-norm", "::mlir::func::FuncOp"> {
  let summary = "Fold batch normalization into the convolution before it";
  let description = [{
    With `a = scale / sqrt(variance + epsilon)` (computed in f64, rounded to f32 once at the end), a `batch_norm`
    composite whose operand is a convolution or matrix product with constant weights (and perhaps a bias), used only
    there, becomes new weights `w * a[c]` and a bias `(b - mean[c]) * a[c] + bias[c]`. Elsewhere, with constant
    statistics, it becomes one elementwise `x * a[c] + (bias[c] - mean[c] * a[c])`. Sums and products with a constant for each channel, which front ends
    write for a normalization and sources for their scales, fold into the contraction before them in the same way, if one of them is a product.

    Left alone: composites whose statistics are not constants, sums and products behind anything else.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"numFolded", "folded", "Batch normalizations folded into weights">,
                    Statistic<"numExpanded", "expanded", "Batch normalizations made elementwise">,
                    Statistic<"numSteps", "chains", "Chains of sums and products folded into weights">];
}

def FoldConstants : Pass<"halftone-fold-constants", "::mlir::ModuleOp"> {
  let summary = "Compute what depends on constants alone";
  let description = [{
    Weights that are computed from weights (weight standardization, kernels that are added up, the bias of relative positions from its table)
    become constants, so that they can be quantized and are not computed at each run. The evaluator computes them, with functions written
    out as `halftone-expand-math` does, so that the bits are those that the compiled model would compute.

    ```mlir
    %m = linalg.generic (%w : tensor<64x288xf32>) { addf } -> tensor<64xf32>
    %s = linalg.generic (%w, %m) { subf } -> tensor<64x288xf32>
    // becomes
    %s = arith.constant dense_resource<constant> : tensor<64x288xf32>
    ```

    Left alone: values with more elements than the largest constant behind them (fills, broadcasts), operations of more than 2^27 iterations,
    casts, and what is no tensor of static shape.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"folded", "folded", "Values that have become constants">];
}

def InlineSymbols : Pass<"halftone-inline-symbols", "::mlir::ModuleOp"> {
  let summary = "Make calls and globals a part of the entry function";
  let description = [{
    Private functions are inlined where they are called. Globals (`ml_program.global`) that nothing stores to are constants where they are loaded. Functions
    and globals that are then used no more go, as the seed of random numbers that torch-mlir writes into each module with dropout.

    ```mlir
    ml_program.global private @w(dense<2.0> : tensor<4xf32>) : tensor<4xf32>
    %0 = ml_program.global_load_const @w : tensor<4xf32>
    // becomes
    %0 = arith.constant dense<2.0> : tensor<4xf32>
    ```

    Left alone: globals that are stored to (`halftone-verify-import` names what is left), recursive calls.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::ml_program::MLProgramDialect"];
}

def LowerTosa : Pass<"halftone-lower-tosa", "::mlir::ModuleOp"> {
  let summary = "Bring TOSA to linalg on tensors";
  let description = [{
    A module of another compiler in the dialect `tosa` (what converters of TFLite files and PyTorch's exporters write) is lowered by MLIR's
    own passes, those of its `tosa-to-linalg` pipeline, to the forms that `halftone-recognize` knows; average pools, resizes, concatenations, functions and
    one-sided clamps on f32 become what the ONNX importer makes of them. Operations without a name get their kind and a number (`conv2d.3`).

    ```mlir
    %y = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 2, 2>} ...
    // becomes
    %p = tensor.pad %x low[0, 0, 0, 0] high[0, 1, 1, 0] ...
    %y = linalg.conv_2d_nhwc_fhwc ins(%p, %w) outs(%bias) ...
    ```

    Left alone: modules without TOSA. State (`variable`), control flow, custom operations, models in integers (`rescale`) and what does not lower
    are an error that names each kind and how often it is there.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::index::IndexDialect", "::mlir::tosa::TosaDialect",
                           "::mlir::halftone::HalftoneDialect"];
  let statistics = [Statistic<"lowered", "lowered", "Operations of TOSA">];
}

def Recognize : Pass<"halftone-recognize", "::mlir::func::FuncOp"> {
  let summary = "Bring linalg of other front ends to the entry form";
  let description = [{
    One pattern a file (lib/Import/Transforms/Recognize*.cpp): compare-and-select Relu becomes `maximumf`, the chain
    of a normalization by channel becomes the composite `batch_norm`, a sum over a window divided by its size becomes
    `avg_pool`; the least finite number around and under a max pool becomes -inf; channels-last convolutions with filters first or with a multiplier of depth get the order of weights HWCF, HWC, or groups; a batch of one product
    with constant weights is a matrix product; parts, transposes and reshapes of constants become constants, channel vectors lose extents of 1, a bias that a
    convolution's sum starts with is added after it.

    Left alone: what is in the entry form already, and chains whose intermediate values have other users.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::halftone::HalftoneDialect"];
}

def SinkDepths : Pass<"halftone-sink-depths", "::mlir::func::FuncOp"> {
  let summary = "Move depths out of the batch behind what is computed from a 3-D convolution's result";
  let description = [{
    A 3-D convolution has its depths in the batch; behind it they are split from it and moved behind the channels. Elementwise operations, functions and
    `batch_norm` of that are computed before the move, on four dimensions, if each of their tensors either has its depths moved so or does not name batch and
    depth (biases, factors). Then they are the convolution's tail (docs/Pipeline.md): nothing is rounded between them, and codes are moved, not floats.

    ```mlir
    %e = tensor.expand_shape %conv [[0, 1], [2], [3], [4]] output_shape [1, 4, 8, 6, 5] : tensor<4x8x6x5xf32> into tensor<1x4x8x6x5xf32>
    %t = linalg.transpose ins(%e) outs(...) permutation = [0, 2, 1, 3, 4]
    %r = linalg.generic (%t : tensor<1x8x4x6x5xf32>) { maximumf 0.0 }
    // becomes
    %f = linalg.generic (%conv : tensor<4x8x6x5xf32>) { maximumf 0.0 }
    %e = tensor.expand_shape %f [[0, 1], [2], [3], [4]] output_shape [1, 4, 8, 6, 5] : tensor<4x8x6x5xf32> into tensor<1x4x8x6x5xf32>
    %r = linalg.transpose ins(%e) outs(...) permutation = [0, 2, 1, 3, 4]
    ```

    Left alone: sums with a tensor that comes with its depths in place, reductions, softmax, pools.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::halftone::HalftoneDialect"];
}

def SinkReshapes : Pass<"halftone-sink-reshapes", "::mlir::func::FuncOp"> {
  let summary = "Split or move the values of a contraction behind its elementwise tail";
  let description = [{
    A product with more than two dimensions is `tensor.collapse_shape`, `linalg.matmul`, `tensor.expand_shape`. Elementwise
    operations and functions behind the expansion (bias, activation, residual addition) are computed on the matrix, and
    their result is expanded; operands that are no matrix are collapsed, and sizes of the expansion read from
    its operands. Then a product and its tail stand together, and are one sandwich (docs/Pipeline.md): nothing is rounded
    between them. The same for values whose dimensions are split, moved and joined behind a contraction (the phases of a transposed convolution,
    depth to space, shuffled channels): bias, normalization by channel and functions are computed in front of the moves, on vectors that have each
    channel's number once for each phase.

    ```mlir
    %e = tensor.expand_shape %product [[0, 1], [2]] output_shape [1, 64, 8] : tensor<64x8xf32> into tensor<1x64x8xf32>
    %b = linalg.generic (%e, %bias : tensor<1x64x8xf32>, tensor<8xf32>) { addf }
    // becomes
    %b = linalg.generic (%product, %bias : tensor<64x8xf32>, tensor<8xf32>) { addf }
    %e = tensor.expand_shape %b [[0, 1], [2]] output_shape [1, 64, 8] : tensor<64x8xf32> into tensor<1x64x8xf32>
    ```

    Left alone: expansions of columns (heads of an attention), reductions, and expansions of anything but a matrix product
    and its tail.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect", "::mlir::halftone::HalftoneDialect"];
}

def KeepHeights : Pass<"halftone-keep-heights", "::mlir::func::FuncOp"> {
  let summary = "Keep the height of 1 between 1-D convolutions and pools";
  let description = [{
    A 1-D convolution or pool works on N x C x 1 x W: the height is added before it and removed behind. Elementwise operations,
    functions, `batch_norm`, concatenations, slices and constant paddings of what it was removed from are computed with it, and the height is
    removed behind them; where it is added again, both go. So a chain of them is one of pictures: with tails, folded batch
    normalization and the layout of all others.

    ```mlir
    %s = tensor.collapse_shape %conv [[0], [1], [2, 3]] : tensor<1x8x1x20xf32> into tensor<1x8x20xf32>
    %r = linalg.generic (%s : tensor<1x8x20xf32>) { maximumf 0.0 }
    %n = tensor.expand_shape %r [[0], [1], [2, 3]] output_shape [1, 8, 1, 20] : tensor<1x8x20xf32> into tensor<1x8x1x20xf32>
    // becomes
    %n = linalg.generic (%conv : tensor<1x8x1x20xf32>) { maximumf 0.0 }
    ```

    Left alone: reductions, softmax, transposes and other reshapes, behind which the height is removed as before.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect",
                           "::mlir::halftone::HalftoneDialect"];
}

def FusePredicates : Pass<"halftone-fuse-predicates", "::mlir::func::FuncOp"> {
  let summary = "Compute comparisons where their results are read";
  let description = [{
    An elementwise operation whose result is i1 (a comparison, logic, a broadcast of one) is fused into each elementwise
    operation that reads it: attention masks and `where(isnan(x), 0, x)` become one vectorized operation, without tensors of
    i1. Predicates that anything else reads (a result of the model, a reshape) stay, too.

    ```mlir
    %p = linalg.generic (%x : tensor<4x64xf32>) { cmpf uno, x, x } -> tensor<4x64xi1>
    %y = linalg.generic (%p, %x) { select p, 0.0, x }
    // becomes
    %y = linalg.generic (%x) { select (cmpf uno, x, x), 0.0, x }
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::affine::AffineDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"fused", "fused", "Operations that compute the predicates that they read">];
}

def NameInterface : Pass<"halftone-name-interface", "::mlir::ModuleOp"> {
  let summary = "Give a foreign module the entry function's name, input and output names, and a stage";
  let description = [{
    The module must have exactly one public function: it becomes `@main`. Arguments and results without a `halftone.name` have the names that the
    function's attribute `tf.entry_function` lists, as converters of TFLite files write it, else `input`, `input1`, ... and `output`, `output1`, ...; the
    module gets its stage and version.
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect"];
}

def VerifyImport : Pass<"halftone-verify-import", "::mlir::ModuleOp"> {
  let summary = "Check what other compilers' modules are, before anything looks into them";
  let description = [{
    The entry function has one block of `linalg`, `tensor`, `arith`, `math` and Halftone's operations; its arguments and results are ranked tensors of f32, i8,
    ui8, i32, i64 or i1 (or quantized ones). Where not, one error names each kind of operation with its number, or each input and output.
  }];
}

#endif // HALFTONE_IMPORT_PASSES
