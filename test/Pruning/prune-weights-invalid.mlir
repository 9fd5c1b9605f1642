// RUN: not halftone-opt %s --halftone-prune-weights="sparsity=1" 2>&1 | FileCheck %s --check-prefix=SHARE
// SHARE: error: the share of zeros is from 0 to below 1, not 1.0
// RUN: not halftone-opt %s --halftone-prune-weights="pattern=n:m keep=4 of=4" 2>&1 | FileCheck %s --check-prefix=NM
// NM: error: n:m keeps 1 or more weights of each 2 to 64, and not all: not 4:4
// RUN: not halftone-opt %s --halftone-prune-weights="exclude=product,none,other" 2>&1 | FileCheck %s --check-prefix=IDLE
// IDLE: error: exclude: no contraction has a name that matches 'none', 'other'
// RUN: not halftone-opt %s --halftone-prune-weights="exclude=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: error: '(' is no regular expression
// RUN: not halftone-opt %s --halftone-prune-weights="rounds=0" 2>&1 | FileCheck %s --check-prefix=ROUNDS
// ROUNDS: error: takes one round or more, not 0
// RUN: not halftone-opt %s --halftone-prune-weights="hessians=%t.none" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: cannot read '{{.*}}none': No such file or directory
// RUN: %python %S/../Reconstruction/Inputs/hessians.py %t.other other 0:product 1 4 1 0 1 0 0 1 0 0 0 1
// RUN: not halftone-opt %s --halftone-prune-weights="hessians=%t.other" 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: has source hash 'hash', but the Hessians in '{{.*}}other' are of 'other'
// RUN: %python %S/../Reconstruction/Inputs/hessians.py %t.narrow hash 0:product 1 2 1 0 1
// RUN: not halftone-opt %s --halftone-prune-weights="ends hessians=%t.narrow" 2>&1 | FileCheck %s --check-prefix=NARROW
// NARROW: error: {{.*}}'linalg.matmul' op has other weights than the Hessians in '{{.*}}narrow'
module attributes {halftone.source_hash = "hash"} {
  func.func @main(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
    %m = linalg.matmul ins(%x, %weights : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("product")
    return %m : tensor<1x2xf32>
  }
}
