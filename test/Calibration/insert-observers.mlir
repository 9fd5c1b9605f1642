// RUN: halftone-opt %s --halftone-insert-observers | FileCheck %s

// Argument, end of the sandwich and softmax are observed; padding, the inside of the sandwich, constants are not.// RUN: halftone-opt %s --halftone-insert-observers=channels | FileCheck %s --check-prefix=CHANNELS

// What the convolution reads, seen before padding, is summed by channel: 2 channels, the number of positions, 2 largest elements and 2
// largest negated ones; and images are counted by their range.
// CHANNELS: %[[SUMS:[a-z0-9]*]]: memref<2055xi64> {halftone.name = "halftone.sums"}
// CHANNELS-SAME: halftone.channel_widths = array<i64: 2>
// CHANNELS-SAME: halftone.observed_channels = ["0:conv"]
// CHANNELS-COUNT-4: scf.for
// CHANNELS: tensor.extract %arg0
// CHANNELS: arith.fptosi %{{.*}} : f32 to i64
// CHANNELS: memref.store %{{.*}}, %[[SUMS]]
// CHANNELS: arith.maxsi
// CHANNELS: memref.store %{{.*}}, %[[SUMS]]
// CHANNELS: memref.store %{{.*}}, %[[SUMS]]
// CHANNELS: scf.yield
// CHANNELS: arith.shrui
// CHANNELS: memref.store %{{.*}}, %[[SUMS]]
// CHANNELS: memref.store %{{.*}}, %[[SUMS]]
// CHANNELS-NEXT: halftone.observe

// CHECK: func.func @main(%[[X:.*]]: tensor<?x4x4x2xf32> {halftone.name = "image"}
// CHECK-SAME: %[[COUNTS:.*]]: memref<3x65536xi64> {halftone.name = "halftone.counts"}
// CHECK-SAME: %[[EXTREMA:.*]]: memref<3x2xf32> {halftone.name = "halftone.extrema"}
// CHECK-SAME: halftone.observed = ["0:image", "1:relu", "2:probabilities"]
// CHECK: halftone.observe %[[X]] into %[[COUNTS]], %[[EXTREMA]] {index = 0 : i64}
// CHECK: tensor.pad
// CHECK-NOT: halftone.observe
// CHECK: arith.maximumf
// CHECK: halftone.observe %{{.*}} into %[[COUNTS]], %[[EXTREMA]] {index = 1 : i64}
// CHECK: halftone.composite "softmax"
// CHECK: halftone.observe %{{.*}} into %[[COUNTS]], %[[EXTREMA]] {index = 2 : i64}
// CHECK-NOT: halftone.observe

#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
func.func @main(%x: tensor<?x4x4x2xf32> {halftone.name = "image"}) -> tensor<?x4x4x3xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %weights = arith.constant dense<1.0> : tensor<3x3x2x3xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4x4x2xf32>
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<?x4x4x2xf32> to tensor<?x6x6x2xf32>
  %empty = tensor.empty(%n) : tensor<?x4x4x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  %conv = linalg.conv_2d_nhwc_hwcf ins(%padded, %weights : tensor<?x6x6x2xf32>, tensor<3x3x2x3xf32>)
      outs(%init : tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> loc("conv")
  %biased = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%conv, %bias : tensor<?x4x4x3xf32>, tensor<3xf32>) outs(%empty : tensor<?x4x4x3xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x4x3xf32> loc("conv")
  %relu = linalg.generic {indexing_maps = [#nhwc, #nhwc],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%biased : tensor<?x4x4x3xf32>) outs(%empty : tensor<?x4x4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x4x4x3xf32> loc("relu")
  %p = halftone.composite "softmax"(%relu) {axis = 3 : i64} : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
  ^bb0(%a: tensor<?x4x4x3xf32>):
    halftone.yield %a : tensor<?x4x4x3xf32>
  } loc("probabilities")
  return %p : tensor<?x4x4x3xf32>
}
