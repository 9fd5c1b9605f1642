// RUN: halftone-opt %s --halftone-bound-indices -verify-diagnostics
func.func @never(%x: tensor<4xf32>) -> tensor<4xf32> {
  %no = arith.constant false
  // expected-error @below {{the model asserts what is never so: mismatched size for broadcast}}
  cf.assert %no, "mismatched size for broadcast"
  return %x : tensor<4xf32>
}
