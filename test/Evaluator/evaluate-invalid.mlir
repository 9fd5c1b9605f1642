// RUN: halftone-opt %s --halftone-evaluate -verify-diagnostics -split-input-file

func.func @unknown() -> tensor<2xf32> {
  // expected-error @below {{the evaluator does not know 'tensor.generate'}}
  %y = tensor.generate {
  ^bb0(%i: index):
    %c = arith.constant 0.0 : f32
    tensor.yield %c : f32
  } : tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

func.func @code() -> tensor<1xf32> {
  %c = arith.constant dense<5> : tensor<1xi8>
  %l = arith.constant dense<0> : tensor<4xi8>
  %s = arith.constant dense<1.0> : tensor<1xf32>
  %q = halftone.storage_cast %c : tensor<1xi8> to tensor<1x!halftone.codebook<2, axis = -1>>
  // expected-error @below {{has code 5 of 4 levels}}
  %x = halftone.dequantize %q levels(%l : tensor<4xi8>) scales(%s : tensor<1xf32>)
      : tensor<1x!halftone.codebook<2, axis = -1>> to tensor<1xf32>
  return %x : tensor<1xf32>
}
