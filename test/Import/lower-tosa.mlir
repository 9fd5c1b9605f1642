// RUN: halftone-opt %s --halftone-lower-tosa -split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-lower-tosa -split-input-file -mlir-print-debuginfo | FileCheck %s --check-prefix=NAMES
// NAMES: loc("conv2d.0"

// A one-sided clamp, names of layers.
// CHECK-LABEL: @convolution(
// CHECK: tensor.pad %{{.*}} low[0, 0, 0, 0] high[0, 1, 1, 0]
// CHECK: linalg.conv_2d_nhwc_fhwc
// CHECK: arith.maximumf
// CHECK-NOT: arith.minimumf
// CHECK: return
func.func @convolution(%x: tensor<1x8x8x2xf32>) -> tensor<1x4x4x8xf32> {
  %w = "tosa.const"() <{values = dense<0.5> : tensor<8x3x3x2xf32>}> : () -> tensor<8x3x3x2xf32>
  %b = "tosa.const"() <{values = dense<[0., 1., 2., 3., 4., 5., 6., 7.]> : tensor<8xf32>}> : () -> tensor<8xf32>
  %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %c = tosa.conv2d %x, %w, %b, %z, %z {acc_type = f32, dilation = array<i64: 1, 1>, pad = array<i64: 0, 1, 0, 1>, stride = array<i64: 2, 2>} : (tensor<1x8x8x2xf32>, tensor<8x3x3x2xf32>, tensor<8xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x4x4x8xf32>
  %r = tosa.clamp %c {max_val = 3.40282347E+38 : f32, min_val = 0.0 : f32} : (tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  return %r : tensor<1x4x4x8xf32>
}

// -----

// What has a form of ours.
// CHECK-LABEL: @forms(
// CHECK: halftone.composite "avg_pool"(%{{.*}}) {channels_last = true, {{.*}}pads = array<i64: 1, 0, 0, 1>
// CHECK: halftone.composite "sigmoid"
// CHECK: tensor.concat dim(3)
// CHECK: return
func.func @forms(%x: tensor<1x8x8x2xf32>) -> tensor<1x8x8x4xf32> {
  %z = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %a = tosa.avg_pool2d %x, %z, %z {acc_type = f32, kernel = array<i64: 2, 2>, pad = array<i64: 1, 0, 0, 1>, stride = array<i64: 1, 1>} : (tensor<1x8x8x2xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x8x8x2xf32>
  %s = tosa.sigmoid %x : (tensor<1x8x8x2xf32>) -> tensor<1x8x8x2xf32>
  %c = tosa.concat %a, %s {axis = 3 : i32} : (tensor<1x8x8x2xf32>, tensor<1x8x8x2xf32>) -> tensor<1x8x8x4xf32>
  return %c : tensor<1x8x8x4xf32>
}

// -----

// Output i reads at (2 i - 1) / 4: half-pixel centres.
// CHECK-LABEL: @bilinear(
// CHECK-DAG: arith.constant dense<[7.500000e-01, 2.500000e-01, 7.500000e-01, 2.500000e-01]>
// CHECK-DAG: halftone.composite "resize"(%{{.*}}) {channels_last = true, columns = array<i64: 0, 1, 2>, rows = array<i64: 0, 0, 0, 1>}
// CHECK-DAG: halftone.composite "resize"(%{{.*}}) {channels_last = true, columns = array<i64: 0, 1, 2>, rows = array<i64: 0, 1, 1, 1>}
// CHECK: return
func.func @bilinear(%x: tensor<1x2x3x2xf32>) -> tensor<1x4x6x2xf32> {
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<[-1, -1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<[1, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = BILINEAR} : (tensor<1x2x3x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x4x6x2xf32>
  return %y : tensor<1x4x6x2xf32>
}

// -----

// CHECK-LABEL: @nearest(
// CHECK: halftone.composite "resize"(%{{.*}}) {channels_last = true, columns = array<i64: 0, 0, 1, 1, 2, 2>, rows = array<i64: 0, 0, 1, 1>}
// CHECK-NOT: arith.mulf
// CHECK: return
func.func @nearest(%x: tensor<1x2x3x2xf32>) -> tensor<1x4x6x2xf32> {
  %scale = tosa.const_shape {values = dense<[4, 2, 4, 2]> : tensor<4xindex>} : () -> !tosa.shape<4>
  %offset = tosa.const_shape {values = dense<[-1, -1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %border = tosa.const_shape {values = dense<[1, 1]> : tensor<2xindex>} : () -> !tosa.shape<2>
  %y = tosa.resize %x, %scale, %offset, %border {mode = NEAREST_NEIGHBOR} : (tensor<1x2x3x2xf32>, !tosa.shape<4>, !tosa.shape<2>, !tosa.shape<2>) -> tensor<1x4x6x2xf32>
  return %y : tensor<1x4x6x2xf32>
}

// -----

// Left to MLIR's own lowering: clamps on both sides.
// CHECK-LABEL: @clamp(
// CHECK: arith.minimumf
// CHECK: arith.maximumf
func.func @clamp(%x: tensor<1x8xf32>) -> tensor<1x8xf32> {
  %r = tosa.clamp %x {max_val = 6.0 : f32, min_val = 0.0 : f32} : (tensor<1x8xf32>) -> tensor<1x8xf32>
  return %r : tensor<1x8xf32>
}

// -----

// CHECK-LABEL: @pad(
// CHECK: tensor.pad %{{.*}} low[0, 1, 0, 0] high[0, 0, 0, 2]
func.func @pad(%x: tensor<1x4x4x2xf32>) -> tensor<1x5x4x4xf32> {
  %s = tosa.const_shape {values = dense<[0, 0, 1, 0, 0, 0, 0, 2]> : tensor<8xindex>} : () -> !tosa.shape<8>
  %c = "tosa.const"() <{values = dense<0.0> : tensor<1xf32>}> : () -> tensor<1xf32>
  %p = tosa.pad %x, %s, %c : (tensor<1x4x4x2xf32>, !tosa.shape<8>, tensor<1xf32>) -> tensor<1x5x4x4xf32>
  return %p : tensor<1x5x4x4xf32>
}
