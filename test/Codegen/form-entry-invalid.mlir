// RUN: halftone-opt %s --halftone-form-entry --split-input-file --verify-diagnostics

// expected-error @below {{needs a function @main}}
module {
  func.func @other() { return }
}

// -----

// expected-error @below {{argument 0 of type 'tensor<?x4xf32>' has a dynamic dimension without bounds; set halftone.dims}}
func.func @main(%x: tensor<?x4xf32>) { return }

// -----

// expected-error @below {{argument 0 has a dynamic dimension behind the first: 'tensor<4x?xf32>'}}
func.func @main(%x: tensor<4x?xf32>) { return }

// -----

// expected-error @below {{result 0 has a dynamic dimension behind the first}}
func.func @main(%x: tensor<4xf32>) -> tensor<4x?xf32> {
  %n = arith.constant 2 : index
  %e = tensor.empty(%n) : tensor<4x?xf32>
  return %e : tensor<4x?xf32>
}

// -----

// expected-error @below {{argument 0 is not a ranked tensor: 'f32'}}
func.func @main(%x: f32) { return }
