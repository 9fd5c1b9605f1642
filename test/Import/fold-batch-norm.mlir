// RUN: halftone-opt %s --halftone-fold-batch-norm --canonicalize -split-input-file | FileCheck %s

// scale 3 / sqrt(variance 4 - 0) = 1.5; bias (1 - 0.5) * 1.5 + 0.25 = 1.
// CHECK-LABEL: @behind_matmul
// CHECK-DAG: arith.constant dense<3.000000e+00> : tensor<4x2xf32>
// CHECK-DAG: arith.constant dense<1.000000e+00> : tensor<2xf32>
// CHECK: linalg.matmul
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK-NOT: composite
#id = affine_map<(n, c) -> (n, c)>
#ch = affine_map<(n, c) -> (c)>
func.func @behind_matmul(%x: tensor<1x4xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<2.0> : tensor<4x2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %scale = arith.constant dense<3.0> : tensor<2xf32>
  %beta = arith.constant dense<0.25> : tensor<2xf32>
  %mean = arith.constant dense<0.5> : tensor<2xf32>
  %variance = arith.constant dense<4.0> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#id, #ch, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %one : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %v: f32, %o: f32):
    %s = arith.addf %a, %v : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %y = halftone.composite "batch_norm"(%b, %scale, %beta, %mean, %variance) {axis = 1 : i64, epsilon = 0.0 : f32}
      : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32> {
  ^bb0(%a0: tensor<1x2xf32>, %a1: tensor<2xf32>, %a2: tensor<2xf32>, %a3: tensor<2xf32>, %a4: tensor<2xf32>):
    halftone.yield %a0 : tensor<1x2xf32>
  }
  return %y : tensor<1x2xf32>
}

// -----

// Behind something else it is a multiplication and an addition.
// CHECK-LABEL: @elsewhere
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK-NOT: composite
func.func @elsewhere(%x: tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32> {
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %y = halftone.composite "batch_norm"(%x, %one, %one, %one, %one) {axis = 1 : i64, epsilon = 0.1 : f32}
      : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32> {
  ^bb0(%a0: tensor<1x2x3x3xf32>, %a1: tensor<2xf32>, %a2: tensor<2xf32>, %a3: tensor<2xf32>, %a4: tensor<2xf32>):
    halftone.yield %a0 : tensor<1x2x3x3xf32>
  }
  return %y : tensor<1x2x3x3xf32>
}

// -----

// Left alone: the statistics are not constant.
// CHECK-LABEL: @training
// CHECK: halftone.composite "batch_norm"
func.func @training(%x: tensor<1x2x3x3xf32>, %v: tensor<2xf32>) -> tensor<1x2x3x3xf32> {
  %y = halftone.composite "batch_norm"(%x, %v, %v, %v, %v) {axis = 1 : i64, epsilon = 0.1 : f32}
      : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32> {
  ^bb0(%a0: tensor<1x2x3x3xf32>, %a1: tensor<2xf32>, %a2: tensor<2xf32>, %a3: tensor<2xf32>, %a4: tensor<2xf32>):
    halftone.yield %a0 : tensor<1x2x3x3xf32>
  }
  return %y : tensor<1x2x3x3xf32>
}
