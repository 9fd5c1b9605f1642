// RUN: halftone-opt %s --halftone-demote-scales --split-input-file --verify-diagnostics | FileCheck %s

// The argument's value is the scale of everything that its codes move to.
// CHECK-LABEL: func @main
// CHECK-SAME: (%[[X:.*]]: tensor<2x2xf32>) ->
// CHECK: %[[Q:.*]] = halftone.quantize %[[X]] : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 7.500000e-01:-3>>
// CHECK: tensor.collapse_shape %[[Q]] {{.*}} into tensor<4x!quant.uniform<i8:f32, 7.500000e-01:-3>>
func.func @main(%x: tensor<2x2xf32>, %s: tensor<f32> {halftone.name = "s", halftone.value = dense<0.75> : tensor<f32>}) -> tensor<4xf32> {
  %q = halftone.quantize %x {halftone.scale = "s"} : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 0.5:-3>>
  %c = tensor.collapse_shape %q [[0, 1]] : tensor<2x2x!quant.uniform<i8:f32, 0.5:-3>> into tensor<4x!quant.uniform<i8:f32, 0.5:-3>>
  %y = halftone.dequantize %c : tensor<4x!quant.uniform<i8:f32, 0.5:-3>> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has the scale 's', which is no argument of @main}}
  %q = halftone.quantize %x {halftone.scale = "s"} : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
  %y = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.5>> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %s: tensor<2xf32> {halftone.name = "s", halftone.value = dense<0.75> : tensor<2xf32>}) -> tensor<4xf32> {
  // expected-error @+1 {{has the scale 's', which is no value for it}}
  %q = halftone.quantize %x {halftone.scale = "s"} : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
  %y = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.5>> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>, %s: tensor<f32> {halftone.name = "s", halftone.value = dense<-0.75> : tensor<f32>}) -> tensor<4xf32> {
  // expected-error @+1 {{has a scale that is no normal number above 0}}
  %q = halftone.quantize %x {halftone.scale = "s"} : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
  %y = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.5>> to tensor<4xf32>
  return %y : tensor<4xf32>
}
