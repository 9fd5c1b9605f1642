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

// By group: the first column's codes are 3 and 6 times levels of [-7, 7], the second's 1 and 2 times such. Of several multipliers the least that clips no weight
// that was kept: 5.2 is within the levels of 1, 14.2 nearly within those of 2, and is brought there.
// CHECK-LABEL: func @groups
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}2.000000e+01, 3.000000e+00], {{.*}}[-4.100000e+01, 1.400000e+01]{{.*}}> : tensor<18x2xf32>
// CHECK: halftone.quantize %[[W]] {halftone.largest_level = 7 : i64, halftone.multipliers = dense<{{\[\[}}3, 1], [3, 1], {{.*}}, [6, 2], [6, 2]]> : tensor<18x2xi8>}
// BACK-LABEL: func @groups
// BACK: arith.constant dense<{{\[\[}}21, 3], [3, -5], {{.*}}[-42, 14], [6, 0]]> : tensor<18x2xi8>
func.func @groups(%x: tensor<4x18xf32>) -> tensor<4x2xf32> {
  %codes = arith.constant dense<[[21, 3], [3, -5], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0], [0, 0],
                                 [-42, 14], [6, 0]]> : tensor<18x2xi8>
  %q = quant.scast %codes : tensor<18x2xi8> to tensor<18x2x!quant.uniform<i8<-127:127>:f32:1, {1.0, 1.0}>>
  %w = halftone.dequantize %q : tensor<18x2x!quant.uniform<i8<-127:127>:f32:1, {1.0, 1.0}>> to tensor<18x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = linalg.matmul {halftone.granularity = "group:16", halftone.precision = "int8", halftone.weights = "int4",
      halftone.float_weights = dense<[[20.0, 3.0], [3.4, -5.2], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0],
                                      [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [-41.0, 14.2], [5.0, 0.0]]> : tensor<18x2xf32>}
      ins(%x, %w : tensor<4x18xf32>, tensor<18x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
