// RUN: halftone-opt %s --halftone-prune-channels="ends round=1" | FileCheck %s --check-prefix=SHRINK
// RUN: halftone-opt %s --halftone-prune-channels="ends round=1 shrink=false" | FileCheck %s --check-prefix=MASK
// RUN: halftone-opt %s --halftone-prune-channels="ends round=3" | FileCheck %s --check-prefix=ROUND
// RUN: halftone-opt %s --halftone-prune-channels="ends round=1 exclude=first" | FileCheck %s --check-prefix=EXCLUDE
// RUN: halftone-opt %s --halftone-prune-channels="round=1" | FileCheck %s --check-prefix=FIRST
// RUN: halftone-opt %s --halftone-prune-channels="ends round=1 sparsity=0.4 scope=global" | FileCheck %s --check-prefix=GLOBAL

// Channels 0 and 3 of the first product weigh most, together with what reads them; its bias and the next one's rows go with
// them. Half of the second product's channels go as well; the last one's are the model's output.
// SHRINK: dense<{{\[\[}}5.000000e+00, 4.000000e+00], [5.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
// SHRINK: linalg.matmul {halftone.removed_channels = array<i64: 1, 2>} ins({{.*}} : tensor<1x2xf32>, tensor<2x2xf32>) outs({{.*}} : tensor<1x2xf32>)
// SHRINK: dense<[1.000000e+00, 4.000000e+00]> : tensor<2xf32>
// SHRINK: linalg.generic {{.*}} ins({{.*}} : tensor<1x2xf32>, tensor<2xf32>) outs({{.*}} : tensor<1x2xf32>)
// SHRINK: dense<2.000000e+00> : tensor<2x1xf32>
// SHRINK: linalg.matmul {halftone.removed_channels = array<i64: 1>} ins({{.*}} : tensor<1x2xf32>, tensor<2x1xf32>) outs({{.*}} : tensor<1x1xf32>)
// SHRINK: dense<{{\[\[}}7.000000e+00, 8.000000e+00]]> : tensor<1x2xf32>
// SHRINK: linalg.matmul {halftone.channels_kept = "is an output of the model", halftone.removed_channels = array<i64>} ins({{.*}} : tensor<1x1xf32>, tensor<1x2xf32>)

// The same as zeros; the shapes are those of the source.
// MASK: dense<{{\[\[}}2.000000e+00, 1.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [2.000000e+00, 1.000000e+00]]> : tensor<4x2xf32>
// MASK: linalg.matmul {halftone.pruned = "channels", halftone.removed_channels = array<i64: 1>, halftone.zeros = 4 : i64} ins({{.*}} : tensor<1x4xf32>, tensor<4x2xf32>)
// MASK: dense<{{\[\[}}7.000000e+00, 8.000000e+00], [0.000000e+00, 0.000000e+00]]> : tensor<2x2xf32>

// The multiple of 3 nearest to 2 channels of 4; 2 channels are fewer than one multiple.
// ROUND: halftone.removed_channels = array<i64: 2>} ins({{.*}} : tensor<1x2xf32>, tensor<2x3xf32>)
// ROUND: halftone.channels_kept = "the share leaves all, rounded"
// EXCLUDE: halftone.channels_kept = "is excluded", halftone.removed_channels = array<i64>} ins({{.*}} : tensor<1x2xf32>, tensor<2x4xf32>)
// FIRST: halftone.channels_kept = "is the first layer"
// Over both layers two channels of six go, both of the first.
// GLOBAL: halftone.removed_channels = array<i64: 1, 2>
// GLOBAL: halftone.removed_channels = array<i64>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[5.0, 1.0, 1.0, 4.0], [5.0, 1.0, 0.5, 4.0]]> : tensor<2x4xf32>
  %b1 = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %w2 = arith.constant dense<[[2.0, 1.0], [0.5, 1.0], [0.5, 1.0], [2.0, 1.0]]> : tensor<4x2xf32>
  %w3 = arith.constant dense<[[7.0, 8.0], [6.0, 5.0]]> : tensor<2x2xf32>
  %e1 = tensor.empty() : tensor<1x4xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x4xf32>) -> tensor<1x4xf32>
  %m1 = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x4xf32>) outs(%f1 : tensor<1x4xf32>) -> tensor<1x4xf32> loc("first")
  %a1 = linalg.generic {indexing_maps = [affine_map<(m, c) -> (m, c)>, affine_map<(m, c) -> (c)>, affine_map<(m, c) -> (m, c)>],
                        iterator_types = ["parallel", "parallel"]}
      ins(%m1, %b1 : tensor<1x4xf32>, tensor<4xf32>) outs(%e1 : tensor<1x4xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x4xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m2 = linalg.matmul ins(%a1, %w2 : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32> loc("second")
  %m3 = linalg.matmul ins(%m2, %w3 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32> loc("third")
  return %m3 : tensor<1x2xf32>
}
