// RUN: halftone-opt %s --halftone-keep-heights --canonicalize --cse --split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-import-pipeline --split-input-file | FileCheck %s --check-prefix=STAGE

#ncw = affine_map<(n, c, w) -> (n, c, w)>

// Everything up to the next convolution is computed with the height; the removal and the addition cancel. A sum takes its other tensor with
// a height, too. The batch stays open.
// CHECK-LABEL: @chain
// CHECK-SAME: (%[[X:.*]]: tensor<?x2x1x6xf32>, %[[Y:.*]]: tensor<?x2x6xf32>
// CHECK-NOT: tensor.collapse_shape
// CHECK: %[[N:.*]] = halftone.composite "batch_norm"(%[[X]],
// CHECK: %[[T:.*]] = halftone.composite "tanh"(%[[N]]) {} : (tensor<?x2x1x6xf32>) -> tensor<?x2x1x6xf32>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[Y]]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[T]], %[[E]] : tensor<?x2x1x6xf32>, tensor<?x2x1x6xf32>)
// CHECK: %[[C:.*]] = tensor.concat dim(1) %[[S]], %[[X]] : (tensor<?x2x1x6xf32>, tensor<?x2x1x6xf32>) -> tensor<?x4x1x6xf32>
// CHECK: %[[P:.*]] = tensor.pad %[[C]] low[0, 0, 0, 1] high[0, 0, 0, 2]
// CHECK: %[[L:.*]] = tensor.extract_slice %[[P]][0, 1, 0, 2] [%{{.*}}, 2, 1, 3] [1, 1, 1, 2] : tensor<?x4x1x9xf32> to tensor<?x2x1x3xf32>
// CHECK: return %[[L]]
func.func @chain(%x: tensor<?x2x1x6xf32>, %y: tensor<?x2x6xf32>) -> tensor<?x2x1x3xf32> {
  %first = arith.constant 0 : index
  %n = tensor.dim %x, %first : tensor<?x2x1x6xf32>
  %zero = arith.constant 0.0 : f32
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %s = tensor.collapse_shape %x [[0], [1], [2, 3]] : tensor<?x2x1x6xf32> into tensor<?x2x6xf32>
  %b = halftone.composite "batch_norm"(%s, %one, %one, %one, %one) {axis = 1 : i64, epsilon = 1.0 : f32}
      : (tensor<?x2x6xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<?x2x6xf32> {
  ^bb0(%a: tensor<?x2x6xf32>, %0: tensor<2xf32>, %1: tensor<2xf32>, %2: tensor<2xf32>, %3: tensor<2xf32>):
    halftone.yield %a : tensor<?x2x6xf32>
  }
  %t = halftone.composite "tanh"(%b) {} : (tensor<?x2x6xf32>) -> tensor<?x2x6xf32> {
  ^bb0(%a: tensor<?x2x6xf32>):
    halftone.yield %a : tensor<?x2x6xf32>
  }
  %i = tensor.empty(%n) : tensor<?x2x6xf32>
  %sum = linalg.generic {indexing_maps = [#ncw, #ncw, #ncw], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %y : tensor<?x2x6xf32>, tensor<?x2x6xf32>) outs(%i : tensor<?x2x6xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<?x2x6xf32>
  %c = tensor.concat dim(1) %sum, %s : (tensor<?x2x6xf32>, tensor<?x2x6xf32>) -> tensor<?x4x6xf32>
  %p = tensor.pad %c low[0, 0, 1] high[0, 0, 2] {
  ^bb0(%i0: index, %i1: index, %i2: index):
    tensor.yield %zero : f32
  } : tensor<?x4x6xf32> to tensor<?x4x9xf32>
  %l = tensor.extract_slice %p[0, 1, 2] [%n, 2, 3] [1, 1, 2] : tensor<?x4x9xf32> to tensor<?x2x3xf32>
  %r = tensor.expand_shape %l [[0], [1], [2, 3]] output_shape [%n, 2, 1, 3] : tensor<?x2x3xf32> into tensor<?x2x1x3xf32>
  return %r : tensor<?x2x1x3xf32>
}

// -----

#ncw = affine_map<(n, c, w) -> (n, c, w)>

// Left alone: rows that are joined with more than a height, and a slice that drops a dimension.
// CHECK-LABEL: @others
// CHECK: %[[S:.*]] = tensor.collapse_shape %{{.*}} : tensor<1x2x3x4xf32> into tensor<1x2x12xf32>
// CHECK: linalg.generic {{.*}} ins(%[[S]] : tensor<1x2x12xf32>)
// CHECK: %[[H:.*]] = tensor.collapse_shape %{{.*}} : tensor<1x2x1x4xf32> into tensor<1x2x4xf32>
// CHECK: tensor.extract_slice %[[H]][0, 0, 1] [1, 2, 1] [1, 1, 1] : tensor<1x2x4xf32> to tensor<1x2xf32>
func.func @others(%x: tensor<1x2x3x4xf32>, %y: tensor<1x2x1x4xf32>) -> (tensor<1x2x12xf32>, tensor<1x2xf32>) {
  %s = tensor.collapse_shape %x [[0], [1], [2, 3]] : tensor<1x2x3x4xf32> into tensor<1x2x12xf32>
  %e = tensor.empty() : tensor<1x2x12xf32>
  %n = linalg.generic {indexing_maps = [#ncw, #ncw], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x2x12xf32>) outs(%e : tensor<1x2x12xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.negf %u : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x12xf32>
  %h = tensor.collapse_shape %y [[0], [1], [2, 3]] : tensor<1x2x1x4xf32> into tensor<1x2x4xf32>
  %l = tensor.extract_slice %h[0, 0, 1] [1, 2, 1] [1, 1, 1] : tensor<1x2x4xf32> to tensor<1x2xf32>
  return %n, %l : tensor<1x2x12xf32>, tensor<1x2xf32>
}

// -----

#ncw = affine_map<(n, c, w) -> (n, c, w)>

// Two convolutions with a Relu between: after the stage nothing but the convolutions and their tails is left, channels last.
// STAGE-LABEL: @main
// STAGE: linalg.conv_2d_nhwc_hwcf
// STAGE: %[[R:.*]] = linalg.generic
// STAGE-NOT: {{transpose|_shape}}
// STAGE: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%[[R]],
func.func @main(%x: tensor<1x2x9xf32>) -> tensor<1x3x5xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<0.5> : tensor<4x2x1x3xf32>
  %w2 = arith.constant dense<0.25> : tensor<3x4x1x3xf32>
  %p = tensor.expand_shape %x [[0], [1], [2, 3]] output_shape [1, 2, 1, 9] : tensor<1x2x9xf32> into tensor<1x2x1x9xf32>
  %e1 = tensor.empty() : tensor<1x4x1x7xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x4x1x7xf32>) -> tensor<1x4x1x7xf32>
  %c1 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%p, %w1 : tensor<1x2x1x9xf32>, tensor<4x2x1x3xf32>) outs(%f1 : tensor<1x4x1x7xf32>) -> tensor<1x4x1x7xf32>
  %s = tensor.collapse_shape %c1 [[0], [1], [2, 3]] : tensor<1x4x1x7xf32> into tensor<1x4x7xf32>
  %er = tensor.empty() : tensor<1x4x7xf32>
  %r = linalg.generic {indexing_maps = [#ncw, #ncw], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x4x7xf32>) outs(%er : tensor<1x4x7xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.maximumf %u, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<1x4x7xf32>
  %q = tensor.expand_shape %r [[0], [1], [2, 3]] output_shape [1, 4, 1, 7] : tensor<1x4x7xf32> into tensor<1x4x1x7xf32>
  %e2 = tensor.empty() : tensor<1x3x1x5xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x3x1x5xf32>) -> tensor<1x3x1x5xf32>
  %c2 = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%q, %w2 : tensor<1x4x1x7xf32>, tensor<3x4x1x3xf32>) outs(%f2 : tensor<1x3x1x5xf32>) -> tensor<1x3x1x5xf32>
  %y = tensor.collapse_shape %c2 [[0], [1], [2, 3]] : tensor<1x3x1x5xf32> into tensor<1x3x5xf32>
  return %y : tensor<1x3x5xf32>
}
