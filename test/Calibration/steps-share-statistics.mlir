// RUN: halftone-opt %s --halftone-insert-observers=channels | FileCheck %s
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/steps.json estimator=minmax" | FileCheck %s --check-prefix=RANGES

// What the steps of a loop make under one name is counted in one row, under the first one's key: products, and the channels that they read.
// CHECK: func.func @main(%[[X:.*]]: tensor<1x2xf32> {halftone.name = "x"}
// CHECK-SAME: %[[COUNTS:.*]]: memref<3x65536xi64> {halftone.name = "halftone.counts"}
// CHECK-SAME: memref<4110xi64> {halftone.name = "halftone.sums"}
// CHECK-SAME: halftone.channel_widths = array<i64: 2, 2>
// CHECK-SAME: halftone.observed = ["0:x", "1:step", "3:last"]
// CHECK-SAME: halftone.observed_channels = ["0:step", "2:last"]
// CHECK: halftone.observe %[[X]] into {{.*}} {index = 0 : i64}
// CHECK: linalg.matmul {halftone.steps = "h"}
// CHECK: halftone.observe {{.*}} {index = 1 : i64}
// CHECK: linalg.matmul {halftone.steps = "h"}
// CHECK: halftone.observe {{.*}} {index = 1 : i64}
// CHECK: linalg.matmul
// CHECK: halftone.observe {{.*}} {index = 2 : i64}

// The row's range is that of each.
// RANGES-COUNT-2: linalg.matmul {halftone.range = array<f32: -1.000000e+00, 2.000000e+00>, halftone.steps = "h"}
// RANGES: linalg.matmul {halftone.range = array<f32: 0.000000e+00, 5.000000e-01>}
module attributes {halftone.source_hash = "abc"} {
  func.func @main(%x: tensor<1x2xf32> {halftone.name = "x"}) -> tensor<1x2xf32> {
    %zero = arith.constant 0.0 : f32
    %weights = arith.constant dense<[[1.27, 0.104], [0.0, 1.27]]> : tensor<2x2xf32>
    %e = tensor.empty() : tensor<1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
    %1 = linalg.matmul {halftone.steps = "h"} ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("step")
    %2 = linalg.matmul {halftone.steps = "h"} ins(%1, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("step")
    %3 = linalg.matmul ins(%2, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("last")
    return %3 : tensor<1x2xf32>
  }
}
