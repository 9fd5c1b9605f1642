// RUN: halftone-opt %s --halftone-simulate-casts --split-input-file --verify-diagnostics | FileCheck %s

// The code's real value: division, clamp to [qmin - z, qmax - z], rounding, multiplication; the reshape moves real values.
// CHECK-LABEL: func @activation
// CHECK-SAME: (%[[X:.*]]: tensor<2x2xf32>) -> tensor<4xf32>
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%[[X]]
// CHECK-DAG: arith.constant 5.000000e-01
// CHECK-DAG: arith.divf
// CHECK-DAG: arith.constant -1.250000e+02
// CHECK: arith.maximumf
// CHECK: arith.constant 1.300000e+02
// CHECK: arith.minimumf
// CHECK: math.roundeven
// CHECK: arith.mulf
// CHECK: %[[R:.*]] = tensor.collapse_shape %[[Q]] {{.*}} : tensor<2x2xf32> into tensor<4xf32>
// CHECK: return %[[R]]
func.func @activation(%x: tensor<2x2xf32>) -> tensor<4xf32> {
  %q = halftone.quantize %x : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 0.5:-3>>
  %c = tensor.collapse_shape %q [[0, 1]] : tensor<2x2x!quant.uniform<i8:f32, 0.5:-3>> into tensor<4x!quant.uniform<i8:f32, 0.5:-3>>
  %y = halftone.dequantize %c : tensor<4x!quant.uniform<i8:f32, 0.5:-3>> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Weights: a scale for each channel; constant codes are their real values.
// CHECK-LABEL: func @weights
// CHECK-SAME: (%[[W:.*]]: tensor<2x2xf32>)
// CHECK: %[[S:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[S]]
// CHECK: %[[C:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 5.000000e-01], [1.500000e+00, 1.000000e+00]]> : tensor<2x2xf32>
// CHECK: return %[[Q]], %[[C]]
func.func @weights(%w: tensor<2x2xf32>) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %q = halftone.quantize %w : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %y = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %codes = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %s = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %z = halftone.dequantize %s : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  return %y, %z : tensor<2x2xf32>, tensor<2x2xf32>
}

// -----

// By group: the step of each weight is the scale of its channel times the multiplier of its group, and codes end at the largest level.
// CHECK-LABEL: func @groups
// CHECK-SAME: (%[[W:.*]]: tensor<2x2xf32>)
// CHECK: %[[S:.*]] = arith.constant dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK: %[[M:.*]] = arith.constant dense<{{\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// CHECK: %[[STEPS:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[M]]
// CHECK: arith.mulf
// CHECK: linalg.generic {{.*}} ins(%[[W]], %[[STEPS]]
// CHECK: arith.constant -7.000000e+00
// CHECK: arith.maximumf
// CHECK: arith.constant 7.000000e+00
// CHECK: arith.minimumf
// CHECK: math.roundeven
func.func @groups(%w: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %q = halftone.quantize %w {halftone.largest_level = 7 : i64, halftone.multipliers = dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>}
      : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %y = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @codes_of_an_argument(%codes: tensor<2x2xi8>) -> tensor<2x2xf32> {
  // expected-error @+1 {{cannot be simulated: only uniform types, and constant codes, are}}
  %s = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %z = halftone.dequantize %s : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  return %z : tensor<2x2xf32>
}
