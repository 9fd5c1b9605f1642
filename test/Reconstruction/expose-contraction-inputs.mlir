// RUN: halftone-opt %s --halftone-expose-contraction-inputs | FileCheck %s

// The int8 contraction's input is returned once for both of its readers, in front of its padding; what a float
// contraction reads, or one whose codes no Hessian chooses, is not.
// CHECK-LABEL: func.func @main(%arg0: tensor<1x4x4x2xf32>, %arg1: tensor<1x2xf32>, %arg2: tensor<1x2xf32>)
// CHECK-SAME:  -> (tensor<1x3xf32>, tensor<1x4x4x2xf32> {halftone.name = "halftone.input.0"}) {
// CHECK:       return %{{.*}}, %arg0 : tensor<1x3xf32>, tensor<1x4x4x2xf32>
func.func @main(%x: tensor<1x4x4x2xf32>, %y: tensor<1x2xf32>, %z: tensor<1x2xf32>) -> tensor<1x3xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<3x3x2x2xf32>
  %v = arith.constant dense<1.0> : tensor<2x3xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %e = tensor.empty() : tensor<1x4x4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %c1 = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%p, %w : tensor<1x6x6x2xf32>, tensor<3x3x2x2xf32>) outs(%f : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %c2 = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%p, %w : tensor<1x6x6x2xf32>, tensor<3x3x2x2xf32>) outs(%f : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %e2 = tensor.empty() : tensor<1x3xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %m = linalg.matmul {halftone.precision = "float"} ins(%y, %v : tensor<1x2xf32>, tensor<2x3xf32>) outs(%f2 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %d = linalg.matmul {halftone.precision = "int8", halftone.without_hessian} ins(%z, %v : tensor<1x2xf32>, tensor<2x3xf32>) outs(%m : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %d : tensor<1x3xf32>
}
