// RUN: halftone-opt %s --halftone-correct-bias | FileCheck %s

// The bounds of channels that a clamp behind a contraction has (halftone-equalize-layers makes them) are no bias: there is nothing to correct.
// CHECK-LABEL: @main
// CHECK: arith.constant dense<6.000000e+00> : tensor<2xf32>
// CHECK-NOT: arith.constant {{.*}} : tensor<2xf32>
// CHECK: arith.minimumf
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: -1.0, 3.0>}) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.27, 0.104], [0.0, 1.27]]> : tensor<2x2xf32>
  %bounds = arith.constant dense<[6.0, 6.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.precision = "int8", halftone.channel_means = array<f32: 2.0, 7.0>} ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bounds : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.minimumf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  return %b : tensor<1x2xf32>
}
