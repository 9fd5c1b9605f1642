// RUN: halftone-opt %s --halftone-expose-blocks --split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-expose-blocks=only=h.* --split-input-file | FileCheck %s --check-prefix=ONLY

// The residual addition, with the values that the next operation reads: behind the student's casts. By name, the first product.
// CHECK-LABEL: func @main
// CHECK-SAME: -> (tensor<4x2xf32> {halftone.name = "y"}, tensor<4x2xf32> {halftone.name = "halftone.block.block"})
// CHECK: %[[D:.*]] = halftone.dequantize
// CHECK: %[[Y:.*]] = linalg.matmul ins(%[[D]]
// CHECK: return %[[Y]], %[[D]]
// CHECK-LABEL: func private @teacher
// CHECK-SAME: -> (tensor<4x2xf32>, tensor<4x2xf32> {halftone.name = "halftone.block.block"})
// CHECK: %[[B:.*]] = linalg.add
// CHECK: return %{{.*}}, %[[B]]

// ONLY-LABEL: func @main
// ONLY-SAME: tensor<4x2xf32> {halftone.name = "halftone.block.h"})
// ONLY: %[[H:.*]] = linalg.matmul
// ONLY: return %{{.*}}, %[[H]]
func.func @main(%x: tensor<4x2xf32>) -> (tensor<4x2xf32> {halftone.name = "y"}) {
  %w = arith.constant dense<[[1.0, 0.6], [0.5, 0.02]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("h")
  %m = linalg.exp ins(%h : tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("m")
  %b = linalg.add ins(%m, %x : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("block")
  %q = halftone.quantize %b : tensor<4x2xf32> to tensor<4x2x!quant.uniform<i8:f32, 0.5>>
  %d = halftone.dequantize %q : tensor<4x2x!quant.uniform<i8:f32, 0.5>> to tensor<4x2xf32>
  %y = linalg.matmul ins(%d, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("y")
  return %y : tensor<4x2xf32>
}
func.func private @teacher(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 0.7], [0.5, 0.02]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %h = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("h")
  %m = linalg.exp ins(%h : tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("m")
  %b = linalg.add ins(%m, %x : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("block")
  %y = linalg.matmul ins(%b, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("y")
  return %y : tensor<4x2xf32>
}
