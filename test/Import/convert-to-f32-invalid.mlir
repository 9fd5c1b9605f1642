// RUN: halftone-opt %s --halftone-convert-to-f32 -verify-diagnostics
func.func @bits(%x: tensor<4xf16>) -> tensor<4xi16> {
  // expected-error @below {{the bits of 'tensor<4xf16>' as 'tensor<4xi16>': floats are computed in f32, whose bits are others; export the model in f32}}
  %0 = arith.bitcast %x : tensor<4xf16> to tensor<4xi16>
  return %0 : tensor<4xi16>
}
