// RUN: halftone-opt %s --halftone-promote-constants --split-input-file --mlir-print-local-scope | FileCheck %s
// RUN: halftone-opt %s --halftone-promote-constants='only=bias$' --split-input-file | FileCheck %s --check-prefix=ONLY
// RUN: halftone-opt %s --halftone-promote-constants --halftone-demote-arguments --split-input-file | FileCheck %s --check-prefix=BACK

// A weight takes the name of its location, a bias that of its reader; the shift is not computed with.
// CHECK-LABEL: @main
// CHECK-SAME: %[[X:.*]]: tensor<4x2xf32>
// CHECK-SAME: %[[W:.*]]: tensor<2x3xf32> {halftone.name = "w", halftone.trainable, halftone.value = dense<1.000000e+00> : tensor<2x3xf32>}
// CHECK-SAME: %[[B:.*]]: tensor<3xf32> {halftone.name = "add.bias", halftone.trainable, halftone.value = dense<2.000000e+00> : tensor<3xf32>}
// CHECK: linalg.matmul ins(%[[X]], %[[W]]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[B]]

// ONLY-LABEL: @main
// ONLY-SAME: %{{.*}}: tensor<4x2xf32>, %{{.*}}: tensor<3xf32> {halftone.name = "add.bias"
// ONLY: arith.constant dense<1.000000e+00> : tensor<2x3xf32>

// BACK-LABEL: @main
// BACK-SAME: (%[[X:.*]]: tensor<4x2xf32>)
// BACK-DAG: %[[W:.*]] = arith.constant dense<1.000000e+00> : tensor<2x3xf32>
// BACK-DAG: %[[B:.*]] = arith.constant dense<2.000000e+00> : tensor<3xf32>
// BACK: linalg.matmul ins(%[[X]], %[[W]]
// BACK: linalg.generic {{.*}} ins(%{{.*}}, %[[B]]
func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<1.0> : tensor<2x3xf32> loc("w")
  %b = arith.constant dense<2.0> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%y, %b : tensor<4x3xf32>, tensor<3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<4x3xf32> loc("add")
  return %r : tensor<4x3xf32>
}

// -----

// Codes, and constants that are moved only, stay.
// CHECK-LABEL: @main() ->
func.func @main() -> (tensor<2xi8>, tensor<1x2xf32>) {
  %codes = arith.constant dense<[1, 2]> : tensor<2xi8>
  %moved = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = tensor.expand_shape %moved [[0, 1]] output_shape [1, 2] : tensor<2xf32> into tensor<1x2xf32>
  return %codes, %y : tensor<2xi8>, tensor<1x2xf32>
}

// -----

// Weights whose zeros stay, as floats and behind casts; the bias of that matrix product is none.
// CHECK-LABEL: @main
// CHECK-SAME: tensor<2x2xf32> {halftone.name = "w", halftone.pruned = "blocks", halftone.trainable
// CHECK-SAME: tensor<2x2xf32> {halftone.name = "v", halftone.pruned = "n:m", halftone.trainable
// CHECK-SAME: tensor<4x2xf32> {halftone.name = "b", halftone.trainable
func.func @main(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> loc("w")
  %v = arith.constant dense<[[1.0, 0.0], [0.0, 1.0]]> : tensor<2x2xf32> loc("v")
  %b = arith.constant dense<1.0> : tensor<4x2xf32> loc("b")
  %q = halftone.quantize %v : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
  %d = halftone.dequantize %q : tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> to tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = linalg.matmul {halftone.pruned = "blocks"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  %a = linalg.add ins(%y, %b : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = linalg.matmul {halftone.pruned = "n:m"} ins(%a, %d : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %z : tensor<4x2xf32>
}
