// RUN: halftone-opt %s --halftone-insert-observers | FileCheck %s --check-prefix=OBSERVED
// RUN: halftone-opt %s --halftone-precision-pipeline | FileCheck %s

// A grouped convolution ends where its groups are joined: there it is observed, and there the product behind it finds its range.
// OBSERVED: halftone.observed = ["0:x", "1:join", "2:product"]
// CHECK: tensor.collapse_shape {{.*}}halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"

func.func @main(%x: tensor<1x4x4x2x1xf32> {halftone.name = "x", halftone.range = array<f32: -1.0, 1.0>}) -> tensor<16x3xf32> {
  %zero = arith.constant 0.0 : f32
  %filters = arith.constant dense<0.5> : tensor<2x2x1x1x1xf32>
  %empty = tensor.empty() : tensor<1x4x4x2x2xf32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x4x2x2xf32>) -> tensor<1x4x4x2x2xf32>
  %grouped = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %filters : tensor<1x4x4x2x1xf32>, tensor<2x2x1x1x1xf32>) outs(%start : tensor<1x4x4x2x2xf32>) -> tensor<1x4x4x2x2xf32> loc("grouped")
  %joined = tensor.collapse_shape %grouped [[0], [1], [2], [3, 4]] {halftone.range = array<f32: -2.0, 2.0>}
      : tensor<1x4x4x2x2xf32> into tensor<1x4x4x4xf32> loc("join")
  %rows = tensor.collapse_shape %joined [[0, 1, 2], [3]] : tensor<1x4x4x4xf32> into tensor<16x4xf32>
  %weights = arith.constant dense<0.25> : tensor<4x3xf32>
  %none = tensor.empty() : tensor<16x3xf32>
  %sums = linalg.fill ins(%zero : f32) outs(%none : tensor<16x3xf32>) -> tensor<16x3xf32>
  %product = linalg.matmul ins(%rows, %weights : tensor<16x4xf32>, tensor<4x3xf32>) outs(%sums : tensor<16x3xf32>) -> tensor<16x3xf32> loc("product")
  return %product : tensor<16x3xf32>
}
