// RUN: halftone-opt %s --halftone-insert-casts --split-input-file --verify-diagnostics

// expected-error@+1 {{an int8 operation reads this value, but it has no calibrated range}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int8"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: 0.0, 1.0>}, %w: tensor<2x2xf32> ) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %nan = arith.constant dense<[[1.0, 0x7FC00000], [1.0, 1.0]]> : tensor<2x2xf32>
  // expected-error@+1 {{is int8, but its weights have NaN or infinite elements}}
  %y = linalg.matmul {halftone.precision = "int8"} ins(%x, %nan : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
