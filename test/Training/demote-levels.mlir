// RUN: halftone-opt %s --halftone-demote-levels | FileCheck %s
// RUN: halftone-opt %s --halftone-demote-levels --halftone-demote-arguments --halftone-store-weights | FileCheck %s --check-prefix=STORED

// Values are rounded to codes; equal ones count once. Weights then take the nearest, and the upper one half-way.
// CHECK-LABEL: func @main(%arg0: tensor<2x2xf32>
// CHECK: halftone.quantize %arg0 {halftone.levels = array<i8: -127, 0, 10>}
// STORED: arith.constant dense<{{\[\[}}-127, 0], [10, 10]]> : tensor<2x2xi8>
func.func @main(%w: tensor<2x2xf32> {halftone.value = dense<[[-60.0, 1.0], [2.5, 9.0]]> : tensor<2x2xf32>},
                %l: tensor<4xf32> {halftone.name = "l", halftone.value = dense<[5.1, 4.9, -80.0, 0.1]> : tensor<4xf32>})
    -> tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> {
  %q = halftone.quantize %w {halftone.level_argument = "l", halftone.level_unit = 0.5 : f64, halftone.levels = array<i8: 1, 2>}
      : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  return %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
}
