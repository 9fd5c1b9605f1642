// RUN: halftone-opt %s --halftone-fuse-multiply-add | FileCheck %s

// CHECK-LABEL: @matmul
// CHECK: linalg.generic
// CHECK: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32, %[[ACC:.*]]: f32):
// CHECK-NEXT: %[[S:.*]] = math.fma %[[A]], %[[B]], %[[ACC]] : f32
// CHECK-NEXT: linalg.yield %[[S]]
func.func @matmul(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>, %c: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<2x3xf32>, tensor<3x4xf32>) outs(%c : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// CHECK-LABEL: @generic
// CHECK: math.fma
#r = affine_map<(d0, d1) -> (d0, d1)>
#o = affine_map<(d0, d1) -> (d0)>
func.func @generic(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>, %c: tensor<2xf32>) -> tensor<2xf32> {
  %0 = linalg.generic {indexing_maps = [#r, #r, #o], iterator_types = ["parallel", "reduction"]}
      ins(%a, %b : tensor<2x3xf32>, tensor<2x3xf32>) outs(%c : tensor<2xf32>) {
  ^bb0(%x: f32, %y: f32, %acc: f32):
    %p = arith.mulf %x, %y : f32
    %s = arith.addf %p, %acc : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Elementwise products and sums round twice; integers do not round; a plain sum has no product.
// CHECK-LABEL: @left_alone
// CHECK-NOT: math.fma
// CHECK: linalg.matmul
// CHECK: linalg.pooling_nhwc_sum
func.func @left_alone(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>, %i: tensor<2x3xi8>, %j: tensor<3x4xi8>,
                      %k: tensor<2x4xi32>, %x: tensor<1x4x4x1xf32>, %w: tensor<2x2xf32>, %y: tensor<1x3x3x1xf32>)
    -> (tensor<2x3xf32>, tensor<2x4xi32>, tensor<1x3x3x1xf32>) {
  %0 = linalg.generic {indexing_maps = [#r, #r, #r], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x3xf32>, tensor<2x3xf32>) outs(%a : tensor<2x3xf32>) {
  ^bb0(%p: f32, %q: f32, %acc: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %m, %acc : f32
    linalg.yield %s : f32
  } -> tensor<2x3xf32>
  %1 = linalg.matmul ins(%i, %j : tensor<2x3xi8>, tensor<3x4xi8>) outs(%k : tensor<2x4xi32>) -> tensor<2x4xi32>
  %2 = linalg.pooling_nhwc_sum {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x4x4x1xf32>, tensor<2x2xf32>) outs(%y : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  return %0, %1, %2 : tensor<2x3xf32>, tensor<2x4xi32>, tensor<1x3x3x1xf32>
}
