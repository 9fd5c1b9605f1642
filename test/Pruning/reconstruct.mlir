// With Hessians the weights that stay make up for the others: one output channel over two blocks of 4 inputs. Inputs 0 and 4
// are always equal (H(0, 0) = H(4, 4) = H(4, 0) = 100, all others 1 and alone), so that the weight 1.0 of input 0, pruned
// with its block, moves to input 4: 4.0 becomes 5.0, but for the 1 % that the diagonal is damped by. Without Hessians it is
// the other block that is smaller.
// RUN: %python %S/../Reconstruction/Inputs/hessians.py %t hash 0:product 1 8 100 0 1 0 0 1 0 0 0 1 100 0 0 0 100 0 0 0 0 0 1 0 0 0 0 0 0 1 0 0 0 0 0 0 0 1
// RUN: halftone-opt %s --halftone-prune-weights="ends hessians=%t rounds=1" | FileCheck %s
// CHECK: dense<{{\[\[}}0.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00], [4.99{{[0-9]*}}], [1.000000e+00], [1.000000e+00], [1.000000e+00]]>
// RUN: halftone-opt %s --halftone-prune-weights="ends" | FileCheck %s --check-prefix=MAGNITUDE
// MAGNITUDE: dense<{{\[\[}}1.000000e+00], [3.000000e+00], [3.000000e+00], [3.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00], [0.000000e+00]]>
module attributes {halftone.source_hash = "hash"} {
  func.func @main(%x: tensor<1x8xf32>) -> tensor<1x1xf32> {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[1.0], [3.0], [3.0], [3.0], [4.0], [1.0], [1.0], [1.0]]> : tensor<8x1xf32>
    %e = tensor.empty() : tensor<1x1xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
    %m = linalg.matmul ins(%x, %weights : tensor<1x8xf32>, tensor<8x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32> loc("product")
    return %m : tensor<1x1xf32>
  }
}
