// RUN: halftone-opt %s --halftone-verify-import -split-input-file -verify-diagnostics

// expected-error @unknown {{inputs and outputs are ranked tensors of f32, i8, ui8, i32, i64 or i1; not so: input 'x' (tensor<*xf32>), input 'n' (i64), input 'h' (tensor<2xf16>), output 'y' (tensor<2xf16>)}}
func.func @types(%x: tensor<*xf32> {halftone.name = "x"}, %n: i64 {halftone.name = "n"}, %a: tensor<2xui8> {halftone.name = "a"}, %h: tensor<2xf16> {halftone.name = "h"})
    -> (tensor<2xf16> {halftone.name = "y"}) {
  return %h : tensor<2xf16>
}

// -----

func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{operations that are not supported: cf.br (2), bufferization.to_buffer (1); a model is one block of linalg, tensor, arith and math}}
  cf.br ^a(%x : tensor<4xf32>)
^a(%z: tensor<4xf32>):
  %b = bufferization.to_buffer %z : tensor<4xf32> to memref<4xf32>
  cf.br ^c
^c:
  return %z : tensor<4xf32>
}

// -----

ml_program.global private mutable @state(dense<0.0> : tensor<2xf32>) : tensor<2xf32>
func.func @stateful(%x: tensor<2xf32>) -> tensor<2xf32> {
  // expected-error @below {{operations that are not supported: ml_program.global_load (1), ml_program.global_store (1)}}
  %s = ml_program.global_load @state : tensor<2xf32>
  %y = math.sqrt %s : tensor<2xf32>
  ml_program.global_store @state = %y : tensor<2xf32>
  return %y : tensor<2xf32>
}
