// RUN: halftone-opt %s --halftone-store-weights | FileCheck %s

// Rule A1: half to even, clamped to [-127, 127]; a constant for an activation's type, and what is computed, stay.
// CHECK-LABEL: func @main
// CHECK: %[[CODES:.*]] = arith.constant dense<{{\[\[}}2, -127], [2, 127]]> : tensor<2x2xi8>
// CHECK: quant.scast %[[CODES]]
// CHECK: halftone.quantize
// CHECK: halftone.quantize
func.func @main(%x: tensor<2x2xf32>)
    -> (tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>,
        tensor<2x2x!quant.uniform<i8:f32, 0.5>>) {
  %w = arith.constant dense<[[1.25, -40.0], [0.75, 40.0]]> : tensor<2x2xf32>
  %q = halftone.quantize %w : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %r = halftone.quantize %x : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %a = halftone.quantize %w : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 0.5>>
  return %q, %r, %a : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8:f32, 0.5>>
}

// 100 + 60 exceeds the bound of a pair by 32, of which both lose half.
// CHECK-LABEL: func @pairs
// CHECK: arith.constant dense<{{\[\[}}84], [44], [-127], [3]]> : tensor<4x1xi8>
func.func @pairs(%x: tensor<1x4xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<[[100.0], [60.0], [-127.0], [3.0]]> : tensor<4x1xf32>
  %q = halftone.quantize %w : tensor<4x1xf32> to tensor<4x1x!quant.uniform<i8<-127:127>:f32:1, {1.0}>>
  %r = halftone.dequantize %q : tensor<4x1x!quant.uniform<i8<-127:127>:f32:1, {1.0}>> to tensor<4x1xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul {halftone.weights = "int8pair"} ins(%x, %r : tensor<1x4xf32>, tensor<4x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
