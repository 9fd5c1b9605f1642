// RUN: halftone-opt %s --halftone-convert-layout --canonicalize -split-input-file | FileCheck %s

// A convolution with bias, padding and Relu: one transpose in, one out.
// CHECK-LABEL: @conv(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x8x8xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[X]] : tensor<1x3x8x8xf32>) {{.*}} permutation = [0, 2, 3, 1]
// CHECK: %[[P:.*]] = tensor.pad %[[T]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: %[[C:.*]] = linalg.conv_2d_nhwc_hwcf {{.*}} ins(%[[P]], %{{.*}} : tensor<1x10x10x3xf32>, tensor<3x3x3x16xf32>)
// CHECK: %[[R:.*]] = linalg.generic {indexing_maps = [#[[ID:.*]], #[[CH:.*]], #[[ID]]]
// CHECK-SAME: ins(%[[C]], %{{.*}} : tensor<1x8x8x16xf32>, tensor<16xf32>)
// CHECK: linalg.transpose ins(%[[R]]
// CHECK-SAME: permutation = [0, 3, 1, 2]
// CHECK-NOT: nchw
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
#ch = affine_map<(n, c, h, w) -> (c)>
func.func @conv(%x: tensor<1x3x8x8xf32>) -> tensor<1x16x8x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<16x3x3x3xf32>
  %b = arith.constant dense<1.0> : tensor<16xf32>
  %p = tensor.pad %x low[0, 0, 1, 1] high[0, 0, 1, 1] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x8x8xf32> to tensor<1x3x10x10xf32>
  %e = tensor.empty() : tensor<1x16x8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%p, %w : tensor<1x3x10x10xf32>, tensor<16x3x3x3xf32>) outs(%f : tensor<1x16x8x8xf32>) -> tensor<1x16x8x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%c, %b : tensor<1x16x8x8xf32>, tensor<16xf32>) outs(%e : tensor<1x16x8x8xf32>) {
  ^bb0(%a: f32, %v: f32, %o: f32):
    %s = arith.addf %a, %v : f32
    %m = arith.maximumf %s, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x16x8x8xf32>
  return %r : tensor<1x16x8x8xf32>
}

// -----

// Depthwise with a dynamic batch; a global average's reshape keeps the channels in place.
// CHECK-LABEL: @depthwise(
// CHECK: tensor.dim
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?x3x3x8xf32>, tensor<3x3x8xf32>)
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2, 3]] : tensor<?x1x1x8xf32> into tensor<?x8xf32>
// CHECK-NOT: linalg.transpose
func.func @depthwise(%x: tensor<?x8x3x3xf32>) -> tensor<?x8xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %w = arith.constant dense<0.5> : tensor<8x3x3xf32>
  %n = tensor.dim %x, %c0 : tensor<?x8x3x3xf32>
  %e = tensor.empty(%n) : tensor<?x8x1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x8x1x1xf32>) -> tensor<?x8x1x1xf32>
  %c = linalg.depthwise_conv_2d_nchw_chw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<?x8x3x3xf32>, tensor<8x3x3xf32>) outs(%f : tensor<?x8x1x1xf32>) -> tensor<?x8x1x1xf32>
  %r = tensor.collapse_shape %c [[0], [1, 2, 3]] : tensor<?x8x1x1xf32> into tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

// Grouped: the groups are split and joined channels-last.
// CHECK-LABEL: @grouped(
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0], [1], [2], [3, 4]]{{.*}} into tensor<1x5x5x2x3xf32>
// CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x5x5x2x3xf32>, tensor<2x4x3x3x3xf32>)
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0], [1], [2], [3, 4]] : tensor<1x3x3x2x4xf32> into tensor<1x3x3x8xf32>
func.func @grouped(%x: tensor<1x6x5x5xf32>) -> tensor<1x8x3x3xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<2x4x3x3x3xf32>
  %g = tensor.expand_shape %x [[0], [1, 2], [3], [4]] output_shape [1, 2, 3, 5, 5] : tensor<1x6x5x5xf32> into tensor<1x2x3x5x5xf32>
  %e = tensor.empty() : tensor<1x2x4x3x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x4x3x3xf32>) -> tensor<1x2x4x3x3xf32>
  %c = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%g, %w : tensor<1x2x3x5x5xf32>, tensor<2x4x3x3x3xf32>) outs(%f : tensor<1x2x4x3x3xf32>) -> tensor<1x2x4x3x3xf32>
  %r = tensor.collapse_shape %c [[0], [1, 2], [3], [4]] : tensor<1x2x4x3x3xf32> into tensor<1x8x3x3xf32>
  return %r : tensor<1x8x3x3xf32>
}

// -----

// Left alone: nothing here is a convolution or a pool.
// CHECK-LABEL: @elementwise(
// CHECK-NOT: transpose
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @elementwise(%x: tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32> {
  %e = tensor.empty() : tensor<1x3x8x8xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x3x8x8xf32>) outs(%e : tensor<1x3x8x8xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<1x3x8x8xf32>
  return %r : tensor<1x3x8x8xf32>
}

// -----

// A residual sum of two convolved values and a concatenation with a plain one.
// CHECK-LABEL: @residual(
// CHECK: %[[P:.*]] = linalg.pooling_nhwc_max
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[P]], %{{.*}} : tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>)
// CHECK: tensor.concat dim(3) %[[S]], %{{.*}} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x4xf32>
#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @residual(%x: tensor<1x2x8x8xf32>, %y: tensor<1x2x4x4xf32>) -> tensor<1x4x4x4xf32> {
  %inf = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x2x4x4xf32>
  %k = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%inf : f32) outs(%e : tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %p = linalg.pooling_nchw_max {dilations = dense<1> : tensor<2xi64>, strides = dense<2> : tensor<2xi64>}
      ins(%x, %k : tensor<1x2x8x8xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p, %y : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) outs(%e : tensor<1x2x4x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.addf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<1x2x4x4xf32>
  %c = tensor.concat dim(1) %s, %y : (tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>) -> tensor<1x4x4x4xf32>
  return %c : tensor<1x4x4x4xf32>
}

// -----

// A pool whose channels are last already is no N x C x H x W, also behind a convolution: its operand is read back.
// CHECK-LABEL: @channels_last_pool(
// CHECK: linalg.conv_2d_nhwc_hwcf
// CHECK: %[[B:.*]] = linalg.transpose {{.*}} permutation = [0, 3, 1, 2]
// CHECK: %[[P:.*]] = halftone.composite "avg_pool"(%[[B]]) {channels_last = true
// CHECK: return %[[P]] : tensor<1x1x1x6xf32>
func.func @channels_last_pool(%x: tensor<1x3x4x6xf32>) -> tensor<1x1x1x6xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<5x3x1x1xf32>
  %e = tensor.empty() : tensor<1x5x4x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x4x6xf32>) -> tensor<1x5x4x6xf32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<1x3x4x6xf32>, tensor<5x3x1x1xf32>) outs(%f : tensor<1x5x4x6xf32>) -> tensor<1x5x4x6xf32>
  %p = halftone.composite "avg_pool"(%c) {channels_last = true, count_include_pad = false, dilations = array<i64: 1, 1>, kernel = array<i64: 5, 4>,
      overhang = array<i64: 0, 0>, pads = array<i64: 0, 0, 0, 0>, strides = array<i64: 1, 1>} : (tensor<1x5x4x6xf32>) -> tensor<1x1x1x6xf32> {
  ^bb0(%a: tensor<1x5x4x6xf32>):
    %z = arith.constant 0.0 : f32
    %window = tensor.empty() : tensor<5x4xf32>
    %o = tensor.empty() : tensor<1x1x1x6xf32>
    %g = linalg.fill ins(%z : f32) outs(%o : tensor<1x1x1x6xf32>) -> tensor<1x1x1x6xf32>
    %s = linalg.pooling_nhwc_sum {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
        ins(%a, %window : tensor<1x5x4x6xf32>, tensor<5x4xf32>) outs(%g : tensor<1x1x1x6xf32>) -> tensor<1x1x1x6xf32>
    halftone.yield %s : tensor<1x1x1x6xf32>
  }
  return %p : tensor<1x1x1x6xf32>
}

// -----

// Channels that become positions stay last: no transpose but that of the phases, whose rows of channels stay together.
// CHECK-LABEL: @depth_to_space
// CHECK: %[[C:.*]] = linalg.conv_2d_nhwc_hwcf
// CHECK: %[[E:.*]] = tensor.expand_shape %[[C]] {{\[\[}}0], [1], [2], [3, 4, 5]] {{.*}} : tensor<1x5x6x12xf32> into tensor<1x5x6x2x2x3xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[E]] : {{.*}} permutation = [0, 1, 3, 2, 4, 5]
// CHECK: %[[J:.*]] = tensor.collapse_shape %[[T]] {{\[\[}}0], [1, 2], [3, 4], [5]] : {{.*}} into tensor<1x10x12x3xf32>
// CHECK: linalg.conv_2d_nhwc_hwcf{{.*}}ins(%[[J]],
func.func @depth_to_space(%x: tensor<1x4x5x6xf32>, %w: tensor<12x4x1x1xf32>, %v: tensor<2x3x1x1xf32>) -> tensor<1x2x10x12xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x12x5x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x12x5x6xf32>) -> tensor<1x12x5x6xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<1x4x5x6xf32>, tensor<12x4x1x1xf32>) outs(%f : tensor<1x12x5x6xf32>) -> tensor<1x12x5x6xf32>
  %s = tensor.expand_shape %c [[0], [1, 2, 3], [4], [5]] output_shape [1, 2, 2, 3, 5, 6] : tensor<1x12x5x6xf32> into tensor<1x2x2x3x5x6xf32>
  %i = tensor.empty() : tensor<1x3x5x2x6x2xf32>
  %t = linalg.transpose ins(%s : tensor<1x2x2x3x5x6xf32>) outs(%i : tensor<1x3x5x2x6x2xf32>) permutation = [0, 3, 4, 1, 5, 2]
  %j = tensor.collapse_shape %t [[0], [1], [2, 3], [4, 5]] : tensor<1x3x5x2x6x2xf32> into tensor<1x3x10x12xf32>
  %d = tensor.empty() : tensor<1x2x10x12xf32>
  %g = linalg.fill ins(%zero : f32) outs(%d : tensor<1x2x10x12xf32>) -> tensor<1x2x10x12xf32>
  %y = linalg.conv_2d_nchw_fchw ins(%j, %v : tensor<1x3x10x12xf32>, tensor<2x3x1x1xf32>) outs(%g : tensor<1x2x10x12xf32>) -> tensor<1x2x10x12xf32>
  return %y : tensor<1x2x10x12xf32>
}

// -----

// Channels that are shuffled between groups, with an open batch.
// CHECK-LABEL: @channel_shuffle
// CHECK: %[[C:.*]] = linalg.conv_2d_nhwc_hwcf
// CHECK: %[[E:.*]] = tensor.expand_shape %[[C]] {{\[\[}}0], [1], [2], [3, 4]] {{.*}} : tensor<?x5x6x6xf32> into tensor<?x5x6x2x3xf32>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[E]] : {{.*}} permutation = [0, 1, 2, 4, 3]
// CHECK: tensor.collapse_shape %[[T]] {{\[\[}}0], [1], [2], [3, 4]] : {{.*}} into tensor<?x5x6x6xf32>
func.func @channel_shuffle(%x: tensor<?x4x5x6xf32>, %w: tensor<6x4x1x1xf32>) -> tensor<?x6x5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4x5x6xf32>
  %e = tensor.empty(%n) : tensor<?x6x5x6xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x6x5x6xf32>) -> tensor<?x6x5x6xf32>
  %c = linalg.conv_2d_nchw_fchw ins(%x, %w : tensor<?x4x5x6xf32>, tensor<6x4x1x1xf32>) outs(%f : tensor<?x6x5x6xf32>) -> tensor<?x6x5x6xf32>
  %s = tensor.expand_shape %c [[0], [1, 2], [3], [4]] output_shape [%n, 2, 3, 5, 6] : tensor<?x6x5x6xf32> into tensor<?x2x3x5x6xf32>
  %i = tensor.empty(%n) : tensor<?x3x2x5x6xf32>
  %t = linalg.transpose ins(%s : tensor<?x2x3x5x6xf32>) outs(%i : tensor<?x3x2x5x6xf32>) permutation = [0, 2, 1, 3, 4]
  %j = tensor.collapse_shape %t [[0], [1, 2], [3], [4]] : tensor<?x3x2x5x6xf32> into tensor<?x6x5x6xf32>
  return %j : tensor<?x6x5x6xf32>
}

// -----

// A source that is channels-last but for what stands between its convolutions.
// CHECK-LABEL: @between
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x2xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X]] :
// CHECK: linalg.pooling_nhwc_max {{.*}} ins(%[[Y]],
#between = affine_map<(n, c, h, w) -> (n, c, h, w)>
func.func @between(%x: tensor<1x4x4x2xf32>) -> tensor<1x3x3x2xf32> {
  %least = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x2x4x4xf32>
  %f = tensor.empty() : tensor<1x4x4x2xf32>
  %o = tensor.empty() : tensor<1x3x3x2xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %t = linalg.transpose ins(%x : tensor<1x4x4x2xf32>) outs(%e : tensor<1x2x4x4xf32>) permutation = [0, 3, 1, 2]
  %y = linalg.generic {indexing_maps = [#between, #between], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%t : tensor<1x2x4x4xf32>) outs(%e : tensor<1x2x4x4xf32>) {
  ^bb0(%a: f32, %b: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<1x2x4x4xf32>
  %b = linalg.transpose ins(%y : tensor<1x2x4x4xf32>) outs(%f : tensor<1x4x4x2xf32>) permutation = [0, 2, 3, 1]
  %i = linalg.fill ins(%least : f32) outs(%o : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  %p = linalg.pooling_nhwc_max {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%b, %window : tensor<1x4x4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  return %p : tensor<1x3x3x2xf32>
}

// -----

// A body that reads a convolution's result by its place reads it moved back; the convolution is there once.
// CHECK-LABEL: @by_place
// CHECK-NOT: conv_2d_nchw
// CHECK: %[[C:.*]] = linalg.conv_2d_nhwc_hwcf
// CHECK-NOT: conv_2d_nchw
// CHECK: %[[B:.*]] = linalg.transpose ins(%[[C]] : tensor<1x3x3x2xf32>) {{.*}} permutation = [0, 3, 1, 2]
// CHECK: tensor.extract %[[B]]
func.func @by_place(%x: tensor<1x4x3x3xf32>) -> tensor<2x3xf32> {
  %w = arith.constant dense<0.5> : tensor<2x4x1x1xf32>
  %0 = arith.constant 0.0 : f32
  %t = tensor.empty() : tensor<1x2x3x3xf32>
  %zero = linalg.fill ins(%0 : f32) outs(%t : tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %n = arith.constant 0 : index
  %e = tensor.empty() : tensor<2x3xf32>
  %c = linalg.conv_2d_nchw_fchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x4x3x3xf32>, tensor<2x4x1x1xf32>) outs(%zero : tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<2x3xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %v = tensor.extract %c[%n, %i, %j, %j] : tensor<1x2x3x3xf32>
    linalg.yield %v : f32
  } -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
