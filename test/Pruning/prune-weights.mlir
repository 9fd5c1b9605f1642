// RUN: halftone-opt %s --halftone-prune-weights="ends" | FileCheck %s --check-prefixes=CHECK,BLOCKS
// RUN: halftone-opt %s --halftone-prune-weights="ends pattern=unstructured" | FileCheck %s --check-prefixes=CHECK,SINGLE
// RUN: halftone-opt %s --halftone-prune-weights="ends pattern=n:m" | FileCheck %s --check-prefixes=CHECK,NM
// RUN: halftone-opt %s --halftone-prune-weights="ends pattern=n:m keep=1" | FileCheck %s --check-prefixes=CHECK,ONE
// RUN: halftone-opt %s --halftone-prune-weights="ends sparsity=0.34" | FileCheck %s --check-prefixes=CHECK,LAYER
// RUN: halftone-opt %s --halftone-prune-weights="ends sparsity=0.34 scope=global" | FileCheck %s --check-prefixes=CHECK,GLOBAL
// RUN: halftone-opt %s --halftone-prune-weights="ends exclude=fi.*,last" | FileCheck %s --check-prefix=ALONE
// RUN: halftone-opt %s --halftone-prune-weights | FileCheck %s --check-prefix=ALONE

// A block is 4 input channels of one output channel; the larger half stays. In the last layer channels 4 and 5 are a
// block of their own.
// BLOCKS: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [3.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00]]> : tensor<8x2xf32>
// BLOCKS: linalg.matmul {halftone.pruned = "blocks", halftone.zeros = 8 : i64}
// Single weights.
// SINGLE: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [2.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [3.000000e+00, 2.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 1.000000e+00]]> : tensor<8x2xf32>
// Two of each four stay, and one.
// NM: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [2.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [1.000000e+00, 1.000000e+00], [0.000000e+00, 2.000000e+00], [0.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 1.000000e+00]]> : tensor<8x2xf32>
// ONE: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [2.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 2.000000e+00], [0.000000e+00, 0.000000e+00], [0.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00]]> : tensor<8x2xf32>
// A third of the blocks of each layer; or of all: both come from the first layer, whose blocks differ more.
// LAYER: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [3.000000e+00, 2.000000e+00], [4.000000e+00, 1.000000e+00], [4.000000e+00, 1.000000e+00], [4.000000e+00, 1.000000e+00]]> : tensor<8x2xf32>
// GLOBAL: dense<{{\[\[}}0.000000e+00, 5.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [0.000000e+00, 1.000000e+00], [3.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00]]> : tensor<8x2xf32>
// The depthwise convolution is left alone.
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc {dilations
// BLOCKS: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<6x1xf32>
// SINGLE: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [2.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<6x1xf32>
// NM: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [2.000000e+00], [2.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<6x1xf32>
// LAYER: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<6x1xf32>
// GLOBAL: dense<{{\[\[}}1.000000e+00], [2.000000e+00], [2.000000e+00], [2.000000e+00], [3.000000e+00], [3.000000e+00]]> : tensor<6x1xf32>
// CHECK: linalg.matmul {halftone.pruned = "{{blocks|unstructured|n:m}}", halftone.zeros = {{[0-9]+}} : i64}

// ALONE-NOT: halftone.pruned
func.func @main(%x: tensor<1x8xf32>, %d: tensor<1x3x3x4xf32>, %z: tensor<1x1x6xf32>) -> (tensor<1x2xf32>, tensor<1x2x2x4xf32>, tensor<1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[1.0, 5.0], [2.0, 1.0], [1.0, 1.0], [1.0, 1.0], [3.0, 2.0], [4.0, 1.0], [4.0, 1.0], [4.0, 1.0]]> : tensor<8x2xf32>
  %wd = arith.constant dense<1.0> : tensor<2x2x4xf32>
  %w2 = arith.constant dense<[[1.0], [2.0], [2.0], [2.0], [3.0], [3.0]]> : tensor<6x1xf32>
  %e1 = tensor.empty() : tensor<1x2xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m1 = linalg.matmul ins(%x, %w1 : tensor<1x8xf32>, tensor<8x2xf32>) outs(%f1 : tensor<1x2xf32>) -> tensor<1x2xf32> loc("first")
  %ed = tensor.empty() : tensor<1x2x2x4xf32>
  %fd = linalg.fill ins(%zero : f32) outs(%ed : tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32>
  %md = linalg.depthwise_conv_2d_nhwc_hwc {dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>}
      ins(%d, %wd : tensor<1x3x3x4xf32>, tensor<2x2x4xf32>) outs(%fd : tensor<1x2x2x4xf32>) -> tensor<1x2x2x4xf32> loc("depthwise")
  %z2 = tensor.collapse_shape %z [[0, 1], [2]] : tensor<1x1x6xf32> into tensor<1x6xf32>
  %e2 = tensor.empty() : tensor<1x1xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %m2 = linalg.matmul ins(%z2, %w2 : tensor<1x6xf32>, tensor<6x1xf32>) outs(%f2 : tensor<1x1xf32>) -> tensor<1x1xf32> loc("last")
  return %m1, %md, %m2 : tensor<1x2xf32>, tensor<1x2x2x4xf32>, tensor<1x1xf32>
}
