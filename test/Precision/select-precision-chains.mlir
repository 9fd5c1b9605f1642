// RUN: halftone-opt %s --halftone-precision-pipeline --split-input-file | FileCheck %s

// The magnitude of a spectrum: squares of both halves of a product's result, their sum, its root. Nothing reads codes but the product behind:
// between the two all is floats, the first product's result too.

// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: tensor.extract_slice
// CHECK: halftone.reason = "it computes from floats, of 'spectrum'"
// CHECK: arith.mulf
// CHECK: halftone.reason = "it computes from floats, of 'spectrum'"
// CHECK: arith.mulf
// CHECK: halftone.reason = "it computes from floats, of 'square'"
// CHECK: arith.addf
// CHECK: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x8xf32>
  %e1 = tensor.empty() : tensor<2x8xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f1 : tensor<2x8xf32>) -> tensor<2x8xf32> loc("spectrum")
  %re = tensor.extract_slice %g1[0, 0] [2, 4] [1, 1] : tensor<2x8xf32> to tensor<2x4xf32>
  %im = tensor.extract_slice %g1[0, 4] [2, 4] [1, 1] : tensor<2x8xf32> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %re2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%re : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32> loc("square")
  %im2 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%im : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%re2, %im2 : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 32.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %m = arith.addf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<4x2xf32>
  %e2 = tensor.empty() : tensor<2x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g2 = linalg.matmul ins(%sum, %w2 : tensor<2x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g2 : tensor<2x2xf32>
}

// -----

// Where a product reads the result too, codes of it are there, and what else reads it computes from them.

// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: linalg.generic {{.*}}halftone.precision = "int8"
// CHECK: arith.mulf
// CHECK: linalg.generic {{.*}}halftone.precision = "int8"
// CHECK: arith.addf
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> (tensor<2x2xf32>, tensor<2x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %sq = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %up = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.addf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %c = tensor.concat dim(1) %g1, %sq, %up {halftone.range = array<f32: -4.0, 16.0>} : (tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x12xf32>
  %w2 = arith.constant dense<1.0> : tensor<12x2xf32>
  %e2 = tensor.empty() : tensor<2x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g2 = linalg.matmul ins(%c, %w2 : tensor<2x12xf32>, tensor<12x2xf32>) outs(%f2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g3 = linalg.matmul ins(%c, %w2 : tensor<2x12xf32>, tensor<12x2xf32>) outs(%f2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g2, %g3 : tensor<2x2xf32>, tensor<2x2xf32>
}
