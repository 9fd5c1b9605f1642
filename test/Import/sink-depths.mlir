// RUN: halftone-opt %s --halftone-sink-depths --canonicalize --cse --split-input-file | FileCheck %s

#id = affine_map<(n, c, d, h, w) -> (n, c, d, h, w)>
#channel = affine_map<(n, c, d, h, w) -> (c)>

// A residual sum, a factor of each channel, a function: on four dimensions, in front of one move. The batch stays open.
// CHECK: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-LABEL: @tail
// CHECK-SAME: (%[[X:[^:]+]]: tensor<?x2x3x3xf32>, %[[Y:[^:]+]]: tensor<?x2x3x3xf32>, %[[K:[^:]+]]: tensor<2xf32>
// CHECK: %[[S:.*]] = linalg.generic {indexing_maps = [#{{.*}}, #{{.*}}, #[[CHANNEL]], #{{.*}}], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%[[X]], %[[Y]], %[[K]]
// CHECK: %[[T:.*]] = halftone.composite "tanh"(%[[S]]) {} : (tensor<?x2x3x3xf32>) -> tensor<?x2x3x3xf32>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[T]] {{\[}}[0, 1], [2], [3], [4]] output_shape [%{{.*}}, 4, 2, 3, 3]
// CHECK: %[[R:.*]] = linalg.transpose ins(%[[E]] : tensor<?x4x2x3x3xf32>) {{.*}} permutation = [0, 2, 1, 3, 4]
// CHECK: return %[[R]]
func.func @tail(%x: tensor<?x2x3x3xf32>, %y: tensor<?x2x3x3xf32>, %k: tensor<2xf32>, %n: index) -> tensor<?x2x4x3x3xf32> {
  %i = tensor.empty(%n) : tensor<?x2x4x3x3xf32>
  %xe = tensor.expand_shape %x [[0, 1], [2], [3], [4]] output_shape [%n, 4, 2, 3, 3] : tensor<?x2x3x3xf32> into tensor<?x4x2x3x3xf32>
  %xt = linalg.transpose ins(%xe : tensor<?x4x2x3x3xf32>) outs(%i : tensor<?x2x4x3x3xf32>) permutation = [0, 2, 1, 3, 4]
  %ye = tensor.expand_shape %y [[0, 1], [2], [3], [4]] output_shape [%n, 4, 2, 3, 3] : tensor<?x2x3x3xf32> into tensor<?x4x2x3x3xf32>
  %yt = linalg.transpose ins(%ye : tensor<?x4x2x3x3xf32>) outs(%i : tensor<?x2x4x3x3xf32>) permutation = [0, 2, 1, 3, 4]
  %s = linalg.generic {indexing_maps = [#id, #id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%xt, %yt, %k : tensor<?x2x4x3x3xf32>, tensor<?x2x4x3x3xf32>, tensor<2xf32>) outs(%i : tensor<?x2x4x3x3xf32>) {
  ^bb0(%a: f32, %b: f32, %f: f32, %o: f32):
    %0 = arith.mulf %b, %f : f32
    %1 = arith.addf %a, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x2x4x3x3xf32>
  %t = halftone.composite "tanh"(%s) {} : (tensor<?x2x4x3x3xf32>) -> tensor<?x2x4x3x3xf32> {
  ^bb0(%a: tensor<?x2x4x3x3xf32>):
    halftone.yield %a : tensor<?x2x4x3x3xf32>
  }
  return %t : tensor<?x2x4x3x3xf32>
}

// -----

#id = affine_map<(n, c, d, h, w) -> (n, c, d, h, w)>

// A single depth.
// CHECK-LABEL: @single
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel"]
func.func @single(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x1x3x3xf32> {
  %i = tensor.empty() : tensor<1x2x1x3x3xf32>
  %e = tensor.expand_shape %x [[0], [1, 2], [3], [4]] output_shape [1, 1, 2, 3, 3] : tensor<1x2x3x3xf32> into tensor<1x1x2x3x3xf32>
  %t = linalg.transpose ins(%e : tensor<1x1x2x3x3xf32>) outs(%i : tensor<1x2x1x3x3xf32>) permutation = [0, 2, 1, 3, 4]
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%t : tensor<1x2x1x3x3xf32>) outs(%i : tensor<1x2x1x3x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x1x3x3xf32>
  return %s : tensor<1x2x1x3x3xf32>
}

// -----

#id = affine_map<(n, c, d, h, w) -> (n, c, d, h, w)>
#depth = affine_map<(n, c, d, h, w) -> (d)>

// Left alone: a sum with a tensor that has its depths in place, a factor of each depth, another order, a softmax.
// CHECK-LABEL: @left_alone
// CHECK-COUNT-3: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]
// CHECK: halftone.composite "softmax"(%{{.*}}) {{.*}} : (tensor<1x2x4x3x3xf32>)
func.func @left_alone(%x: tensor<4x2x3x3xf32>, %y: tensor<1x2x4x3x3xf32>, %k: tensor<4xf32>)
    -> (tensor<1x2x4x3x3xf32>, tensor<1x2x4x3x3xf32>, tensor<1x4x2x3x3xf32>, tensor<1x2x4x3x3xf32>) {
  %i = tensor.empty() : tensor<1x2x4x3x3xf32>
  %j = tensor.empty() : tensor<1x4x2x3x3xf32>
  %xe = tensor.expand_shape %x [[0, 1], [2], [3], [4]] output_shape [1, 4, 2, 3, 3] : tensor<4x2x3x3xf32> into tensor<1x4x2x3x3xf32>
  %xt = linalg.transpose ins(%xe : tensor<1x4x2x3x3xf32>) outs(%i : tensor<1x2x4x3x3xf32>) permutation = [0, 2, 1, 3, 4]
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%xt, %y : tensor<1x2x4x3x3xf32>, tensor<1x2x4x3x3xf32>) outs(%i : tensor<1x2x4x3x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x4x3x3xf32>
  %f = linalg.generic {indexing_maps = [#id, #depth, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%xt, %k : tensor<1x2x4x3x3xf32>, tensor<4xf32>) outs(%i : tensor<1x2x4x3x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.mulf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x4x3x3xf32>
  %e = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%xe : tensor<1x4x2x3x3xf32>) outs(%j : tensor<1x4x2x3x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1x4x2x3x3xf32>
  %m = halftone.composite "softmax"(%xt) {axis = 1 : i64} : (tensor<1x2x4x3x3xf32>) -> tensor<1x2x4x3x3xf32> {
  ^bb0(%a: tensor<1x2x4x3x3xf32>):
    halftone.yield %a : tensor<1x2x4x3x3xf32>
  }
  return %s, %f, %e, %m : tensor<1x2x4x3x3xf32>, tensor<1x2x4x3x3xf32>, tensor<1x4x2x3x3xf32>, tensor<1x2x4x3x3xf32>
}
