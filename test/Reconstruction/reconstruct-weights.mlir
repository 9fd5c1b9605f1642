// Inputs 1 and 2 are nearly equal, so only the sum of their weights matters. In output 0 (scale 1) it is 0.8, which the
// nearest codes, 0 and 0, lose; with error feedback the second takes over what the first lacked. Output 1 is on the
// grid and keeps its codes. The float contraction gets none.
// RUN: %python %S/Inputs/hessians.py %t hash 0:product 1 3 100 0 100 0 99 100
// RUN: halftone-opt %s --halftone-reconstruct-weights="hessians=%t" | FileCheck %s
// RUN: halftone-opt %s --halftone-reconstruct-weights="hessians=%t method=adaround" | FileCheck %s
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8", halftone.weight_codes = dense<{{\[\[}}127, 127], [1, -127], [0, 3]]> : tensor<3x2xi8>, halftone.weight_scales = array<f32: 1.000000e+00, 1.000000e+00>}
// CHECK: linalg.matmul {halftone.precision = "float"}

// The casts take these codes, and the rounding of the option for what has no Hessian.
// RUN: halftone-opt %s --halftone-reconstruct-weights="hessians=%t" --halftone-insert-casts | FileCheck %s --check-prefix=CASTS
// CASTS: dense<{{\[\[}}127, 127], [1, -127], [0, 3]]> : tensor<3x2xi8>
// CASTS-NOT: halftone.weight_codes
// RUN: halftone-opt %s --halftone-insert-casts | FileCheck %s --check-prefix=NEAREST
// NEAREST: dense<{{\[\[}}127, 127], [0, -127], [0, 3]]> : tensor<3x2xi8>

// So much damping that inputs seem to have nothing to do with each other: each code is the nearest.
// RUN: halftone-opt %s --halftone-reconstruct-weights="hessians=%t damping=1000" --halftone-insert-casts | FileCheck %s --check-prefix=NEAREST

// Codes of 4 bits are in [-7, 7].
// RUN: halftone-opt %s --halftone-assign-formats=weights=int4 --halftone-reconstruct-weights="hessians=%t weight-scales=max" | FileCheck %s --check-prefix=BITS
// BITS: dense<{{\[\[}}7, 7], [0, -7], [0, 0]]> : tensor<3x2xi8>

// The levels of a table.
// RUN: sed 's/precision = "int8"/precision = "int8", halftone.weights = array<i8: -100, 0, 100>/' %s | halftone-opt --halftone-reconstruct-weights="hessians=%t weight-scales=max" | FileCheck %s --check-prefix=TABLE
// TABLE: dense<{{\[\[}}100, 100], [0, -100], [0, 0]]> : tensor<3x2xi8>

module attributes {halftone.source_hash = "hash"} {
  func.func @main(%x: tensor<1x3xf32> {halftone.range = array<f32: -1.0, 3.0>}) -> (tensor<1x2xf32>, tensor<1x2xf32>) {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[127.0, 127.0], [0.4, -127.0], [0.4, 3.0]]> : tensor<3x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
    %m = linalg.matmul {halftone.precision = "int8"} ins(%x, %weights : tensor<1x3xf32>, tensor<3x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("product")
    %m2 = linalg.matmul {halftone.precision = "float"} ins(%x, %weights : tensor<1x3xf32>, tensor<3x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
    return %m, %m2 : tensor<1x2xf32>, tensor<1x2xf32>
  }
}
