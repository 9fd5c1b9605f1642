// Zeros of pruned weights stay zero through every rounding: diffusion would spend 0.3 + 0.3 + 0.3 of a step on one of the
// taps that are 0, and the verifier counts them.
// RUN: halftone-opt %s --halftone-insert-casts --halftone-verify-quantization | FileCheck %s
// RUN: sed 's/halftone.zeros = 5/halftone.zeros = 7/' %s | not halftone-opt --halftone-insert-casts --halftone-verify-quantization 2>&1 | FileCheck %s --check-prefix=LOST
// CHECK: dense<{{\[\[\[\[}}127]], {{\[\[}}0]], {{\[\[}}0]]], {{\[\[\[}}11]], {{\[\[}}10]], {{\[\[}}10]]], {{\[\[\[}}0]], {{\[\[}}0]], {{\[\[}}0]]]]> : tensor<3x3x1x1xi8>
// LOST: error: {{.*}} has pruned weights with 7 zeros, but 5 zeros among its codes
func.func @main(%x: tensor<1x5x5x1xf32> {halftone.range = array<f32: -1.0, 3.0>}) -> tensor<1x3x3x1xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[[[1.27]], [[0.0]], [[0.0]]], [[[0.103]], [[0.103]], [[0.103]]], [[[0.0]], [[0.0]], [[0.0]]]]> : tensor<3x3x1x1xf32>
  %e = tensor.empty() : tensor<1x3x3x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  %c = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8", halftone.pruned = "unstructured", halftone.zeros = 5 : i64,
      dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %weights : tensor<1x5x5x1xf32>, tensor<3x3x1x1xf32>) outs(%f : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  return %c : tensor<1x3x3x1xf32>
}
