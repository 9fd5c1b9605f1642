// RUN: halftone-opt %s --halftone-select-precision --halftone-verify-precision | FileCheck %s

// What a layer reads was said before: it reads floats and makes floats, and the layers around it have codes.
// CHECK: linalg.matmul {halftone.precision = "int8", halftone.range = {{.*}}}
// CHECK: linalg.matmul {halftone.precision = "dynamic", halftone.range
// CHECK: linalg.matmul {halftone.precision = "weights", halftone.range = {{.*}}, halftone.reason = "its weights are codes, its activations floats"}
// CHECK: linalg.matmul {halftone.precision = "int8"}
func.func @main(%x: tensor<2x2xf32> {halftone.name = "x", halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<1.0> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x2xf32>) -> tensor<2x2xf32>
  %a = linalg.matmul {halftone.range = array<f32: -2.0, 2.0>} ins(%x, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("a")
  %b = linalg.matmul {halftone.precision = "dynamic", halftone.range = array<f32: -4.0, 4.0>} ins(%a, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("b")
  %c = linalg.matmul {halftone.precision = "weights", halftone.range = array<f32: -8.0, 8.0>} ins(%b, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("c")
  %d = linalg.matmul ins(%c, %weights : tensor<2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<2x2xf32>) -> tensor<2x2xf32> loc("d")
  return %d : tensor<2x2xf32>
}
