// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.none" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: cannot read '{{.*}}none': No such file or directory
// RUN: echo text > %t.text && not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.text" 2>&1 | FileCheck %s --check-prefix=TEXT
// TEXT: error: '{{.*}}text' is not a file of Hessians
// RUN: %python %S/Inputs/hessians.py %t.other other 0:product 1 2 1 0 1
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.other" 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: error: has source hash 'hash', but the Hessians in '{{.*}}other' are of 'other'
// RUN: %python %S/Inputs/hessians.py %t.short hash 0:product 1 2 1 0
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.short" 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: is not a file of Hessians: it ends before the sums of '0:product'
// RUN: %python %S/Inputs/hessians.py %t.wide hash 0:product 1 3 1 0 1 0 0 1
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.wide" 2>&1 | FileCheck %s --check-prefix=WIDE
// WIDE: error: {{.*}}'linalg.matmul' op has other weights than the Hessians in '{{.*}}wide'; calibrate this model again
// RUN: %python %S/Inputs/hessians.py %t.good hash 0:product 1 2 1 0 1
// RUN: sed 's/precision = "int8"/precision = "int8", halftone.weights = "int9"/' %s | not halftone-opt --halftone-reconstruct-weights="hessians=%t.good" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: {{.*}}'linalg.matmul' op has halftone.weights "int9", which is no format of weights
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.good sparsity=1.5" 2>&1 | FileCheck %s --check-prefix=SHARE
// SHARE: error: the share of zeros is from 0 to below 1, not 1.5
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.good damping=0" 2>&1 | FileCheck %s --check-prefix=DAMPING
// DAMPING: error: the damping is a share above 0, not 0
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.good sparsity=0.5 method=adaround" 2>&1 | FileCheck %s --check-prefix=METHOD
// METHOD: error: zeros and codes in one sweep are those of gptq
// RUN: not halftone-opt %s --halftone-reconstruct-weights="hessians=%t.good sparsity=0.5 pattern=2:4" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: error: the pattern '2:4' is none of blocks, unstructured
module attributes {halftone.source_hash = "hash"} {
  func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
    %m = linalg.matmul {halftone.precision = "int8"} ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("product")
    return %m : tensor<1x2xf32>
  }
}
