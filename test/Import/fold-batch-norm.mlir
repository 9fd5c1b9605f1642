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

// A normalization in sums and products by channel, as TOSA has it: (2 x + 1 - 3) / 4 * 6 + 5 = 3 x + 2. A sum alone stays, and what stands behind anything
// but a contraction.
// CHECK-LABEL: @steps
// CHECK-DAG: %[[W:.*]] = arith.constant dense<3.000000e+00> : tensor<2x2xf32>
// CHECK-DAG: %[[B:.*]] = arith.constant dense<2.000000e+00> : tensor<2xf32>
// CHECK: %[[P:.*]] = linalg.matmul ins(%{{.*}}, %[[W]] :
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[P]], %[[B]] :
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: linalg.yield
// CHECK: arith.mulf
// CHECK: return %[[Y]],
#steps_id = affine_map<(i, j) -> (i, j)>
#steps_channel = affine_map<(i, j) -> (j)>
func.func @steps(%x: tensor<3x2xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>) {
  %w = arith.constant dense<2.0> : tensor<2x2xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %three = arith.constant dense<3.0> : tensor<2xf32>
  %four = arith.constant dense<4.0> : tensor<2xf32>
  %five = arith.constant dense<5.0> : tensor<2xf32>
  %six = arith.constant dense<6.0> : tensor<2xf32>
  %zero = arith.constant dense<0.0> : tensor<3x2xf32>
  %e = tensor.empty() : tensor<3x2xf32>
  %c = linalg.matmul ins(%x, %w : tensor<3x2xf32>, tensor<2x2xf32>) outs(%zero : tensor<3x2xf32>) -> tensor<3x2xf32>
  %0 = linalg.generic {indexing_maps = [#steps_id, #steps_channel, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%c, %one : tensor<3x2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %1 = linalg.generic {indexing_maps = [#steps_id, #steps_channel, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%0, %three : tensor<3x2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.subf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %2 = linalg.generic {indexing_maps = [#steps_id, #steps_channel, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%1, %four : tensor<3x2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.divf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %3 = linalg.generic {indexing_maps = [#steps_channel, #steps_id, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%six, %2 : tensor<2xf32>, tensor<3x2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %4 = linalg.generic {indexing_maps = [#steps_id, #steps_channel, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%3, %five : tensor<3x2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  %5 = linalg.generic {indexing_maps = [#steps_id, #steps_channel, #steps_id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %six : tensor<3x2xf32>, tensor<2xf32>) outs(%e : tensor<3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.mulf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<3x2xf32>
  return %4, %5 : tensor<3x2xf32>, tensor<3x2xf32>
}
