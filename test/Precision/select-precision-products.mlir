// RUN: halftone-opt %s --halftone-precision-pipeline | FileCheck %s
// RUN: halftone-opt %s --halftone-precision-pipeline=activations=dynamic | FileCheck %s --check-prefix=DYNAMIC
// RUN: echo "- {kind: batch_matmul, precision: float}" > %t.yaml && halftone-opt %s --halftone-precision-pipeline=recipe=%t.yaml | FileCheck %s --check-prefix=RECIPE

// Products of two activations are int8, whoever reads them; with a constant factor, or where activations are floats, they are not. A recipe
// names them by their kind.
// CHECK: linalg.batch_matmul {halftone.precision = "int8", halftone.range
// CHECK: linalg.batch_matmul {halftone.precision = "int8"}
// CHECK: linalg.batch_matmul {halftone.precision = "float", halftone.reason = "linalg.batch_matmul has no integer form"}
// DYNAMIC: linalg.batch_matmul {halftone.precision = "float", {{.*}}halftone.reason = "activations are floats"}
// RECIPE: linalg.batch_matmul {halftone.precision = "float", {{.*}}halftone.reason = "the recipe asks for it (kind 'batch_matmul')"}
// RECIPE: linalg.batch_matmul {halftone.precision = "float", halftone.reason = "the recipe asks for it (kind 'batch_matmul')"}
func.func @main(%x: tensor<2x3x3xf32> {halftone.range = array<f32: -1.0, 1.0>}, %y: tensor<2x3x3xf32> {halftone.range = array<f32: -1.0, 1.0>})
    -> (tensor<2x3x3xf32>, tensor<2x3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x3x3xf32>
  %e = tensor.empty() : tensor<2x3x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %p = linalg.batch_matmul {halftone.range = array<f32: -3.0, 3.0>} ins(%x, %y : tensor<2x3x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %q = linalg.batch_matmul ins(%p, %y : tensor<2x3x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %r = linalg.batch_matmul ins(%x, %w : tensor<2x3x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %q, %r : tensor<2x3x3xf32>, tensor<2x3x3xf32>
}
