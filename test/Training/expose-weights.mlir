// RUN: halftone-opt %s --halftone-expose-weights | FileCheck %s
// RUN: halftone-opt %s --halftone-expose-weights --halftone-store-weights | FileCheck %s --check-prefix=BACK

// Codes become their real values, quantized; activations, and codes that are not constant, stay. And back: the same codes.
// CHECK-LABEL: func @main
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, -3.175000e+01], [1.500000e+00, 1.000000e+00]]> : tensor<2x2xf32>
// CHECK: %[[Q:.*]] = halftone.quantize %[[W]] : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.500000e-01}>>
// CHECK: halftone.dequantize %[[Q]]
// CHECK: quant.scast %{{.*}} : tensor<2x2xi8>

// BACK-LABEL: func @main
// BACK: %[[CODES:.*]] = arith.constant dense<{{\[\[}}1, -127], [3, 4]]> : tensor<2x2xi8>
// BACK: %[[Q:.*]] = quant.scast %[[CODES]]
// BACK: halftone.dequantize %[[Q]]
// BACK: halftone.quantize %{{.*}} : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 5.000000e-01>>
func.func @main(%x: tensor<2x2xf32>, %c: tensor<2x2xi8>)
    -> (tensor<2x2xf32>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8:f32, 0.5>>) {
  %codes = arith.constant dense<[[1, -127], [3, 4]]> : tensor<2x2xi8>
  %q = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %w = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %r = quant.scast %c : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %a = halftone.quantize %x : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 0.5>>
  return %w, %r, %a : tensor<2x2xf32>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>, tensor<2x2x!quant.uniform<i8:f32, 0.5>>
}
