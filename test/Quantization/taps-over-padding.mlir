// RUN: halftone-opt %s --halftone-correct-bias --halftone-insert-casts | FileCheck %s

// A kernel of 1 x 3 over one column, padded by one on both sides: its outer taps read nothing but zeros. What rounding them lacks is never met,
// so the middle one does not make up for it (10.3 stays 10; with the first one's 0.4 it would be 11), and the bias, for an input of the
// mean 2, gets 2 * 0.003.
// CHECK-DAG: dense<{{\[\[\[\[}}10]], {{\[\[}}10]], {{\[\[}}127]]]]> : tensor<1x3x1x1xi8>
// CHECK-DAG: arith.constant dense<1.00{{[56].*}}> : tensor<1xf32>
#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
func.func @main(%x: tensor<1x1x1x1xf32> {halftone.range = array<f32: -1.0, 3.0>}) -> tensor<1x1x1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[[[0.104]], [[0.103]], [[1.27]]]]> : tensor<1x3x1x1xf32>
  %bias = arith.constant dense<1.0> : tensor<1xf32>
  %p = tensor.pad %x low[0, 0, 1, 0] high[0, 0, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x1x1x1xf32> to tensor<1x1x3x1xf32>
  %e = tensor.empty() : tensor<1x1x1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %m = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8", halftone.channel_means = array<f32: 2.0>} ins(%p, %weights : tensor<1x1x3x1xf32>, tensor<1x3x1x1xf32>) outs(%f : tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  %b = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%m, %bias : tensor<1x1x1x1xf32>, tensor<1xf32>) outs(%e : tensor<1x1x1x1xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x1x1x1xf32>
  return %b : tensor<1x1x1x1xf32>
}
