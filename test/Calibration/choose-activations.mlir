// RUN: halftone-opt %s --halftone-choose-activations | FileCheck %s

// Much noise, and much less with ranges of the rows: these are found when it runs, and no channel is evened out.
// CHECK: linalg.matmul {halftone.channel_means = array<f32: 0.000000e+00, 0.000000e+00>, halftone.precision = "dynamic"}
// Little noise, little gain, an assigned precision: as it was.
// CHECK: linalg.matmul {halftone.channel_highs = array<f32: 1.000000e+00, 1.000000e+00>}
// CHECK: linalg.matmul ins
// CHECK: linalg.matmul {halftone.precision = "int8"}
// An image is read once more for its range: that has to gain more.
// CHECK: linalg.conv_2d_nhwc_hwcf {dilations
// CHECK: linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, halftone.precision = "dynamic"
func.func @main(%x: tensor<2x2xf32> {halftone.name = "x"}, %image: tensor<1x1x1x2xf32> {halftone.name = "image"})
    -> (tensor<2x2xf32>, tensor<1x1x1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<1.0> : tensor<2x2xf32>
  %kernel = arith.constant dense<1.0> : tensor<1x1x2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = linalg.matmul {halftone.rounding_noise = 0.001 : f64, halftone.row_gain = 2.5 : f64, halftone.channel_means = array<f32: 0.0, 0.0>,
                      halftone.channel_lows = array<f32: 0.0, 0.0>, halftone.channel_highs = array<f32: 1.0, 1.0>, halftone.channel_positions = 2 : i64}
      ins(%x, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("a")
  %b = linalg.matmul {halftone.rounding_noise = 0.0001 : f64, halftone.row_gain = 2.5 : f64, halftone.channel_highs = array<f32: 1.0, 1.0>}
      ins(%a, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("b")
  %c = linalg.matmul {halftone.rounding_noise = 0.001 : f64, halftone.row_gain = 1.9 : f64}
      ins(%b, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("c")
  %d = linalg.matmul {halftone.precision = "int8", halftone.rounding_noise = 0.001 : f64, halftone.row_gain = 9.0 : f64}
      ins(%c, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("d")
  %ie = tensor.empty() : tensor<1x1x1x2xf32>
  %if = linalg.fill ins(%zero : f32) outs(%ie : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %g = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>,
                                halftone.rounding_noise = 0.001 : f64, halftone.row_gain = 2.5 : f64}
      ins(%image, %kernel : tensor<1x1x1x2xf32>, tensor<1x1x2x2xf32>) outs(%if : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> loc("g")
  %h = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>,
                                halftone.rounding_noise = 0.001 : f64, halftone.row_gain = 3.5 : f64}
      ins(%g, %kernel : tensor<1x1x1x2xf32>, tensor<1x1x2x2xf32>) outs(%if : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> loc("h")
  return %d, %h : tensor<2x2xf32>, tensor<1x1x1x2xf32>
}
