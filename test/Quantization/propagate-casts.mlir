// RUN: halftone-opt %s --halftone-propagate-casts --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: @moved
// CHECK-SAME: %[[Q:.*]]: tensor<?x6x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK: %[[E:.*]] = tensor.expand_shape %[[Q]] {{.*}} into tensor<?x2x3x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK: tensor.empty(%{{.*}}) : tensor<2x?x3x!quant.uniform<i8:f32, 5.000000e-01:3>>
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[E]]
// CHECK: %[[S:.*]] = tensor.extract_slice %[[T]]
// CHECK: %[[D:.*]] = halftone.dequantize %[[S]] : tensor<1x?x3x!quant.uniform<i8:f32, 5.000000e-01:3>> to tensor<1x?x3xf32>
// CHECK: return %[[D]]
!q = !quant.uniform<i8:f32, 0.5:3>
func.func @moved(%q: tensor<?x6x!q>) -> tensor<1x?x3xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %q, %c0 : tensor<?x6x!q>
  %d = halftone.dequantize %q : tensor<?x6x!q> to tensor<?x6xf32>
  %e = tensor.expand_shape %d [[0], [1, 2]] output_shape [%n, 2, 3] : tensor<?x6xf32> into tensor<?x2x3xf32>
  %init = tensor.empty(%n) : tensor<2x?x3xf32>
  %t = linalg.transpose ins(%e : tensor<?x2x3xf32>) outs(%init : tensor<2x?x3xf32>) permutation = [1, 0, 2]
  %s = tensor.extract_slice %t[1, 0, 0] [1, %n, 3] [1, 1, 1] : tensor<2x?x3xf32> to tensor<1x?x3xf32>
  return %s : tensor<1x?x3xf32>
}

// Padding stays behind the dequantize, weights with an axis are not moved, differing types are not joined.
// CHECK-LABEL: @stays
// CHECK: %[[D:.*]] = halftone.dequantize %arg0
// CHECK: tensor.pad %[[D]]
// CHECK: %[[W:.*]] = halftone.dequantize %arg1
// CHECK: tensor.expand_shape %[[W]]
// CHECK: halftone.dequantize %arg2
// CHECK: tensor.concat {{.*}} : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
func.func @stays(%q: tensor<4x!q>, %w: tensor<4x!quant.uniform<i8:f32:0, {0.5, 0.5, 0.5, 0.5}>>, %r: tensor<4x!quant.uniform<i8:f32, 0.5>>)
    -> (tensor<6xf32>, tensor<2x2xf32>, tensor<8xf32>) {
  %zero = arith.constant 0.0 : f32
  %d = halftone.dequantize %q : tensor<4x!q> to tensor<4xf32>
  %p = tensor.pad %d low[1] high[1] {
  ^bb0(%i: index):
    tensor.yield %zero : f32
  } : tensor<4xf32> to tensor<6xf32>
  %wd = halftone.dequantize %w : tensor<4x!quant.uniform<i8:f32:0, {0.5, 0.5, 0.5, 0.5}>> to tensor<4xf32>
  %e = tensor.expand_shape %wd [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %rd = halftone.dequantize %r : tensor<4x!quant.uniform<i8:f32, 0.5>> to tensor<4xf32>
  %c = tensor.concat dim(0) %d, %rd : (tensor<4xf32>, tensor<4xf32>) -> tensor<8xf32>
  return %p, %e, %c : tensor<6xf32>, tensor<2x2xf32>, tensor<8xf32>
}
