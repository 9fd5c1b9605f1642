// RUN: halftone-opt %s --halftone-correct-bias | FileCheck %s
// RUN: halftone-opt %s --halftone-correct-bias --halftone-insert-casts --halftone-verify-quantization | FileCheck %s --check-prefix=CODES

// RUN: sed 's/"int8"/"dynamic"/' %s | halftone-opt --halftone-correct-bias | FileCheck %s --check-prefix=ROWS
// RUN: sed 's/"int8"/"dynamic", halftone.weights = "int4"/' %s | halftone-opt --halftone-correct-bias | FileCheck %s --check-prefix=FEW

// A layer that finds its ranges when it runs keeps its bias where its weights have 8 bits: rows differ, and so do their means.
// ROWS-NOT: tensor<2xf32>
// ROWS: %[[KEPT:.*]] = arith.constant dense<1.000000e+00> : tensor<2xf32>
// ROWS-NOT: arith.constant {{.*}} : tensor<2xf32>
// ROWS-NOT: halftone.channel_means
// FEW: linalg.matmul {halftone.precision = "dynamic", halftone.weight_codes
// FEW: %[[CORRECTED:.*]] = arith.constant dense<[1.000000e+00, 0.9174{{.*}}]> : tensor<2xf32>
// FEW: linalg.generic {{.*}} ins(%{{.*}}, %[[CORRECTED]]

// Scale 0.01: the weight 0.104 becomes 0.1 (code 10). Its input channel has the mean 2, so output channel 1 lacks
// 0.004 * 2; channel 0 is exact. The float contraction keeps its bias.
// CHECK-LABEL: @main
// CHECK: %[[KEPT:.*]] = arith.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK: %[[CORRECTED:.*]] = arith.constant dense<[1.000000e+00, 1.008{{.*}}]> : tensor<2xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[CORRECTED]]
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[KEPT]]
// CHECK-NOT: halftone.channel_means
// CODES: dense<{{\[\[}}127, 10], [0, 127]]> : tensor<2x2xi8>
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: -1.0, 3.0>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.27, 0.104], [0.0, 1.27]]> : tensor<2x2xf32>
  %bias = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.precision = "int8", halftone.channel_means = array<f32: 2.0, 7.0>} ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %m2 = linalg.matmul {halftone.precision = "float", halftone.channel_means = array<f32: 2.0, 7.0>} ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b2 = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m2, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  return %b, %b2 : tensor<1x2xf32>, tensor<1x2xf32>
}
