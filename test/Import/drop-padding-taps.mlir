// RUN: halftone-opt %s --halftone-drop-padding-taps --canonicalize --split-input-file | FileCheck %s

// Dilated beyond the map: the middle tap alone reads it, and no padding is left. The batch stays open.
// CHECK-LABEL: @dilated
// CHECK-SAME: (%[[X:[^:]+]]: tensor<?x2x2x1xf32>
// CHECK: %[[W:.*]] = arith.constant dense<5.000000e+00> : tensor<1x1x1x1xf32>
// CHECK-NOT: tensor.pad
// CHECK: linalg.conv_2d_nhwc_hwcf {dilations = dense<12> : tensor<2xi64>, name = "kept", strides = dense<1> : tensor<2xi64>}
// CHECK-SAME: ins(%[[X]], %[[W]] : tensor<?x2x2x1xf32>, tensor<1x1x1x1xf32>)
func.func @dilated(%x: tensor<?x2x2x1xf32>, %init: tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[[[1.0]], [[2.0]], [[3.0]]], [[[4.0]], [[5.0]], [[6.0]]], [[[7.0]], [[8.0]], [[9.0]]]]> : tensor<3x3x1x1xf32>
  %p = tensor.pad %x low[0, 12, 12, 0] high[0, 12, 12, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<?x2x2x1xf32> to tensor<?x26x26x1xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<12> : tensor<2xi64>, name = "kept", strides = dense<1> : tensor<2xi64>}
      ins(%p, %w : tensor<?x26x26x1xf32>, tensor<3x3x1x1xf32>) outs(%init : tensor<?x2x2x1xf32>) -> tensor<?x2x2x1xf32>
  return %y : tensor<?x2x2x1xf32>
}

// -----

// Height and width differ. Of 5 rows over 1, stride 2, the third alone reads; of 5 columns over 2, all but the last. The padding goes with the taps.
// CHECK-LABEL: @depthwise
// CHECK-SAME: (%[[X:[^:]+]]: tensor<1x1x2x2xf32>
// CHECK: %[[W:.*]] = arith.constant dense<{{\[}}{{\[}}[2.200000e+01, 2.300000e+01], [2.400000e+01, 2.500000e+01], [2.600000e+01, 2.700000e+01], [2.800000e+01, 2.900000e+01]]]> : tensor<1x4x2xf32>
// CHECK: %[[P:.*]] = tensor.pad %[[X]] low[0, 0, 2, 0] high[0, 0, 2, 0]
// CHECK: : tensor<1x1x2x2xf32> to tensor<1x1x6x2xf32>
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc {{.*}} ins(%[[P]], %[[W]] : tensor<1x1x6x2xf32>, tensor<1x4x2xf32>)
func.func @depthwise(%x: tensor<1x1x2x2xf32>, %init: tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[
    [[2.0, 3.0], [4.0, 5.0], [6.0, 7.0], [8.0, 9.0], [10.0, 11.0]],
    [[12.0, 13.0], [14.0, 15.0], [16.0, 17.0], [18.0, 19.0], [20.0, 21.0]],
    [[22.0, 23.0], [24.0, 25.0], [26.0, 27.0], [28.0, 29.0], [30.0, 31.0]],
    [[32.0, 33.0], [34.0, 35.0], [36.0, 37.0], [38.0, 39.0], [40.0, 41.0]],
    [[42.0, 43.0], [44.0, 45.0], [46.0, 47.0], [48.0, 49.0], [50.0, 51.0]]]> : tensor<5x5x2xf32>
  %p = tensor.pad %x low[0, 2, 2, 0] high[0, 2, 3, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x1x2x2xf32> to tensor<1x5x7x2xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%p, %w : tensor<1x5x7x2xf32>, tensor<5x5x2xf32>) outs(%init : tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  return %y : tensor<1x1x2x2xf32>
}

// -----

// Padding in front of the split into groups, which another convolution reads as it is.
// CHECK-LABEL: @grouped
// CHECK-SAME: (%[[X:[^:]+]]: tensor<?x1x1x4xf32>
// CHECK-DAG: %[[E:.*]] = tensor.expand_shape %[[X]] {{\[}}[0], [1], [2], [3, 4]] output_shape [%{{.*}}, 1, 1, 2, 2] : tensor<?x1x1x4xf32> into tensor<?x1x1x2x2xf32>
// CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} ins(%[[E]], %{{.*}} : tensor<?x1x1x2x2xf32>, tensor<2x1x1x1x2xf32>)
// CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} : tensor<?x3x3x2x2xf32>, tensor<2x1x3x3x2xf32>)
func.func @grouped(%x: tensor<?x1x1x4xf32>, %n: index, %init: tensor<?x1x1x2x1xf32>, %other: tensor<2x1x3x3x2xf32>)
    -> (tensor<?x1x1x2x1xf32>, tensor<?x1x1x2x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x1x3x3x2xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<?x1x1x4xf32> to tensor<?x3x3x4xf32>
  %e = tensor.expand_shape %p [[0], [1], [2], [3, 4]] output_shape [%n, 3, 3, 2, 2] : tensor<?x3x3x4xf32> into tensor<?x3x3x2x2xf32>
  %y = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%e, %w : tensor<?x3x3x2x2xf32>, tensor<2x1x3x3x2xf32>) outs(%init : tensor<?x1x1x2x1xf32>) -> tensor<?x1x1x2x1xf32>
  %z = linalg.conv_2d_nhwgc_gfhwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%e, %other : tensor<?x3x3x2x2xf32>, tensor<2x1x3x3x2xf32>) outs(%init : tensor<?x1x1x2x1xf32>) -> tensor<?x1x1x2x1xf32>
  return %y, %z : tensor<?x1x1x2x1xf32>, tensor<?x1x1x2x1xf32>
}

// -----

// Left alone: taps that read the input somewhere, padding with another value, and a kernel that is over the padding altogether but for its last tap.
// CHECK-LABEL: @left_alone
// CHECK: tensor<1x4x4x1xf32>, tensor<3x3x1x1xf32>
// CHECK: tensor<1x3x3x1xf32>, tensor<3x3x1x1xf32>
// CHECK: tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>
func.func @left_alone(%x: tensor<1x2x2x1xf32>, %s: tensor<1x1x1x1xf32>, %a: tensor<1x2x2x1xf32>, %b: tensor<1x1x1x1xf32>)
    -> (tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %w = arith.constant dense<1.0> : tensor<3x3x1x1xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x1xf32> to tensor<1x4x4x1xf32>
  %y = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%p, %w : tensor<1x4x4x1xf32>, tensor<3x3x1x1xf32>) outs(%a : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %q = tensor.pad %s low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %one : f32
  } : tensor<1x1x1x1xf32> to tensor<1x3x3x1xf32>
  %z = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%q, %w : tensor<1x3x3x1xf32>, tensor<3x3x1x1xf32>) outs(%b : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %r = tensor.pad %s low[0, 2, 2, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x1x1x1xf32> to tensor<1x3x3x1xf32>
  %v = linalg.conv_2d_nhwc_hwcf {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%r, %w : tensor<1x3x3x1xf32>, tensor<3x3x1x1xf32>) outs(%b : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  return %y, %z, %v : tensor<1x2x2x1xf32>, tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>
}
