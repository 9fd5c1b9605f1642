// Two convolutions with enough channels and positions for the sparse kernels.
func.func @main(%x: tensor<1x16x16x64xf32>) -> tensor<1x14x14x96xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<0.5> : tensor<1x1x64x128xf32>
  %w2 = arith.constant dense<0.25> : tensor<3x3x128x96xf32>
  %e1 = tensor.empty() : tensor<1x16x16x128xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x16x16x128xf32>) -> tensor<1x16x16x128xf32>
  %c1 = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w1 : tensor<1x16x16x64xf32>, tensor<1x1x64x128xf32>) outs(%f1 : tensor<1x16x16x128xf32>) -> tensor<1x16x16x128xf32> loc("points")
  %e2 = tensor.empty() : tensor<1x14x14x96xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x14x14x96xf32>) -> tensor<1x14x14x96xf32>
  %c2 = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%c1, %w2 : tensor<1x16x16x128xf32>, tensor<3x3x128x96xf32>) outs(%f2 : tensor<1x14x14x96xf32>) -> tensor<1x14x14x96xf32> loc("window")
  return %c2 : tensor<1x14x14x96xf32>
}
