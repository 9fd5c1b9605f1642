// RUN: halftone-opt %s --halftone-expose-blocks --split-input-file --verify-diagnostics

// expected-error @below {{needs the functions @main and @teacher}}
module {
  func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
    return %x : tensor<4x2xf32>
  }
}

// -----

// expected-error @below {{has no tensor to be compared with its teacher's: none behind a residual addition or a contraction has the same name and type in both}}
func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.add ins(%x, %x : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("mine")
  return %b : tensor<4x2xf32>
}
func.func private @teacher(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.add ins(%x, %x : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32> loc("other")
  return %b : tensor<4x2xf32>
}
