// RUN: halftone-opt %s --halftone-lower-tosa -split-input-file -verify-diagnostics

tosa.variable @state = dense<0.0> : tensor<1x4xf32>
func.func @stream(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %s = tosa.variable_read @state : tensor<1x4xf32>
  // expected-error @-3 {{operations of TOSA that are not supported: variable (1), variable_read (1), variable_write (1)}}
  tosa.variable_write @state, %x : tensor<1x4xf32>
  return %s : tensor<1x4xf32>
}

// -----

func.func @integers(%x: tensor<1x4xi32>) -> tensor<1x4xi8> {
  %m = "tosa.const"() <{values = dense<1073741824> : tensor<1xi32>}> : () -> tensor<1xi32>
  %s = "tosa.const"() <{values = dense<38> : tensor<1xi8>}> : () -> tensor<1xi8>
  %a = "tosa.const"() <{values = dense<0> : tensor<1xi32>}> : () -> tensor<1xi32>
  %b = "tosa.const"() <{values = dense<0> : tensor<1xi8>}> : () -> tensor<1xi8>
  // expected-error @below {{not supported: rescale (1); rescale is of a model in integers: give the float model that it was made from}}
  %y = tosa.rescale %x, %m, %s, %a, %b {input_unsigned = false, output_unsigned = false, per_channel = false, rounding_mode = SINGLE_ROUND, scale32 = true} : (tensor<1x4xi32>, tensor<1xi32>, tensor<1xi8>, tensor<1xi32>, tensor<1xi8>) -> tensor<1x4xi8>
  return %y : tensor<1x4xi8>
}
