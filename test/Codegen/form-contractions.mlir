// RUN: halftone-opt --split-input-file --halftone-form-contractions %s | FileCheck %s

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c)>

// A convolution takes its bias, its residual addition and its clamp along.
// CHECK-LABEL: func @fuses_the_tail
// CHECK: %[[Y:.*]] = halftone.contract ins(%arg0, %{{.*}} : tensor<1x6x6x2xf32>, tensor<3x3x2x4xf32>)
// CHECK-SAME: epilogue(%{{.*}}, %arg1 : tensor<4xf32>, tensor<1x4x4x4xf32>)
// CHECK-SAME: dilations = array<i64: 1, 1>, epilogue_maps = [#[[C:.*]], #[[ID:.*]]], groups = 1 : i64, strides = array<i64: 1, 1>
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[B:.*]]: f32, %[[R:.*]]: f32):
// CHECK: %[[S:.*]] = arith.addf %[[ACC]], %[[B]]
// CHECK: %[[T:.*]] = arith.addf %[[R]], %[[S]]
// CHECK: arith.maximumf %[[T]]
// CHECK: return %[[Y]]
func.func @fuses_the_tail(%x: tensor<1x6x6x2xf32>, %r: tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32> {
  %w = arith.constant dense<0.5> : tensor<3x3x2x4xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x4x4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %c = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x6x6x2xf32>, tensor<3x3x2x4xf32>) outs(%f : tensor<1x4x4x4xf32>) -> tensor<1x4x4x4xf32>
  %y = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %b : tensor<1x4x4x4xf32>, tensor<4xf32>) outs(%e : tensor<1x4x4x4xf32>) {
  ^bb0(%acc: f32, %bias: f32, %o: f32):
    %s = arith.addf %acc, %bias : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x4xf32>
  %z = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%r, %y : tensor<1x4x4x4xf32>, tensor<1x4x4x4xf32>) outs(%e : tensor<1x4x4x4xf32>) {
  ^bb0(%res: f32, %acc: f32, %o: f32):
    %s = arith.addf %res, %acc : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x4x4x4xf32>
  return %z : tensor<1x4x4x4xf32>
}

// -----

// Depthwise weights get an input channel dimension of 1; the group is the channel.
// CHECK-LABEL: func @depthwise
// CHECK: halftone.contract ins(%arg0, %{{.*}} : tensor<1x6x6x8xi8>, tensor<3x3x1x8xi8>)
// CHECK-SAME: groups = 8 : i64
func.func @depthwise(%x: tensor<1x6x6x8xi8>) -> tensor<1x4x4x8xi32> {
  %w = arith.constant dense<3> : tensor<3x3x8xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x4x4x8xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  %c = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x6x6x8xi8>, tensor<3x3x8xi8>) outs(%f : tensor<1x4x4x8xi32>) -> tensor<1x4x4x8xi32>
  return %c : tensor<1x4x4x8xi32>
}

// -----

// The reshapes around a grouped convolution go; its filters G x F x KH x KW x C become KH x KW x C x (G * F).
// CHECK-LABEL: func @grouped
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[\[\[}}1, 3, 5, 7], [2, 4, 6, 8]]]]> : tensor<1x1x2x4xi8>
// CHECK: halftone.contract ins(%arg0, %[[W]] : tensor<1x3x3x4xi8>, tensor<1x1x2x4xi8>)
// CHECK-SAME: groups = 2 : i64
// CHECK-NOT: expand_shape
func.func @grouped(%x: tensor<1x3x3x4xi8>) -> tensor<1x3x3x4xi32> {
  %w = arith.constant dense<[[[[[1, 2]]], [[[3, 4]]]], [[[[5, 6]]], [[[7, 8]]]]]> : tensor<2x2x1x1x2xi8>
  %zero = arith.constant 0 : i32
  %g = tensor.expand_shape %x [[0], [1], [2], [3, 4]] output_shape [1, 3, 3, 2, 2] : tensor<1x3x3x4xi8> into tensor<1x3x3x2x2xi8>
  %e = tensor.empty() : tensor<1x3x3x2x2xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x3x3x2x2xi32>) -> tensor<1x3x3x2x2xi32>
  %c = linalg.conv_2d_nhwgc_gfhwc ins(%g, %w : tensor<1x3x3x2x2xi8>, tensor<2x2x1x1x2xi8>) outs(%f : tensor<1x3x3x2x2xi32>) -> tensor<1x3x3x2x2xi32>
  %r = tensor.collapse_shape %c [[0], [1], [2], [3, 4]] : tensor<1x3x3x2x2xi32> into tensor<1x3x3x4xi32>
  return %r : tensor<1x3x3x4xi32>
}

// -----

// A product of two computed tensors has no weights to pack, and an accumulator with two users cannot end in one.
// CHECK-LABEL: func @left_alone
// CHECK: linalg.matmul
// CHECK: halftone.contract
// CHECK: linalg.generic
func.func @left_alone(%x: tensor<4x4xf32>, %y: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x4xf32>) -> tensor<4x4xf32>
  %a = linalg.matmul ins(%x, %y : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %c = linalg.matmul ins(%x, %w : tensor<4x4xf32>, tensor<4x4xf32>) outs(%f : tensor<4x4xf32>) -> tensor<4x4xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
      ins(%c : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %s = arith.maximumf %v, %zero : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  return %a, %c, %m : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}
