// RUN: halftone-opt %s --halftone-recognize | FileCheck %s

// A reduction over an extent of 1 that its only operand has: the operand stays as it is.
// CHECK-LABEL: func.func @all(
// CHECK: %[[ROW:.*]] = tensor.expand_shape %arg0
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "reduction"]} ins(%[[ROW]] : tensor<1x2xf32>)
func.func @all(%sums: tensor<2xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %row = tensor.expand_shape %sums [[0, 1]] output_shape [1, 2] : tensor<2xf32> into tensor<1x2xf32>
  %empty = tensor.empty() : tensor<f32>
  %start = linalg.fill ins(%zero : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> ()>], iterator_types = ["reduction", "reduction"]}
      ins(%row : tensor<1x2xf32>) outs(%start : tensor<f32>) {
  ^bb0(%x: f32, %s: f32):
    %t = arith.addf %s, %x : f32
    linalg.yield %t : f32
  } -> tensor<f32>
  return %sum : tensor<f32>
}

// Where the result has the extent, the vector is read.
// CHECK-LABEL: func.func @shift(
// CHECK: linalg.generic {{.*}} ins(%arg0, %arg1 : tensor<1x2xf32>, tensor<2xf32>)
func.func @shift(%x: tensor<1x2xf32>, %sums: tensor<2xf32>) -> tensor<1x2xf32> {
  %row = tensor.expand_shape %sums [[0, 1]] output_shape [1, 2] : tensor<2xf32> into tensor<1x2xf32>
  %empty = tensor.empty() : tensor<1x2xf32>
  %sum = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0, d1)>],
                         iterator_types = ["parallel", "parallel"]}
      ins(%x, %row : tensor<1x2xf32>, tensor<1x2xf32>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.addf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<1x2xf32>
  return %sum : tensor<1x2xf32>
}
