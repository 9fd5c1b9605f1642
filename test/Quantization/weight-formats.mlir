// Formats of weights, as attributes of the contraction. Each output channel is one column.
// RUN: halftone-opt %s --halftone-insert-casts="rounding=nearest" --halftone-verify-quantization | FileCheck %s
// RUN: halftone-opt %s --halftone-insert-casts="rounding=diffused" | FileCheck %s

func.func @main(%x: tensor<1x32xf32> {halftone.range = array<f32: -1.0, 1.0>}, %y: tensor<1x4xf32> {halftone.range = array<f32: -1.0, 1.0>})
    -> (tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>

  // Rows 0 to 15 are 0.07 times codes of 4 bits, rows 16 to 31 are 0.01 times the same: with multipliers 14 and 2 of the
  // scale 0.005 all are exact.
  // CHECK: dense<{{\[\[}}98], [-98], [70], [14], [56], [-28], [0], [42], [98], [-98], [70], [14], [56], [-28], [0], [42], [14], [-14], [10], [2], [8], [-4], [0], [6], [14], [-14], [10], [2], [8], [-4], [0], [6]]> : tensor<32x1xi8>
  %grouped = arith.constant dense<[[0.49], [-0.49], [0.35], [0.07], [0.28], [-0.14], [0.0], [0.21], [0.49], [-0.49], [0.35], [0.07], [0.28], [-0.14], [0.0], [0.21], [0.07], [-0.07], [0.05], [0.01], [0.04], [-0.02], [0.0], [0.03], [0.07], [-0.07], [0.05], [0.01], [0.04], [-0.02], [0.0], [0.03]]> : tensor<32x1xf32>
  %group = linalg.matmul {halftone.precision = "int8", halftone.weights = "int4", halftone.granularity = "group:16"} ins(%x, %grouped : tensor<1x32xf32>, tensor<32x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>

  // The integers of [-7, 7]; the type says so.
  // CHECK: dense<{{\[\[}}7, 7], [4, 0], [-2, -1], [0, 3]]> : tensor<4x2xi8>
  // CHECK: tensor<4x2x!quant.uniform<i8<-7:7>:f32:1, {{{.*}}}>>
  %uniform = arith.constant dense<[[0.7, 7.0], [0.4, 0.0], [-0.2, -1.0], [0.0, 3.0]]> : tensor<4x2xf32>
  %u = linalg.matmul {halftone.precision = "int8", halftone.weights = "int4"} ins(%y, %uniform : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>

  // One scale for both channels.
  // CHECK: dense<{{\[\[}}1, 7], [0, 0], [0, -1], [0, 3]]> : tensor<4x2xi8>
  %t = linalg.matmul {halftone.precision = "int8", halftone.weights = "int4", halftone.granularity = "tensor"} ins(%y, %uniform : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>

  // Four levels for four values in steps of the channels' scales.
  // CHECK: dense<{{\[\[}}127, -40], [0, 127], [-40, 0], [90, 90]]> : tensor<4x2xi8>
  // CHECK: i8<-127:127>
  %values = arith.constant dense<[[1.27, -0.8], [0.0, 2.54], [-0.4, 0.0], [0.9, 1.8]]> : tensor<4x2xf32>
  %c = linalg.matmul {halftone.precision = "int8", halftone.weights = "codebook2"} ins(%y, %values : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>

  // Powers of two, and levels that a recipe gives.
  // CHECK: dense<{{\[\[}}4, 1], [2, -4], [-1, 0], [0, 2]]> : tensor<4x2xi8>
  %powers = arith.constant dense<[[0.4, 1.0], [0.2, -4.0], [-0.1, 0.0], [0.0, 2.0]]> : tensor<4x2xf32>
  %l = linalg.matmul {halftone.precision = "int8", halftone.weights = "log3"} ins(%y, %powers : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  // CHECK: dense<{{\[\[}}100, 30], [30, -100], [-30, 0], [0, 30]]> : tensor<4x2xi8>
  %table = linalg.matmul {halftone.precision = "int8", halftone.weights = array<i8: -100, -30, 0, 30, 100>} ins(%y, %powers : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<1x2xf32>) -> tensor<1x2xf32>

  // Without attributes int8; the last group of 16 may be short.
  // CHECK: tensor<4x1xi8>
  %short = arith.constant dense<[[0.7], [0.4], [-0.2], [0.0]]> : tensor<4x1xf32>
  %s = linalg.matmul {halftone.precision = "int8", halftone.weights = "log3", halftone.granularity = "group:16"} ins(%y, %short : tensor<1x4xf32>, tensor<4x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %group, %u, %t, %c, %l, %table, %s : tensor<1x1xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x1xf32>
}
