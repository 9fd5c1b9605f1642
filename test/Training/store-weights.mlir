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
