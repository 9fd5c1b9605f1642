// RUN: halftone-opt %s --halftone-expose-weights --halftone-promote-levels | FileCheck %s
// RUN: halftone-opt %s --halftone-expose-weights --halftone-promote-levels --halftone-demote-levels --halftone-store-weights | FileCheck %s --check-prefix=BACK

// Levels of a fitted codebook are those that the codes have, 0 with them where weights are pruned, in real numbers; those of a table stay,
// and equal steps have none.
// CHECK-LABEL: func @main
// CHECK-SAME: %[[L:.*]]: tensor<3xf32> {halftone.gradient_factor = 0.86602540378443871 : f64, halftone.name = "fitted.levels", halftone.pruned = "unstructured", halftone.trainable, halftone.value = dense<[-3.000000e+01, 0.000000e+00, 1.500000e+00]> : tensor<3xf32>})
// CHECK: halftone.quantize {{.*}} {halftone.level_argument = "fitted.levels", halftone.level_unit = 3.750000e-01 : f64, halftone.levels = array<i8: -80, 0, 4>}
// CHECK: halftone.quantize {{.*}} {halftone.levels = array<i8: -4, -2, -1, 0, 1, 2, 4>}
// CHECK: halftone.quantize %{{[a-z_0-9]*}} :

// BACK-LABEL: func @main(%arg0: tensor<4x2xf32>)
// BACK-COUNT-3: quant.scast
// BACK-NOT: halftone.quantize
func.func @main(%x: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %codes = arith.constant dense<[[4, -80], [-80, 4]]> : tensor<2x2xi8>
  %q = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %w = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %y = linalg.matmul {halftone.precision = "int8", halftone.pruned = "unstructured", halftone.weights = "codebook2"}
      ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("fitted")
  %codes1 = arith.constant dense<[[4, -2], [0, 1]]> : tensor<2x2xi8>
  %q1 = quant.scast %codes1 : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %w1 = halftone.dequantize %q1 : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %y1 = linalg.matmul {halftone.precision = "int8", halftone.weights = "log3"}
      ins(%x, %w1 : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("table")
  %codes2 = arith.constant dense<[[4, -2], [0, 1]]> : tensor<2x2xi8>
  %q2 = quant.scast %codes2 : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-7:7>:f32:1, {0.5, 0.25}>>
  %w2 = halftone.dequantize %q2 : tensor<2x2x!quant.uniform<i8<-7:7>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %y2 = linalg.matmul {halftone.precision = "int8", halftone.weights = "int4"}
      ins(%x, %w2 : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32> loc("steps")
  return %y, %y1, %y2 : tensor<4x2xf32>, tensor<4x2xf32>, tensor<4x2xf32>
}
