// RUN: halftone-opt %s --halftone-set-batch=size=8 --split-input-file --verify-diagnostics

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %c = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  // expected-error @below {{cannot take another batch: operand 1 has one value for each of the old samples}}
  %y = linalg.add ins(%x, %c : tensor<1x2xf32>, tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

func.func @main(%x: tensor<4x2xf32>) -> tensor<2x2xf32> {
  // expected-error @below {{cannot take another batch: it takes some of the samples}}
  %y = tensor.extract_slice %x[1, 0] [2, 2] [1, 1] : tensor<4x2xf32> to tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @main(%x: tensor<4x2xf32>) -> tensor<2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  // expected-error @below {{cannot take another batch: it sums over the samples}}
  %y = linalg.reduce { arith.addf } ins(%x : tensor<4x2xf32>) outs(%f : tensor<2xf32>) dimensions = [0]
  return %y : tensor<2xf32>
}

// -----

// expected-error @below {{argument 0 has no dimension for samples}}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

func.func @main(%x: tensor<4x2xf32>) -> tensor<2x4xf32> {
  %e = tensor.empty() : tensor<2x4xf32>
  %y = linalg.transpose ins(%x : tensor<4x2xf32>) outs(%e : tensor<2x4xf32>) permutation = [1, 0]
  // expected-error @-3 {{result 0 has the samples in dimension 1, not in the first}}
  return %y : tensor<2x4xf32>
}
