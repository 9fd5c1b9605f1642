//===- Passes.td - passes of the integer stage -----------------*- tablegen -*-===//
#ifndef HALFTONE_INTEGER_PASSES
#define HALFTONE_INTEGER_PASSES

include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"halftone-expand-math"> {
  let summary = "Write out transcendental functions as polynomials";
  let description = [{
    Each of exp, log, tanh, erf, sin, cos, pow, rsqrt, ... on f32 becomes one fixed text of IEEE additions,
    multiplications, divisions, fused multiply-adds and square roots (rule A15 of docs/Arithmetic.md), so that tables,
    the reference and the vector code compute the same bits and nothing calls a mathematical library. It runs right
    after import, before a folder can evaluate a constant with the host's library; it folds nothing itself.

    ```mlir
    %0 = math.rsqrt %x : f32
    // becomes
    %s = math.sqrt %x : f32
    %0 = arith.divf %one, %s : f32
    ```

    Left alone: absf, ceil, copysign, floor, fma, roundeven, sqrt, trunc, which are one instruction each. A function that
    has no polynomial (of another element type, for example) is an error.
  }];
  let dependentDialects = ["::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"expanded", "expanded", "Mathematical functions written out">];
}

def FuseMultiplyAdd : Pass<"halftone-fuse-multiply-add"> {
  let summary = "Sum float products by fused multiply-add";
  let description = [{
    In the region of a float contraction `acc + a * b` becomes `math.fma(a, b, acc)` (rule A16 of docs/Arithmetic.md),
    so that the reference and the vector code round once per step. A named operation becomes a generic first, because its
    region is not its own.

    ```mlir
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    // becomes
    %s = math.fma %a, %b, %acc : f32
    ```

    Left alone: operations without a reduction (an elementwise product and sum rounds twice), integers, and products
    that something else reads too.
  }];
  let dependentDialects = ["::mlir::math::MathDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [Statistic<"fused", "fused", "Contractions that sum by fused multiply-add">];
}

def ConvertContraction : Pass<"halftone-convert-contraction", "::mlir::func::FuncOp"> {
  let summary = "Make quantized convolutions and matrix products integer";
  let description = [{
    A named contraction of a dequantized tensor and dequantized constant weights, with its tail (collapse, bias,
    residual addition, clamps, quantization), becomes the same operation on i8 with an i32 result and one generic that
    requantizes (rules A5 to A10 of docs/Arithmetic.md). Codebook weights are decoded to their levels. Without a
    quantization behind it, or with a function before that, the result is f32, computed from the accumulator and the bias.

    ```mlir
    %x = halftone.dequantize %xq : tensor<1x8x!qx> to tensor<1x8xf32>
    %w = halftone.dequantize %wq : tensor<8x4x!qw> to tensor<8x4xf32>
    %c = linalg.matmul ins(%x, %w) outs(%zero)
    %b = linalg.generic (%c, %bias) { arith.addf }
    %y = halftone.quantize %b : tensor<1x4xf32> to tensor<1x4x!qy>
    // becomes
    %acc = linalg.matmul ins(%codes, %weights : tensor<1x8xi8>, tensor<8x4xi8>) outs(%zero : tensor<1x4xi32>)
    %y = linalg.generic (%acc, %bias', %m : tensor<1x4xi32>, tensor<4xi32>, tensor<4xf32>) {
      addi, sitofp, mulf, clamp by cmpf and select, roundeven, fptosi, addi, trunci }
    ```

    Left alone, with `halftone.reason` where it begins at codes: weights that are no constant, sums that do not start
    at zero, channels of several scales, accumulators that could overflow.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"converted", "converted", "Contractions made integer">];
}

def ConvertFloatActivations : Pass<"halftone-convert-float-activations", "::mlir::func::FuncOp"> {
  let summary = "Use quantized weights with activations that have no calibrated range";
  let description = [{
    A named contraction of floats and dequantized constant weights, by its `halftone.precision`:

    - "dynamic": each row of a matrix, each image of a convolution gets a scale and a zero point from its extrema when it runs;
      the contraction is that of i8 codes, and one generic scales the sum (rule A19 of docs/Arithmetic.md). Where what makes
      the activation shows that it cannot be negative (a Relu, a softmax, sums of such) the zero point is -128.
    - "weights": the contraction sums products of floats and codes, and one generic scales the sum (rule A20).

    ```mlir
    %w = halftone.dequantize %wq : tensor<8x4x!qw> to tensor<8x4xf32>
    %c = linalg.matmul {halftone.precision = "dynamic"} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%zero)
    // becomes
    %h, %n = the largest of 0 and x, of 0 and -x, of each row
    %s = %h / 255 + %n / 255
    %least = -roundeven(%n / %s)
    %shift = fptosi(%least + 128)
    %q = linalg.generic (%x, %s, %least) { divf, clamp, roundeven, subf, fptosi, addi -128, trunci }
    %acc = linalg.matmul ins(%q, %weights : tensor<2x8xi8>, tensor<8x4xi8>) outs(%zero : tensor<2x4xi32>)
    %c = linalg.generic (%acc, %m, %s, %totals, %shift : tensor<2x4xi32>, tensor<4xf32>, tensor<2xf32>, tensor<4xi32>, tensor<2xi32>)
      { addi (muli totals, shift), sitofp, mulf (mulf s, m) }
    ```

    Codes are rounded in front of an expansion into groups, and of padding with zeros where the zero point is -128. A bias by channel becomes part of
    the last generic. Left alone, with `halftone.reason`: weights that are no constant, sums that do not start at zero,
    channels of several scales, (dynamic) accumulators that could overflow.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"converted", "converted", "Contractions converted">];
}

def ConvertDataMovement : Pass<"halftone-convert-data-movement", "::mlir::func::FuncOp"> {
  let summary = "Move codes instead of real numbers";
  let description = [{
    Padding, slices, reshapes, transposes and concatenations of a dequantized or quantized tensor work on i8, with the
    dequantize behind them; padding with 0.0 becomes the zero point, padding with -inf in front of max pools the lowest
    code. A composite that only copies (a nearest resize) is inlined on codes. A quantize moves in front of a reshape that only it reads. A concatenation of
    different types in front of a quantize requantizes each input that needs it (rule A14 of docs/Arithmetic.md).

    ```mlir
    %x = halftone.dequantize %xq : tensor<1x4x4x2x!qx> to tensor<1x4x4x2xf32>
    %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] { 0.0 }
    // becomes, with %codes the i8 view of %xq
    %p8 = tensor.pad %codes low[0, 1, 1, 0] high[0, 1, 1, 0] { zero point }
    %pq = quant.scast %p8 : tensor<1x6x6x2xi8> to tensor<1x6x6x2x!qx>
    %p = halftone.dequantize %pq : tensor<1x6x6x2x!qx> to tensor<1x6x6x2xf32>
    ```

    Left alone: tensors with a scale per channel (weights are decoded by their contraction), padding with other numbers,
    `nofold` padding.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"moved", "moved", "Operations that move codes">];
}

def ConvertPooling : Pass<"halftone-convert-pooling", "::mlir::func::FuncOp"> {
  let summary = "Pool codes";
  let description = [{
    `linalg.pooling_nhwc_max` of a dequantized tensor works on codes. The composite `avg_pool` becomes
    `linalg.pooling_nhwc_sum` from i8 to i32 and one generic: window sums, minus the zero points in them, times a
    multiplier with the count in it, by position where counts differ (rule A13 of docs/Arithmetic.md). Padding holds the
    zero point.

    ```mlir
    %y = halftone.composite "avg_pool"(%x) {...} : (tensor<1x4x4x8xf32>) -> tensor<1x1x1x8xf32> { ... }
    %yq = halftone.quantize %y : ...
    // becomes
    %sum = linalg.pooling_nhwc_sum ins(%codes, %window : tensor<1x4x4x8xi8>, tensor<4x4xi8>) outs(%zero : tensor<1x1x1x8xi32>)
    %yq = linalg.generic (%sum) { subi 16 z, sitofp, mulf m, clamp, roundeven, fptosi, addi, trunci }
    ```

    Left alone, with `halftone.reason`: a maximum that starts at a number, an average that is no divided sum in NHWC.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"converted", "converted", "Pools that work on codes">];
}

def ConvertProducts : Pass<"halftone-convert-products", "::mlir::func::FuncOp"> {
  let summary = "Make products of two quantized activations integer";
  let description = [{
    A `linalg.batch_matmul` of two dequantized tensors, as in attention, becomes `linalg.quantized_batch_matmul` on i8 with
    an i32 result, whose zero points are its operands, and one generic that requantizes where a quantization follows at
    once, or gives the f32 result (rule A21 of docs/Arithmetic.md).

    ```mlir
    %a = halftone.dequantize %aq : tensor<2x3x8x!qa> to tensor<2x3x8xf32>
    %b = halftone.dequantize %bq : tensor<2x8x4x!qb> to tensor<2x8x4xf32>
    %c = linalg.batch_matmul ins(%a, %b) outs(%zero)
    // becomes
    %acc = linalg.quantized_batch_matmul ins(%acodes, %bcodes, %za, %zb : tensor<2x3x8xi8>, tensor<2x8x4xi8>, i32, i32)
                                         outs(%zero : tensor<2x3x4xi32>)
    %c = linalg.generic (%acc) { sitofp, mulf }
    ```

    Left alone, with `halftone.reason`: products with one factor in floats, sums that do not start at zero, accumulators that
    could overflow.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"converted", "converted", "Products made integer">];
}

def TabulateUnary : Pass<"halftone-tabulate-unary", "::mlir::func::FuncOp"> {
  let summary = "Make tables of elementwise functions of one quantized tensor";
  let description = [{
    Generics and composites between one dequantize and a quantize that compute each element from the same element only
    become `halftone.lookup` with a table of 256 codes, filled by the evaluator (rule A12 of docs/Arithmetic.md). A
    quantize of a dequantize of another type is such a function too.

    ```mlir
    %x = halftone.dequantize %xq : tensor<1x8x!qx> to tensor<1x8xf32>
    %s = halftone.composite "sigmoid"(%x) {} ...
    %y = halftone.quantize %s : tensor<1x8xf32> to tensor<1x8x!qy>
    // becomes
    %y = halftone.lookup ins(%codes, %table : tensor<1x8xi8>, tensor<256xi8>) outs(%init : tensor<1x8xi8>) -> tensor<1x8xi8>
    ```

    Left alone: functions with constants by channel, broadcasts, reductions, functions of several tensors.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"tabulated", "tabulated", "Functions made tables">];
}

def ConvertElementwise : Pass<"halftone-convert-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Compute elementwise operations from codes to codes";
  let description = [{
    Elementwise generics and functions (composites) between dequantized tensors or accumulators and one quantize are fused,
    values that are read several times within included, and become one generic on i8. Addition, subtraction and product of
    two tensors, perhaps clamped, have multipliers of their own; any other region computes in f32 between the real numbers of
    its operands and a quantization (rule A11 of docs/Arithmetic.md).

    ```mlir
    %s = linalg.generic (%a, %b : f32) { arith.addf }
    %y = halftone.quantize %s : tensor<1x8xf32> to tensor<1x8x!qy>
    // becomes
    %y = linalg.generic (%codesOfA, %codesOfB : i8) { f32(a - za) * ma + f32(b - zb) * mb, clamp, roundeven, ... }
    ```

    Left alone: generics whose result something else reads too, and those that read no codes.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"converted", "converted", "Elementwise operations on codes">];
}

def ConvertBoundaries : Pass<"halftone-convert-boundaries", "::mlir::func::FuncOp"> {
  let summary = "Write out the remaining quantize and dequantize";
  let description = [{
    The last step of the stage: a `halftone.quantize` or `halftone.dequantize` that is left, at the entry, at the exit
    and around operations that stay float, becomes a generic between f32 and i8 (rules A1 to A3 of docs/Arithmetic.md).
    Codebook codes first become levels by `halftone.lookup`. Casts that meet disappear, and the sizes of dynamic
    dimensions are read from values that exist anyway.

    ```mlir
    %q = halftone.quantize %x : tensor<?x8xf32> to tensor<?x8x!quant.uniform<i8:f32, 0.05:-3>>
    // becomes
    %q = linalg.generic (%x : tensor<?x8xf32>) -> tensor<?x8xi8> { divf 0.05, clamp, roundeven, fptosi, addi -3, trunci }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::quant::QuantDialect", "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"quantizations", "quantizations", "Quantizations written out">,
                    Statistic<"dequantizations", "dequantizations", "Dequantizations written out">];
}

def VerifyInteger : Pass<"halftone-verify-integer"> {
  let summary = "Check the contract of the integer stage";
  let description = [{
    Errors: a quantized type that is left; a sum of codes that can leave 32 bits, proved by channel from the constant
    weights and bias in the IR (rule A18 of docs/Arithmetic.md). Remarks: each operation that computes floats from
    floats, with its `halftone.reason`, and the share of multiply-accumulates that run in integers
    (`countMultiplyAccumulates`).
  }];
  let statistics = [Statistic<"floatOps", "float-ops", "Operations that stay float">,
                    Statistic<"integerMultiplyAccumulates", "integer-macs", "Multiply-accumulates in integers">,
                    Statistic<"floatMultiplyAccumulates", "float-macs", "Multiply-accumulates in floats">];
}

#endif // HALFTONE_INTEGER_PASSES
