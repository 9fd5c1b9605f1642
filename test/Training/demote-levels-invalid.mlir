// RUN: halftone-opt %s --halftone-demote-levels --verify-diagnostics

func.func @main(%w: tensor<2x2xf32>) -> tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> {
  // expected-error @below {{has the levels 'gone', which are no values for it}}
  %q = halftone.quantize %w {halftone.level_argument = "gone", halftone.level_unit = 0.5 : f64, halftone.levels = array<i8: 1, 2>}
      : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  return %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
}
