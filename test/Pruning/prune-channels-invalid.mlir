// RUN: not halftone-opt %s --halftone-prune-channels="sparsity=1" 2>&1 | FileCheck %s --check-prefix=SHARE
// SHARE: error: the share of channels is from 0 to below 1, not 1.0
// RUN: not halftone-opt %s --halftone-prune-channels="round=0" 2>&1 | FileCheck %s --check-prefix=ROUND
// ROUND: error: takes multiples of 1 or more and one round or more, not 0 and 4
// RUN: not halftone-opt %s --halftone-prune-channels="exclude=product,none,other" 2>&1 | FileCheck %s --check-prefix=IDLE
// IDLE: error: exclude: no contraction has a name that matches 'none', 'other'
// RUN: not halftone-opt %s --halftone-prune-channels="exclude=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: error: '(' is no regular expression
// RUN: %python %S/../Reconstruction/Inputs/hessians.py %t.narrow hash 1:second 1 3 1 0 1 0 0 1
// RUN: not halftone-opt %s --halftone-prune-channels="hessians=%t.narrow" 2>&1 | FileCheck %s --check-prefix=NARROW
// NARROW: error: {{.*}}'linalg.matmul' op has other weights than the Hessians in '{{.*}}narrow'
// A layer without Hessian keeps what it reads.
// RUN: %python %S/../Reconstruction/Inputs/hessians.py %t.first hash 0:product 1 4 1 0 1 0 0 1 0 0 0 1
// RUN: halftone-opt %s --halftone-prune-channels="ends round=1 hessians=%t.first" | FileCheck %s --check-prefix=WITHOUT
// WITHOUT: halftone.channels_kept = "is read by a layer without Hessian"
module attributes {halftone.source_hash = "hash"} {
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
    %square = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
    %m = linalg.matmul ins(%x, %weights : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("product")
    %s = linalg.matmul ins(%m, %square : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("second")
    return %s : tensor<1x2xf32>
  }
}
