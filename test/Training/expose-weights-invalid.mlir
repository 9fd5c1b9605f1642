// RUN: halftone-opt %s --halftone-insert-casts --halftone-expose-weights --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4x2xf32> {halftone.range = array<f32: 0.0, 1.0>}) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 0.6], [0.0, 0.02]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-error @below {{has weights of format nf4 by tensor, which cannot be trained; train with a scale for each channel, or in floats, and quantize the result}}
  %y = linalg.matmul {halftone.granularity = "tensor", halftone.precision = "int8", halftone.weights = "nf4"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

func.func @main(%x: tensor<4x2xf32> {halftone.range = array<f32: 0.0, 1.0>}) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 0.6], [0.0, 0.02]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  // expected-error @below {{has weights of format codebook4 by group:8, which cannot be trained}}
  %y = linalg.matmul {halftone.granularity = "group:8", halftone.precision = "int8", halftone.weights = "codebook4"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}
