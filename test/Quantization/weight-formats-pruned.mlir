// Zeros of pruned contractions stay 0 in every format, also where the format has no level 0; other zeros get a level.
// RUN: halftone-opt %s --halftone-insert-casts=weight-scales=max | FileCheck %s

// CHECK-LABEL: func @main
// CHECK: dense<{{\[\[}}127, -50], [0, 127], [50, 0], [-127, 50]]> : tensor<4x2xi8>
// CHECK: dense<{{\[\[}}127, -50], [50, 127], [50, 50], [-127, 50]]> : tensor<4x2xi8>
func.func @main(%x: tensor<1x4xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %w = arith.constant dense<[[1.27, -0.8], [0.0, 2.54], [0.4, 0.0], [-1.0, 0.9]]> : tensor<4x2xf32>
  %p = linalg.matmul {halftone.precision = "int8", halftone.pruned = "unstructured", halftone.weights = array<i8: -127, -50, 50, 127>} ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %d = linalg.matmul {halftone.precision = "int8", halftone.weights = array<i8: -127, -50, 50, 127>} ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %p, %d : tensor<1x2xf32>, tensor<1x2xf32>
}
