// The bias keeps the mean of each output channel where the means of the inputs are known: output 0 loses four weights of 1.0
// with inputs of mean 0.5, output 1 four of 2.0. Without means biases stay.
// RUN: halftone-opt %s --halftone-prune-weights="ends" | FileCheck %s
// RUN: sed 's/{halftone.channel_means = .*} ins/ins/' %s | halftone-opt --halftone-prune-weights="ends" | FileCheck %s --check-prefix=UNKNOWN
// CHECK: linalg.matmul {halftone.pruned = "blocks", halftone.zeros = 8 : i64} ins
// CHECK: dense<[1.200000e+01, 1.400000e+01]> : tensor<2xf32>
// UNKNOWN: dense<1.000000e+01> : tensor<2xf32>
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<1x8xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.0, 3.0], [1.0, 3.0], [1.0, 3.0], [1.0, 3.0], [5.0, 2.0], [5.0, 2.0], [5.0, 2.0], [5.0, 2.0]]> : tensor<8x2xf32>
  %bias = arith.constant dense<[10.0, 10.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.channel_means = array<f32: 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5>} ins(%x, %weights : tensor<1x8xf32>, tensor<8x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  return %b : tensor<1x2xf32>
}
