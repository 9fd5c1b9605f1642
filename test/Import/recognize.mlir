// RUN: halftone-opt %s --halftone-recognize -split-input-file | FileCheck %s

// CHECK-LABEL: @relu
// CHECK: arith.maximumf
// CHECK-NOT: arith.select
#id = affine_map<(d0) -> (d0)>
func.func @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %c = arith.cmpf ugt, %a, %zero : f32
    %s = arith.select %c, %a, %zero : f32
    linalg.yield %s : f32
  } -> tensor<4xf32>
  return %r : tensor<4xf32>
}

// -----

// Left alone: NaN would become 0.
// CHECK-LABEL: @ordered
// CHECK: arith.select
func.func @ordered(%a: f32) -> f32 {
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %a, %zero : f32
  %s = arith.select %c, %a, %zero : f32
  return %s : f32
}

// -----

// CHECK-LABEL: @global_average
// CHECK: halftone.composite "avg_pool"(%{{.*}}) {channels_last = false, {{.*}}kernel = array<i64: 8, 8>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#keep = affine_map<(d0, d1, d2, d3) -> (d0, d1, 0, 0)>
func.func @global_average(%x: tensor<1x32x8x8xf32>) -> tensor<1x32x1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %count = arith.constant 64.0 : f32
  %e = tensor.empty() : tensor<1x32x1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x32x1x1xf32>) -> tensor<1x32x1x1xf32>
  %s = linalg.generic {indexing_maps = [#id, #keep], iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%x : tensor<1x32x8x8xf32>) outs(%f : tensor<1x32x1x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %a, %o : f32
    linalg.yield %t : f32
  } -> tensor<1x32x1x1xf32>
  %d = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : tensor<1x32x1x1xf32>) outs(%e : tensor<1x32x1x1xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.divf %a, %count : f32
    linalg.yield %t : f32
  } -> tensor<1x32x1x1xf32>
  return %d : tensor<1x32x1x1xf32>
}

// -----

// The normalization of a channel: its vectors are read without extents of 1.
// CHECK-LABEL: @batch_norm
// CHECK: halftone.composite "batch_norm"(%{{.*}}) {axis = 1 : i64, epsilon = 9.99999974E-6 : f32}
#v = affine_map<(d0) -> (d0)>
#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#ch = affine_map<(d0, d1, d2, d3) -> (d1, 0, 0)>
func.func @batch_norm(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %epsilon = arith.constant 1.0e-05 : f64
  %mean = arith.constant dense<[0.1, 0.2]> : tensor<2xf32>
  %variance = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %bias = arith.constant dense<[5.0, 6.0]> : tensor<2xf32>
  %v = tensor.empty() : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2x3x3xf32>
  %0 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%variance : tensor<2xf32>) outs(%v : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.truncf %epsilon : f64 to f32
    %s = arith.addf %a, %t : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %1 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%0 : tensor<2xf32>) outs(%v : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.sqrt %a : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %2 = linalg.generic {indexing_maps = [#v, #v], iterator_types = ["parallel"]} ins(%1 : tensor<2xf32>) outs(%v : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.divf %one, %a : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %m = tensor.expand_shape %mean [[0, 1, 2]] output_shape [2, 1, 1] : tensor<2xf32> into tensor<2x1x1xf32>
  %d = tensor.expand_shape %2 [[0, 1, 2]] output_shape [2, 1, 1] : tensor<2xf32> into tensor<2x1x1xf32>
  %g = tensor.expand_shape %scale [[0, 1, 2]] output_shape [2, 1, 1] : tensor<2xf32> into tensor<2x1x1xf32>
  %b = tensor.expand_shape %bias [[0, 1, 2]] output_shape [2, 1, 1] : tensor<2xf32> into tensor<2x1x1xf32>
  %3 = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %m : tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) outs(%e : tensor<1x2x3x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.subf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x2x3x3xf32>
  %4 = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%3, %d : tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) outs(%e : tensor<1x2x3x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.mulf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x2x3x3xf32>
  %5 = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%4, %g : tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) outs(%e : tensor<1x2x3x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.mulf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x2x3x3xf32>
  %6 = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%5, %b : tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) outs(%e : tensor<1x2x3x3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x2x3x3xf32>
  return %6 : tensor<1x2x3x3xf32>
}

// -----

// A bias that starts the sum is added after it; a transposed constant is a constant.
// CHECK-LABEL: @bias
// CHECK: arith.constant dense<{{\[\[}}1.000000e+00, 3.000000e+00], [2.000000e+00, 4.000000e+00]]>
// CHECK: %[[F:.*]] = linalg.fill
// CHECK: %[[M:.*]] = linalg.matmul {{.*}} outs(%[[F]]
// CHECK: linalg.generic {{.*}} ins(%[[M]], %{{.*}} : tensor<3x2xf32>, tensor<2xf32>)
func.func @bias(%x: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %t = linalg.transpose ins(%w : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  %o = tensor.empty() : tensor<3x2xf32>
  %i = linalg.broadcast ins(%b : tensor<2xf32>) outs(%o : tensor<3x2xf32>) dimensions = [0]
  %m = linalg.matmul ins(%x, %t : tensor<3x2xf32>, tensor<2x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %m : tensor<3x2xf32>
}

// -----

// A sum over an extent of 1 that no other operand has keeps it.
// CHECK-LABEL: @sum_over_one
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<1x2x3xf32>)
#whole = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#middle = affine_map<(d0, d1, d2) -> (d1)>
func.func @sum_over_one() -> tensor<2xf32> {
  %w = arith.constant dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]> : tensor<1x2x3xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2xf32>) -> tensor<2xf32>
  %s = linalg.generic {indexing_maps = [#whole, #middle], iterator_types = ["reduction", "parallel", "reduction"]}
      ins(%w : tensor<1x2x3xf32>) outs(%f : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %o, %a : f32
    linalg.yield %t : f32
  } -> tensor<2xf32>
  return %s : tensor<2xf32>
}

// -----

// Filters first: the entry form has them last, and the bias behind the sum.
// CHECK-LABEL: @filters_first
// CHECK: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<1x1x2x3xf32>
// CHECK: %[[FILL:.*]] = linalg.fill
// CHECK: %[[C:.*]] = linalg.conv_2d_nhwc_hwcf {{.*}}ins(%{{.*}}, %[[W]] {{.*}}outs(%[[FILL]]
// CHECK: linalg.generic {{.*}}ins(%[[C]], %{{.*}} : tensor<1x4x4x3xf32>, tensor<3xf32>)
#read = affine_map<(d0, d1, d2, d3) -> (d3)>
#all = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
func.func @filters_first(%x: tensor<1x4x4x2xf32>, %b: tensor<3xf32>) -> tensor<1x4x4x3xf32> {
  %w = arith.constant dense<[[[[1.0, 2.0]]], [[[3.0, 4.0]]], [[[5.0, 6.0]]]]> : tensor<3x1x1x2xf32>
  %e = tensor.empty() : tensor<1x4x4x3xf32>
  %i = linalg.generic {indexing_maps = [#read, #all], iterator_types = ["parallel", "parallel", "parallel", "parallel"]} ins(%b : tensor<3xf32>) outs(%e : tensor<1x4x4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<1x4x4x3xf32>
  %c = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x4x4x2xf32>, tensor<3x1x1x2xf32>) outs(%i : tensor<1x4x4x3xf32>) -> tensor<1x4x4x3xf32>
  return %c : tensor<1x4x4x3xf32>
}

// -----

// CHECK-LABEL: @multiplier_of_one
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc {{.*}} tensor<3x3x2xf32>
func.func @multiplier_of_one(%x: tensor<1x4x4x2xf32>) -> tensor<1x2x2x2x1xf32> {
  %w = arith.constant dense<2.0> : tensor<3x3x2x1xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2x1xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2x1xf32>) -> tensor<1x2x2x2x1xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : tensor<1x4x4x2xf32>, tensor<3x3x2x1xf32>) outs(%i : tensor<1x2x2x2x1xf32>) -> tensor<1x2x2x2x1xf32>
  return %c : tensor<1x2x2x2x1xf32>
}

// -----

// CHECK-LABEL: @multiplier_of_four
// CHECK: tensor.expand_shape {{.*}} into tensor<1x4x4x2x1xf32>
// CHECK: linalg.conv_2d_nhwgc_gfhwc {{.*}} tensor<2x4x3x3x1xf32>
func.func @multiplier_of_four(%x: tensor<1x4x4x2xf32>) -> tensor<1x2x2x2x4xf32> {
  %w = arith.constant dense<2.0> : tensor<3x3x2x4xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2x2x2x4xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2x4xf32>) -> tensor<1x2x2x2x4xf32>
  %c = linalg.depthwise_conv_2d_nhwc_hwcm ins(%x, %w : tensor<1x4x4x2xf32>, tensor<3x3x2x4xf32>) outs(%i : tensor<1x2x2x2x4xf32>) -> tensor<1x2x2x2x4xf32>
  return %c : tensor<1x2x2x2x4xf32>
}

// -----

// CHECK-LABEL: @batch_of_one
// CHECK: linalg.matmul {{.*}} tensor<3x4xf32>, tensor<4x2xf32>
// CHECK: tensor.expand_shape
func.func @batch_of_one(%x: tensor<1x3x4xf32>) -> tensor<1x3x2xf32> {
  %w = arith.constant dense<2.0> : tensor<1x4x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x3x2xf32>
  %i = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c = linalg.batch_matmul ins(%x, %w : tensor<1x3x4xf32>, tensor<1x4x2xf32>) outs(%i : tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  return %c : tensor<1x3x2xf32>
}

// -----

// The least number around and under a maximum is -inf; where a sum reads it too, it stays.
// CHECK-LABEL: @max_pool
// CHECK-DAG: %[[LEAST:.*]] = arith.constant -3.40282347E+38 : f32
// CHECK-DAG: %[[INFINITY:.*]] = arith.constant 0xFF800000 : f32
// CHECK: tensor.pad
// CHECK: tensor.yield %[[INFINITY]]
// CHECK: linalg.fill ins(%[[INFINITY]]
// CHECK: linalg.pooling_nhwc_max
// CHECK: tensor.pad
// CHECK: tensor.yield %[[LEAST]]
func.func @max_pool(%x: tensor<1x3x3x1xf32>) -> (tensor<1x3x3x1xf32>, tensor<1x4x4x1xf32>) {
  %least = arith.constant -3.40282347E+38 : f32
  %window = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x3x3x1xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %least : f32
  } : tensor<1x3x3x1xf32> to tensor<1x4x4x1xf32>
  %f = linalg.fill ins(%least : f32) outs(%e : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  %y = linalg.pooling_nhwc_max {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%p, %window : tensor<1x4x4x1xf32>, tensor<2x2xf32>) outs(%f : tensor<1x3x3x1xf32>) -> tensor<1x3x3x1xf32>
  %q = tensor.pad %y low[0, 1, 1, 0] high[0, 0, 0, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %least : f32
  } : tensor<1x3x3x1xf32> to tensor<1x4x4x1xf32>
  return %y, %q : tensor<1x3x3x1xf32>, tensor<1x4x4x1xf32>
}

// -----

// The bias of a grouped convolution, split into groups as its start, is added behind the joined channels.
// CHECK-LABEL: @grouped_bias
// CHECK: %[[Z:.*]] = linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : tensor<1x2x3x4x4xf32>)
// CHECK: %[[C:.*]] = linalg.conv_2d_ngchw_gfchw {{.*}} outs(%[[Z]] :
// CHECK: %[[J:.*]] = tensor.collapse_shape %[[C]]
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[J]], %arg2 : tensor<1x6x4x4xf32>, tensor<6xf32>)
// CHECK: arith.addf
// CHECK: return %[[S]]
func.func @grouped_bias(%x: tensor<1x2x5x4x4xf32>, %w: tensor<2x3x5x1x1xf32>, %b: tensor<6xf32>) -> tensor<1x6x4x4xf32> {
  %e = tensor.empty() : tensor<1x6x4x4xf32>
  %r = linalg.broadcast ins(%b : tensor<6xf32>) outs(%e : tensor<1x6x4x4xf32>) dimensions = [0, 2, 3]
  %s = tensor.expand_shape %r [[0], [1, 2], [3], [4]] output_shape [1, 2, 3, 4, 4] : tensor<1x6x4x4xf32> into tensor<1x2x3x4x4xf32>
  %c = linalg.conv_2d_ngchw_gfchw {dilations = dense<1> : vector<2xi64>, strides = dense<1> : vector<2xi64>}
      ins(%x, %w : tensor<1x2x5x4x4xf32>, tensor<2x3x5x1x1xf32>) outs(%s : tensor<1x2x3x4x4xf32>) -> tensor<1x2x3x4x4xf32>
  %j = tensor.collapse_shape %c [[0], [1, 2], [3], [4]] : tensor<1x2x3x4x4xf32> into tensor<1x6x4x4xf32>
  return %j : tensor<1x6x4x4xf32>
}

// -----

// A part of a constant, every second column from the second on.
// CHECK-LABEL: @part
// CHECK: %[[P:.*]] = arith.constant dense<{{\[}}[6.000000e+00, 8.000000e+00], [1.000000e+01, 1.200000e+01]]> : tensor<2x2xf32>
// CHECK: return %[[P]]
func.func @part() -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]> : tensor<3x4xf32>
  %p = tensor.extract_slice %w[1, 1] [2, 2] [1, 2] : tensor<3x4xf32> to tensor<2x2xf32>
  return %p : tensor<2x2xf32>
}
