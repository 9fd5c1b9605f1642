// RUN: halftone-opt %s --halftone-prune-weights="assigned" 2>&1 | FileCheck %s

// Each layer has its own share, the last one too; what has none stays dense, and what has no blocks says so. Means stay for the
// correction of biases.
// CHECK: remark: stays dense, whatever sparsity the recipe gives it: depthwise convolutions have no blocks
// CHECK: remark: stays dense, whatever sparsity the recipe gives it: it has less than 4 input channels
// CHECK: linalg.matmul {halftone.channel_means = array<f32: {{[0-9.e+, ]*}}>} ins
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc
// CHECK-NOT: halftone.{{pruned|sparsity}}
// CHECK: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00], [3.000000e+00], [3.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<8x1xf32>
// CHECK: linalg.matmul {halftone.channel_means = {{[^"]*}}halftone.pruned = "blocks", halftone.zeros = 4 : i64}
func.func @main(%x: tensor<1x8xf32>, %d: tensor<1x3x3x4xf32>, %n: tensor<1x3xf32>) -> (tensor<1x1xf32>, tensor<1x2x2x4xf32>, tensor<1x1xf32>, tensor<1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %dense = arith.constant dense<2.0> : tensor<8x1xf32>
  %wd = arith.constant dense<1.0> : tensor<2x2x4xf32>
  %narrow = arith.constant dense<1.0> : tensor<3x1xf32>
  %w = arith.constant dense<[[1.0], [2.0], [2.0], [2.0], [3.0], [3.0], [3.0], [3.0]]> : tensor<8x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %ed = tensor.empty() : tensor<1x2x2x4xf32>
  %fd = linalg.fill ins(%zero : f32) outs(%ed : tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32>
  %0 = linalg.matmul {halftone.channel_means = array<f32: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0>}
      ins(%x, %dense : tensor<1x8xf32>, tensor<8x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  %1 = linalg.depthwise_conv_2d_nhwc_hwc {halftone.sparsity = 0.5 : f64, dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%d, %wd : tensor<1x3x3x4xf32>, tensor<2x2x4xf32>) outs(%fd : tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32>
  %2 = linalg.matmul {halftone.sparsity = 0.5 : f64} ins(%n, %narrow : tensor<1x3xf32>, tensor<3x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  %3 = linalg.matmul {halftone.sparsity = 0.5 : f64, halftone.channel_means = array<f32: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0>}
      ins(%x, %w : tensor<1x8xf32>, tensor<8x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %0, %1, %2, %3 : tensor<1x1xf32>, tensor<1x2x2x4xf32>, tensor<1x1xf32>, tensor<1x1xf32>
}
