// RUN: halftone-opt %s --halftone-insert-casts | FileCheck %s
// RUN: halftone-opt %s --halftone-insert-casts="weight-scales=mse" | FileCheck %s
// RUN: sed 's/"int8"}/"int8", halftone.granularity = "tensor"}/' %s | halftone-opt --halftone-insert-casts | FileCheck %s --check-prefix=TENSOR

// Channel 1 gives nothing but its bias: with the scale that its largest weight asks for, 1e-12 / 127, this would be 8 / (1 / 64 * 7.9e-15) = 6.5e16 steps of
// the accumulator, and saturated. With 8 / (1 / 64) / 2^30 it is 2^30 steps. Channel 0 has the scale of its weights, channel 2 no bias. One scale of a
// tensor is large enough here.
// CHECK: dense<{{\[\[}}127, 0, 127], [64, 0, 64]]> : tensor<2x3xi8>
// CHECK: quant.scast {{.*}} {0.0078740157{{[0-9]*}},4.76837158203125E-7,7.87401573{{[0-9]*}}E-15}
// TENSOR: dense<{{\[\[}}127, 0, 0], [64, 0, 0]]> : tensor<2x3xi8>
// TENSOR: quant.scast {{.*}} {0.0078740157{{[0-9]*}},0.0078740157{{[0-9]*}},0.0078740157{{[0-9]*}}}
#id = affine_map<(n, c) -> (n, c)>
#channel = affine_map<(n, c) -> (c)>
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: 0.0, 3.984375>}) -> tensor<1x3xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 1.0e-12, 1.0e-12], [0.5, 0.5e-12, 0.5e-12]]> : tensor<2x3xf32>
  %b = arith.constant dense<[1.0, -8.0, 0.0]> : tensor<3xf32>
  %empty = tensor.empty() : tensor<1x3xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x3xf32>) -> tensor<1x3xf32>
  %m = linalg.matmul {halftone.precision = "int8"} ins(%x, %w : tensor<1x2xf32>, tensor<2x3xf32>) outs(%fill : tensor<1x3xf32>) -> tensor<1x3xf32>
  %y = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel"]} ins(%m, %b : tensor<1x3xf32>, tensor<3xf32>)
      outs(%empty : tensor<1x3xf32>) attrs = {halftone.precision = "int8"} {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}
