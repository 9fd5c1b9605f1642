// RUN: halftone-opt %s --halftone-calibration-pipeline="stats=%S/Inputs/channels.json" --split-input-file --verify-diagnostics | FileCheck %s
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/extrema.json channel-extrema" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=EXTREMA
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/channels.json channel-extrema" --split-input-file 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/ranges.json row-gains" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=ROWS
// RUN: halftone-opt %s --halftone-calibration-pipeline="stats=%S/Inputs/ranges.json activations=auto" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=AUTO
// RUN: halftone-opt %s --halftone-calibration-pipeline="stats=%S/Inputs/channels.json activations=auto" --split-input-file --verify-diagnostics | FileCheck %s

// Of 449 rows of two elements 448 lie between 1 and 2, which are four steps of 64 / 255, and one has 64.
// ROWS: halftone.rounding_noise = {{[0-9.]+}}E-4 : f64, halftone.row_gain = {{30[0-9][.]}}
// AUTO: halftone.precision = "dynamic"

// EXTREMA: linalg.matmul {halftone.channel_highs = array<f32: 1.000000e+00, 0.000000e+00>, halftone.channel_lows = array<f32: 0.000000e+00, -4.000000e+00>,
// EXTREMA-SAME: halftone.channel_positions = 2 : i64
// UNKNOWN: needs the extrema of channels, which '{{.*}}channels.json' does not have; calibrate this model again
// CHECK: linalg.matmul {halftone.channel_means = array<f32: 5.000000e-01, -2.000000e+00>, halftone.range =
func.func @main(%x: tensor<1x2xf32> {halftone.name = "x"}) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.27, 0.104], [0.0, 1.27]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("gemm")
  return %m : tensor<1x2xf32>
}

// -----

// The same values, but no contraction with constant weights.
// expected-error@+1 {{has other contractions than}}
module {
  func.func @main(%x: tensor<1x2xf32> {halftone.name = "x"}) -> tensor<1x2xf32> {
    %m = halftone.composite "exp"(%x) {} : (tensor<1x2xf32>) -> tensor<1x2xf32> {
    ^bb0(%a: tensor<1x2xf32>):
      halftone.yield %a : tensor<1x2xf32>
    } loc("gemm")
    return %m : tensor<1x2xf32>
  }
}
