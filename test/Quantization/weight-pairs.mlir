// Weights of which two neighbours in the reduction of an output channel bound one another.
// RUN: halftone-opt %s --halftone-insert-casts="rounding=nearest" --halftone-verify-quantization | FileCheck %s
// RUN: halftone-opt %s --halftone-insert-casts="rounding=diffused" | FileCheck %s

// A column is an output channel. 1.0 and 0.6 are 80 and 48, the bound, by the scale that is best for the first one; -1.27 beside 0.03 and 1.27 beside -1.27
// are within it, and the last element has no neighbour.
// CHECK-LABEL: func @main
// CHECK: dense<{{\[\[}}80, 127], [48, -127], [-102, 20], [2, 30], [102, -127]]> : tensor<5x2xi8>
// CHECK: tensor<5x2x!quant.uniform<i8<-127:127>:f32:1, {0.0125{{[0-9]*}},0.0099{{[0-9]*}}}>>
// With as much in 7 bits 64 is the bound of a sum.
// CHECK: dense<{{\[\[}}40, 63], [24, -63], [-51, 10], [1, 15], [51, -63]]> : tensor<5x2xi8>
// CHECK: tensor<5x2x!quant.uniform<i8<-63:63>:f32:1,
// With three channels a pair would be in two taps: those of a window are bounded by none, those of a point are.
// CHECK: dense<127> : tensor<1x2x3x1xi8>
// CHECK: dense<64> : tensor<1x1x3x1xi8>
func.func @main(%x: tensor<1x5xf32> {halftone.range = array<f32: -1.0, 1.0>}, %picture: tensor<1x1x2x3xf32> {halftone.range = array<f32: -1.0, 1.0>})
    -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x2x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %w = arith.constant dense<[[1.0, 1.27], [0.6, -1.27], [-1.27, 0.2], [0.03, 0.3], [1.27, -1.27]]> : tensor<5x2xf32>
  %eight = linalg.matmul {halftone.precision = "int8", halftone.weights = "int8pair"} ins(%x, %w : tensor<1x5xf32>, tensor<5x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %seven = linalg.matmul {halftone.precision = "int8", halftone.weights = "int7pair"} ins(%x, %w : tensor<1x5xf32>, tensor<5x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %one = tensor.empty() : tensor<1x1x1x1xf32>
  %two = tensor.empty() : tensor<1x1x2x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%one : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%two : tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32>
  %window = arith.constant dense<1.0> : tensor<1x2x3x1xf32>
  %point = arith.constant dense<1.0> : tensor<1x1x3x1xf32>
  %a = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8", halftone.weights = "int8pair"}
      ins(%picture, %window : tensor<1x1x2x3xf32>, tensor<1x2x3x1xf32>) outs(%f1 : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %b = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8", halftone.weights = "int8pair"}
      ins(%picture, %point : tensor<1x1x2x3xf32>, tensor<1x1x3x1xf32>) outs(%f2 : tensor<1x1x2x1xf32>) -> tensor<1x1x2x1xf32>
  return %eight, %seven, %a, %b : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1x1x1xf32>, tensor<1x1x2x1xf32>
}
