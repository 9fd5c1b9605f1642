// RUN: halftone-opt %s --halftone-precision-pipeline --split-input-file | FileCheck %s

// A product of two activations, an operand without a range.
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "its weights are not constant"}
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>},
                %y: tensor<8x2xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g = linalg.matmul ins(%x, %y : tensor<2x8xf32>, tensor<8x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g : tensor<2x2xf32>
}

// -----

// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "an operand has no calibrated range"}
func.func @main(%x: tensor<2x8xf32>) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<8x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g : tensor<2x2xf32>
}

// -----

// An accumulator that does not start from zero has no integer form.
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "linalg.matmul has no integer form"}
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}, %i: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<1.0> : tensor<8x2xf32>
  %g = linalg.matmul ins(%x, %w : tensor<2x8xf32>, tensor<8x2xf32>) outs(%i : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g : tensor<2x2xf32>
}
