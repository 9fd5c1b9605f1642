// RUN: halftone-opt %s --halftone-sink-reshapes --canonicalize --cse --split-input-file | FileCheck %s

#xyz = affine_map<(x, y, z) -> (x, y, z)>
#z = affine_map<(x, y, z) -> (z)>

// The bias, a function and the sum with another tensor follow the matrix product; the rows are split behind them, once: a
// size that was read from the split tensor is the one that it was given.
// CHECK-LABEL: @tail
// CHECK-SAME: (%[[A:.*]]: tensor<?x4xf32>, %[[N:.*]]: index, %[[R:.*]]: tensor<?x3x8xf32>)
// CHECK: %[[P:.*]] = linalg.matmul
// CHECK-NOT: {{tensor.collapse_shape|tensor.expand_shape}}
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%[[P]], %{{.*}} : tensor<?x8xf32>, tensor<8xf32>)
// CHECK: %[[S:.*]] = halftone.composite "sigmoid"(%[[B]]) {} : (tensor<?x8xf32>) -> tensor<?x8xf32>
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[R]] {{\[\[}}0, 1], [2]] : tensor<?x3x8xf32> into tensor<?x8xf32>
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[S]], %[[C]] : tensor<?x8xf32>, tensor<?x8xf32>)
// CHECK: %[[E:.*]] = tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]]
// CHECK: return %[[E]]
func.func @tail(%a: tensor<?x4xf32>, %n: index, %r: tensor<?x3x8xf32>) -> tensor<?x3x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %w = arith.constant dense<1.0> : tensor<4x8xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %rows = tensor.dim %a, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%rows) : tensor<?x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8xf32>) -> tensor<?x8xf32>
  %p = linalg.matmul ins(%a, %w : tensor<?x4xf32>, tensor<4x8xf32>) outs(%f : tensor<?x8xf32>) -> tensor<?x8xf32>
  %x = tensor.expand_shape %p [[0, 1], [2]] output_shape [%n, 3, 8] : tensor<?x8xf32> into tensor<?x3x8xf32>
  %d = tensor.dim %x, %c0 : tensor<?x3x8xf32>
  %i = tensor.empty(%d) : tensor<?x3x8xf32>
  %b = linalg.generic {indexing_maps = [#xyz, #z, #xyz], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %bias : tensor<?x3x8xf32>, tensor<8xf32>) outs(%i : tensor<?x3x8xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<?x3x8xf32>
  %s = halftone.composite "sigmoid"(%b) {} : (tensor<?x3x8xf32>) -> tensor<?x3x8xf32> {
  ^bb0(%t: tensor<?x3x8xf32>):
    halftone.yield %t : tensor<?x3x8xf32>
  }
  %y = linalg.generic {indexing_maps = [#xyz, #xyz, #xyz], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s, %r : tensor<?x3x8xf32>, tensor<?x3x8xf32>) outs(%i : tensor<?x3x8xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<?x3x8xf32>
  return %y : tensor<?x3x8xf32>
}

// -----

#xyz = affine_map<(x, y, z) -> (x, y, z)>
#xy = affine_map<(x, y, z) -> (x, y)>

// Left alone: columns that are split, a reduction, rows of something that is no product.
// CHECK-LABEL: @others
// CHECK-SAME: (%[[A:.*]]: tensor<6x4xf32>)
// CHECK: %[[P:.*]] = linalg.matmul
// CHECK: %[[H:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0], [1, 2]]
// CHECK: linalg.generic {{.*}} ins(%[[H]], %[[H]] :
// CHECK: %[[X:.*]] = tensor.expand_shape %[[P]] {{\[\[}}0, 1], [2]]
// CHECK: linalg.generic {{.*}}"reduction"]} ins(%[[X]] :
// CHECK: %[[E:.*]] = tensor.expand_shape %[[A]]
// CHECK: linalg.generic {{.*}} ins(%[[E]], %[[E]] :
func.func @others(%a: tensor<6x4xf32>) -> (tensor<6x2x4xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x8xf32>
  %e = tensor.empty() : tensor<6x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<6x8xf32>) -> tensor<6x8xf32>
  %p = linalg.matmul ins(%a, %w : tensor<6x4xf32>, tensor<4x8xf32>) outs(%f : tensor<6x8xf32>) -> tensor<6x8xf32>
  %h = tensor.expand_shape %p [[0], [1, 2]] output_shape [6, 2, 4] : tensor<6x8xf32> into tensor<6x2x4xf32>
  %i = tensor.empty() : tensor<6x2x4xf32>
  %heads = linalg.generic {indexing_maps = [#xyz, #xyz, #xyz], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%h, %h : tensor<6x2x4xf32>, tensor<6x2x4xf32>) outs(%i : tensor<6x2x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<6x2x4xf32>
  %x = tensor.expand_shape %p [[0, 1], [2]] output_shape [2, 3, 8] : tensor<6x8xf32> into tensor<2x3x8xf32>
  %j = tensor.empty() : tensor<2x3xf32>
  %g = linalg.fill ins(%zero : f32) outs(%j : tensor<2x3xf32>) -> tensor<2x3xf32>
  %sums = linalg.generic {indexing_maps = [#xyz, #xy], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : tensor<2x3x8xf32>) outs(%g : tensor<2x3xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.addf %o, %u : f32
    linalg.yield %0 : f32
  } -> tensor<2x3xf32>
  %rows = tensor.expand_shape %a [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %k = tensor.empty() : tensor<2x3x4xf32>
  %squares = linalg.generic {indexing_maps = [#xyz, #xyz, #xyz], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%rows, %rows : tensor<2x3x4xf32>, tensor<2x3x4xf32>) outs(%k : tensor<2x3x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x3x4xf32>
  return %heads, %sums, %squares : tensor<6x2x4xf32>, tensor<2x3xf32>, tensor<2x3x4xf32>
}

// -----

#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>

// Bias, normalization and activation behind a transposed convolution's phases are computed on the phases: vectors of channels once for each of them.
// CHECK-LABEL: @interleaved
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 1.000000e+00, 2.000000e+00, 1.000000e+00, 2.000000e+00, 1.000000e+00, 2.000000e+00]>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<[3.000000e+00, 4.000000e+00, 3.000000e+00, 4.000000e+00, 3.000000e+00, 4.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK: %[[P:.*]] = linalg.conv_2d_nhwc_hwcf
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[BIAS]] : tensor<1x3x3x8xf32>, tensor<8xf32>)
// CHECK: %[[N:.*]] = halftone.composite "batch_norm"(%[[B]], %[[SCALE]],
// CHECK: %[[G:.*]] = halftone.composite "gelu"(%[[N]])
// CHECK: %[[E:.*]] = tensor.expand_shape %[[G]]
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[E]]
// CHECK: %[[J:.*]] = tensor.collapse_shape %[[T]]
// CHECK: return %[[J]]
func.func @interleaved(%x: tensor<1x3x3x4xf32>, %w: tensor<1x1x4x8xf32>) -> tensor<1x6x6x2xf32> {
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %one = arith.constant dense<[1.0, 1.5]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x3x3x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x3x8xf32>) -> tensor<1x3x3x8xf32>
  %p = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x3x3x4xf32>, tensor<1x1x4x8xf32>) outs(%f : tensor<1x3x3x8xf32>) -> tensor<1x3x3x8xf32>
  %s = tensor.expand_shape %p [[0], [1], [2], [3, 4, 5]] output_shape [1, 3, 3, 2, 2, 2] : tensor<1x3x3x8xf32> into tensor<1x3x3x2x2x2xf32>
  %i = tensor.empty() : tensor<1x3x2x3x2x2xf32>
  %t = linalg.transpose ins(%s : tensor<1x3x3x2x2x2xf32>) outs(%i : tensor<1x3x2x3x2x2xf32>) permutation = [0, 1, 3, 2, 4, 5]
  %j = tensor.collapse_shape %t [[0], [1, 2], [3, 4], [5]] : tensor<1x3x2x3x2x2xf32> into tensor<1x6x6x2xf32>
  %o = tensor.empty() : tensor<1x6x6x2xf32>
  %b = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%j, %bias : tensor<1x6x6x2xf32>, tensor<2xf32>) outs(%o : tensor<1x6x6x2xf32>) {
  ^bb0(%u: f32, %v: f32, %q: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<1x6x6x2xf32>
  %n = halftone.composite "batch_norm"(%b, %scale, %bias, %bias, %one) {axis = 3 : i64, epsilon = 1.0e-5 : f64} : (tensor<1x6x6x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x6x6x2xf32> {
  ^bb0(%a: tensor<1x6x6x2xf32>, %a0: tensor<2xf32>, %a1: tensor<2xf32>, %a2: tensor<2xf32>, %a3: tensor<2xf32>):
    halftone.yield %a : tensor<1x6x6x2xf32>
  }
  %g = halftone.composite "gelu"(%n) {} : (tensor<1x6x6x2xf32>) -> tensor<1x6x6x2xf32> {
  ^bb0(%a: tensor<1x6x6x2xf32>):
    halftone.yield %a : tensor<1x6x6x2xf32>
  }
  return %g : tensor<1x6x6x2xf32>
}
