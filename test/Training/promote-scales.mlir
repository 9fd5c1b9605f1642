// RUN: halftone-opt %s --halftone-promote-scales --split-input-file --mlir-print-local-scope | FileCheck %s
// RUN: halftone-opt %s --halftone-promote-scales --halftone-demote-scales --split-input-file | FileCheck %s --check-prefix=BACK
// RUN: halftone-opt %s --halftone-promote-scales --halftone-simulate-casts --split-input-file --mlir-print-local-scope | FileCheck %s --check-prefix=SIMULATED

// The factor is 1 / sqrt(4 values of a sample * 155), 155 being the code that is farthest from -28; of a weight it is
// 1 / sqrt(2 values of a channel * 127). The reshape's codes are of the same scale.
// CHECK-LABEL: func @main
// CHECK-SAME: %[[X:.*]]: tensor<2x4xf32>, %[[W:[a-z0-9]*]]: tensor<2x2xf32>
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<f32> {halftone.gradient_factor = 0.04016{{[0-9]*}} : f64, halftone.name = "x.scale", halftone.positive, halftone.trainable, halftone.value = dense<5.000000e-01> : tensor<f32>}
// CHECK-SAME: %[[T:[a-z0-9]*]]: tensor<2xf32> {halftone.gradient_factor = 0.06274{{[0-9]*}} : f64, halftone.name = "x.scale.1", halftone.positive, halftone.trainable, halftone.value = dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>}
// CHECK: halftone.quantize %[[X]] {halftone.scale = "x.scale"}
// CHECK: halftone.quantize %[[W]] {halftone.scale = "x.scale.1"}

// SIMULATED-LABEL: func @main
// SIMULATED-SAME: %[[X:.*]]: tensor<2x4xf32>, %[[W:[a-z0-9]*]]: tensor<2x2xf32>, %[[S:[a-z0-9]*]]: tensor<f32> {{{.*}}}, %[[T:[a-z0-9]*]]: tensor<2xf32>
// SIMULATED: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>, {{.*}} ins(%[[X]], %[[S]]
// SIMULATED-NEXT: ^bb0(%[[V:.*]]: f32, %[[STEP:.*]]: f32, %{{.*}}: f32)
// SIMULATED-NEXT: arith.divf %[[V]], %[[STEP]]
// SIMULATED: math.roundeven
// SIMULATED-NEXT: arith.mulf %{{.*}}, %[[STEP]]
// SIMULATED: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d1)>, {{.*}} ins(%[[W]], %[[T]]

// BACK-LABEL: func @main
// BACK-SAME: (%{{.*}}: tensor<2x4xf32>, %{{.*}}: tensor<2x2xf32>)
// BACK-NOT: halftone.scale
// BACK: tensor.collapse_shape {{.*}} into tensor<8x!quant.uniform<i8:f32, 5.000000e-01:-28>>
// BACK: tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.500000e-01}>>
func.func @main(%x: tensor<2x4xf32>, %w: tensor<2x2xf32>) -> (tensor<8xf32>, tensor<2x2xf32>) {
  %q = halftone.quantize %x : tensor<2x4xf32> to tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> loc("x")
  %c = tensor.collapse_shape %q [[0, 1]] : tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> into tensor<8x!quant.uniform<i8:f32, 0.5:-28>>
  %y = halftone.dequantize %c : tensor<8x!quant.uniform<i8:f32, 0.5:-28>> to tensor<8xf32>
  %p = halftone.quantize %w : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> loc("x")
  %z = halftone.dequantize %p : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  return %y, %z : tensor<8xf32>, tensor<2x2xf32>
}

// -----

// A concatenation's operands and result have one scale.
// CHECK-LABEL: func @main
// CHECK-SAME: (%{{.*}}: tensor<2x4xf32>, %{{[a-z0-9]*}}: tensor<f32> {{{[^}]*}}"joined.scale"{{[^}]*}}}) ->
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x8xf32> {
  %n = linalg.negf ins(%x : tensor<2x4xf32>) outs(%x : tensor<2x4xf32>) -> tensor<2x4xf32>
  %q = halftone.quantize %x : tensor<2x4xf32> to tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> loc("joined")
  %r = halftone.quantize %n : tensor<2x4xf32> to tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>>
  %a = halftone.dequantize %q : tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> to tensor<2x4xf32>
  %b = halftone.dequantize %r : tensor<2x4x!quant.uniform<i8:f32, 0.5:-28>> to tensor<2x4xf32>
  %j = tensor.concat dim(1) %a, %b : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %t = halftone.quantize %j : tensor<2x8xf32> to tensor<2x8x!quant.uniform<i8:f32, 0.5:-28>>
  %y = halftone.dequantize %t : tensor<2x8x!quant.uniform<i8:f32, 0.5:-28>> to tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// -----

// Constant codes, and codes that go where their type is known, have fixed scales.
// CHECK-LABEL: func @main
// CHECK-SAME: (%{{.*}}: tensor<4xf32>) ->
// CHECK-NOT: halftone.scale =
func.func @main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<2xf32>) {
  %q = halftone.quantize %x : tensor<4xf32> to tensor<4x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>>
  %e = tensor.expand_shape %q [[0, 1]] output_shape [4, 1] : tensor<4x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>> into tensor<4x1x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>>
  %c = tensor.collapse_shape %e [[0, 1]] : tensor<4x1x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>> into tensor<4x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>>
  %d = halftone.dequantize %c : tensor<4x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.5, 0.5, 0.5}>> to tensor<4xf32>
  %codes = arith.constant dense<[1, 2]> : tensor<2xi8>
  %s = quant.scast %codes : tensor<2xi8> to tensor<2x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>>
  %y = halftone.dequantize %s : tensor<2x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>> to tensor<2xf32>
  return %d, %y : tensor<4xf32>, tensor<2xf32>
}
