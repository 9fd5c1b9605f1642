// Rows of an embedding become codes and scales; tables that stay float, and gathers of what is no constant, are left alone.
// RUN: halftone-opt %s --halftone-quantize-tables --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: func @rows
// CHECK-DAG: %[[CODES:.*]] = arith.constant dense<{{\[\[}}127, -64, 0], [0, 0, 0]]> : tensor<2x3xi8>
// CHECK-DAG: %[[SCALES:.*]] = arith.constant dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[ROWS:.*]] = halftone.composite "gather"(%[[CODES]], {{.*}} halftone.reason = "its table is codes, its rows are floats"
// CHECK-DAG: %[[SCALE:.*]] = halftone.composite "gather"(%[[SCALES]],
// CHECK: linalg.generic {{.*}} ins(%[[ROWS]], %[[SCALE]]
// CHECK: arith.sitofp
// CHECK: arith.mulf
func.func @rows(%ids: tensor<4xi64>) -> tensor<4x3xf32> {
  %table = arith.constant dense<[[127.0, -63.6, 0.4], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  %y = halftone.composite "gather"(%table, %ids) {axis = 0 : i64} attributes {halftone.precision = "weights"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf32> {
  ^bb0(%t: tensor<2x3xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x3xf32>
    halftone.yield %e : tensor<4x3xf32>
  }
  return %y : tensor<4x3xf32>
}

// -----

// Codes that the source has: none reaches 127. Multiples of other scales are rounded anew.

// CHECK-LABEL: func @source
// CHECK-DAG: dense<{{\[\[}}-128, 3], [1, -2]]> : tensor<2x2xi8>
// CHECK-DAG: dense<[5.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-DAG: dense<{{\[\[}}-127, 3], [64, -127]]> : tensor<2x2xi8>
// CHECK-NOT: source_
func.func @source(%ids: tensor<4xi64>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %table = arith.constant dense<[[-64.0, 1.5], [0.25, -0.5]]> : tensor<2x2xf32>
  %y = halftone.composite "gather"(%table, %ids) {axis = 0 : i64} attributes {halftone.precision = "weights", halftone.source_scales = array<f32: 0.5, 0.25>, halftone.source_written} : (tensor<2x2xf32>, tensor<4xi64>) -> tensor<4x2xf32> {
  ^bb0(%t: tensor<2x2xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x2xf32>
    halftone.yield %e : tensor<4x2xf32>
  }
  %z = halftone.composite "gather"(%table, %ids) {axis = 0 : i64} attributes {halftone.precision = "weights", halftone.source_scales = array<f32: 0.3>} : (tensor<2x2xf32>, tensor<4xi64>) -> tensor<4x2xf32> {
  ^bb0(%t: tensor<2x2xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x2xf32>
    halftone.yield %e : tensor<4x2xf32>
  }
  return %y, %z : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

// CHECK-LABEL: func @floats
// CHECK-NOT: xi8>
func.func @floats(%x: tensor<2x3xf32>, %ids: tensor<4xi64>) -> (tensor<4x3xf32>, tensor<4x3xf32>) {
  %table = arith.constant dense<1.0> : tensor<2x3xf32>
  %y = halftone.composite "gather"(%table, %ids) {axis = 0 : i64} attributes {halftone.precision = "float", halftone.reason = "asked for"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf32> {
  ^bb0(%t: tensor<2x3xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x3xf32>
    halftone.yield %e : tensor<4x3xf32>
  }
  %z = halftone.composite "gather"(%x, %ids) {axis = 0 : i64} attributes {halftone.precision = "float", halftone.reason = "no table"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf32> {
  ^bb0(%t: tensor<2x3xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x3xf32>
    halftone.yield %e : tensor<4x3xf32>
  }
  return %y, %z : tensor<4x3xf32>, tensor<4x3xf32>
}

// -----

func.func @nan(%ids: tensor<4xi64>) -> tensor<4x3xf32> {
  %table = arith.constant dense<[[0x7FC00000, 0.0, 0.0], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>
  // expected-error @+1 {{has a table that is no f32 constant, or has NaN or infinite elements}}
  %y = halftone.composite "gather"(%table, %ids) {axis = 0 : i64} attributes {halftone.precision = "weights"} : (tensor<2x3xf32>, tensor<4xi64>) -> tensor<4x3xf32> {
  ^bb0(%t: tensor<2x3xf32>, %i: tensor<4xi64>):
    %e = tensor.empty() : tensor<4x3xf32>
    halftone.yield %e : tensor<4x3xf32>
  }
  return %y : tensor<4x3xf32>
}
