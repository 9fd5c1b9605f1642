// RUN: halftone-opt --halftone-pack-weights=target=avx512vnni %s | FileCheck %s
// RUN: halftone-opt --halftone-pack-weights=target=avx512vnni --halftone-merge-constants --cse %s | FileCheck %s --check-prefix=ONCE

// Weights that are read with two biases are packed once, and the biases stay in the epilogues; with one bias, it is in the start row.
// CHECK-LABEL: func @steps
// CHECK-DAG: %[[FIRST:.*]] = arith.constant dense<[10, 20]> : tensor<2xi32>
// CHECK-DAG: %[[SECOND:.*]] = arith.constant dense<[30, 40]> : tensor<2xi32>
// CHECK: halftone.contract {{.*}} epilogue(%[[FIRST]] : tensor<2xi32>)
// CHECK: halftone.contract {{.*}} epilogue(%[[SECOND]] : tensor<2xi32>)
// CHECK: halftone.contract
// CHECK-NOT: epilogue(
// CHECK: halftone.contract
// CHECK-NOT: epilogue(
// CHECK: return
// ONCE-LABEL: func @steps
// ONCE-COUNT-2: arith.constant {{.*}}xi8>
// ONCE-NOT: arith.constant {{.*}}xi8>
// ONCE: return
func.func @steps(%x: tensor<2x5xi8>, %init: tensor<2x2xi32>) -> (tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>) {
  %w = arith.constant dense_resource<w> : tensor<5x2xi8>
  %same = arith.constant dense_resource<same> : tensor<5x2xi8>
  %other = arith.constant dense<1> : tensor<5x2xi8>
  %first = arith.constant dense<[10, 20]> : tensor<2xi32>
  %second = arith.constant dense<[30, 40]> : tensor<2xi32>
  %a = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%first : tensor<2xi32>) outs(%init : tensor<2x2xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<2x2xi32>
  %b = halftone.contract ins(%x, %same : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%second : tensor<2xi32>) outs(%init : tensor<2x2xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<2x2xi32>
  %c = halftone.contract ins(%x, %other : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%first : tensor<2xi32>) outs(%init : tensor<2x2xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<2x2xi32>
  %d = halftone.contract ins(%x, %other : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%first : tensor<2xi32>) outs(%init : tensor<2x2xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<2x2xi32>
  return %a, %b, %c, %d : tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>, tensor<2x2xi32>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x01000000FFFEFDFC0102030405FA",
      same: "0x01000000FFFEFDFC0102030405FA"
    }
  }
#-}
