// RUN: halftone-opt %s --halftone-demote-arguments --split-input-file --verify-diagnostics | FileCheck %s

// Arguments without a value stay; the others keep their order as constants.
// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: tensor<2xf32>) -> (tensor<3xf32>, tensor<2xf32>, tensor<4xf32>)
// CHECK: %[[A:.*]] = arith.constant dense<1.000000e+00> : tensor<3xf32>
// CHECK: %[[B:.*]] = arith.constant dense<2.000000e+00> : tensor<4xf32>
// CHECK: return %[[A]], %[[X]], %[[B]]
func.func @main(%a: tensor<3xf32> {halftone.value = dense<1.0> : tensor<3xf32>}, %x: tensor<2xf32>,
                %b: tensor<4xf32> {halftone.value = dense<2.0> : tensor<4xf32>}) -> (tensor<3xf32>, tensor<2xf32>, tensor<4xf32>) {
  return %a, %x, %b : tensor<3xf32>, tensor<2xf32>, tensor<4xf32>
}

// -----

// expected-error @+1 {{argument 0 has a value of another type, 'tensor<2xf32>'}}
func.func @main(%a: tensor<3xf32> {halftone.value = dense<1.0> : tensor<2xf32>}) -> tensor<3xf32> {
  return %a : tensor<3xf32>
}
