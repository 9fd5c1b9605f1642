// A matrix of 3.2 GB that is one number.
func.func @main(%x: tensor<1x40000xf32> {halftone.name = "x"}) -> (tensor<1x20000xf32> {halftone.name = "y"}) {
  %w = arith.constant dense<0.5> : tensor<40000x20000xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x20000xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x20000xf32>) -> tensor<1x20000xf32>
  %y = linalg.matmul ins(%x, %w : tensor<1x40000xf32>, tensor<40000x20000xf32>) outs(%f : tensor<1x20000xf32>) -> tensor<1x20000xf32>
  return %y : tensor<1x20000xf32>
}
