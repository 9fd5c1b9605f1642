// RUN: halftone-opt %s --halftone-inline-symbols -split-input-file | FileCheck %s

// Calls of calls, and constants by name; what nobody uses goes.
// CHECK-NOT: ml_program
// CHECK-NOT: @twice
// CHECK: func.func @main(%[[X:.*]]: tensor<2xf32>)
// CHECK: %[[W:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: %[[A:.*]] = arith.addf %[[X]], %[[X]]
// CHECK: %[[B:.*]] = arith.addf %[[A]], %[[A]]
// CHECK: arith.mulf %[[B]], %[[W]]
// CHECK-NOT: @four
ml_program.global private mutable @global_seed(dense<0> : tensor<i64>) : tensor<i64>
ml_program.global private @w(dense<[1.0, 2.0]> : tensor<2xf32>) : tensor<2xf32>
func.func private @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = arith.addf %x, %x : tensor<2xf32>
  return %y : tensor<2xf32>
}
func.func private @four(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @twice(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %z = call @twice(%y) : (tensor<2xf32>) -> tensor<2xf32>
  return %z : tensor<2xf32>
}
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %w = ml_program.global_load_const @w : tensor<2xf32>
  %y = call @four(%x) : (tensor<2xf32>) -> tensor<2xf32>
  %z = arith.mulf %y, %w : tensor<2xf32>
  return %z : tensor<2xf32>
}

// -----

// State stays.
// CHECK: ml_program.global private mutable @state
// CHECK: ml_program.global_load @state
ml_program.global private mutable @state(dense<0.0> : tensor<2xf32>) : tensor<2xf32>
func.func @main(%x: tensor<2xf32>) -> tensor<2xf32> {
  %s = ml_program.global_load @state : tensor<2xf32>
  %y = arith.addf %x, %s : tensor<2xf32>
  ml_program.global_store @state = %y : tensor<2xf32>
  return %y : tensor<2xf32>
}
