// RUN: halftone-opt %s --halftone-insert-casts | FileCheck %s --check-prefixes=CHECK,DIFFUSED
// RUN: halftone-opt %s --halftone-insert-casts="rounding=nearest" | FileCheck %s --check-prefixes=CHECK,NEAREST
// RUN: halftone-opt %s --halftone-insert-casts="weight-scales=mse" | FileCheck %s --check-prefixes=CHECK,DIFFUSED

// A depthwise kernel of 2 x 2 taps, scale 1.27 / 127 for both channels. In steps the taps of channel 0 are 127, 10.4,
// 20.4, 30.4: nearest rounding lacks 1.2 in their sum, so the first of the largest errors goes up. Those of channel 1
// are 127, 10.5, -20.5, -3: the errors 0.5 and -0.5 cancel (10.5 and -20.5 go to the even neighbours 10 and -20).
// A matrix has one weight for each pair of channels: both round alike.
func.func @main(%x: tensor<1x4x4x2xf32> {halftone.range = array<f32: -1.0, 1.0>}, %y: tensor<1x2xf32> {halftone.range = array<f32: -1.0, 1.0>})
    -> (tensor<1x2xf32>, tensor<1x3x3x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %matrix = arith.constant dense<[[1.27, 0.104], [0.104, 1.27]]> : tensor<2x2xf32>
  // CHECK: dense<{{\[\[}}127, 10], [10, 127]]> : tensor<2x2xi8>
  %kernel = arith.constant dense<[[[1.27, 1.27], [0.104, 0.105]], [[0.204, -0.205], [0.304, -0.03]]]> : tensor<2x2x2xf32>
  // NEAREST: dense<{{\[\[\[}}127, 127], [10, 10]], {{\[\[}}20, -20], [30, -3]]]> : tensor<2x2x2xi8>
  // DIFFUSED: dense<{{\[\[\[}}127, 127], [11, 10]], {{\[\[}}20, -20], [30, -3]]]> : tensor<2x2x2xi8>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.precision = "int8"} ins(%y, %matrix : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %e2 = tensor.empty() : tensor<1x3x3x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwc {halftone.precision = "int8"} ins(%x, %kernel : tensor<1x4x4x2xf32>, tensor<2x2x2xf32>)
      outs(%f2 : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  return %m, %c : tensor<1x2xf32>, tensor<1x3x3x2xf32>
}
