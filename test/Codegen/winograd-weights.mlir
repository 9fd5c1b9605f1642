// 3x3 convolutions with stride 1 take fewer products where dots of bytes are made of other instructions.
// RUN: halftone-opt %s --halftone-pack-weights=target=avx2 | FileCheck %s
// RUN: halftone-opt %s --halftone-pack-weights=target=avx512 | FileCheck %s
// RUN: halftone-opt %s --halftone-pack-weights=target=avxvnni | FileCheck %s --check-prefix=DOTS
// RUN: halftone-opt %s --halftone-pack-weights="target=avx2 dense=true" | FileCheck %s --check-prefix=DOTS
// RUN: halftone-opt %s --halftone-pack-weights="target=avx2 weight-storage=packed" | FileCheck %s --check-prefix=DOTS

// DOTS-NOT: winograd

// Two panels of 16 columns: a row of biases, and 9 taps of 16 channels. The bias leaves the epilogue. 128 * 127 * 144 and the bias are below 2^29.
// CHECK-LABEL: func @wide
// CHECK: arith.constant {{.*}} : tensor<4736xi8>
// CHECK: halftone.contract ins(%{{[^,]*}}, %{{[^,]*}} : tensor<1x16x16x16xi8>, tensor<4736xi8>)
// CHECK-NOT: epilogue(
// CHECK-SAME: packing = {block = 7 : i64, columns = 16 : i64, kernel = array<i64: 3, 3, 16>, kind = "winograd_256", lanes = 8 : i64}
func.func @wide(%x: tensor<1x16x16x16xi8>, %out: tensor<1x14x14x32xi32>) -> tensor<1x14x14x32xi32> {
  %w = arith.constant dense<127> : tensor<3x3x16x32xi8>
  %bias = arith.constant dense<534530047> : tensor<32xi32>
  %y = halftone.contract ins(%x, %w : tensor<1x16x16x16xi8>, tensor<3x3x16x32xi8>) epilogue(%bias : tensor<32xi32>) outs(%out : tensor<1x14x14x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(n, h, w, c) -> (c)>]} {
  ^bb0(%acc: i32, %b: i32):
    %s = arith.addi %acc, %b : i32
    halftone.yield %s : i32
  } -> tensor<1x14x14x32xi32>
  return %y : tensor<1x14x14x32xi32>
}

// One more does not.
// CHECK-LABEL: func @loud
// CHECK: kind = "maddubs_256"
func.func @loud(%x: tensor<1x16x16x16xi8>, %out: tensor<1x14x14x32xi32>) -> tensor<1x14x14x32xi32> {
  %w = arith.constant dense<127> : tensor<3x3x16x32xi8>
  %bias = arith.constant dense<534530048> : tensor<32xi32>
  %y = halftone.contract ins(%x, %w : tensor<1x16x16x16xi8>, tensor<3x3x16x32xi8>) epilogue(%bias : tensor<32xi32>) outs(%out : tensor<1x14x14x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(n, h, w, c) -> (c)>]} {
  ^bb0(%acc: i32, %b: i32):
    %s = arith.addi %acc, %b : i32
    halftone.yield %s : i32
  } -> tensor<1x14x14x32xi32>
  return %y : tensor<1x14x14x32xi32>
}

// Nor where the weights are so small that dots take fewer instructions.
// CHECK-LABEL: func @narrow
// CHECK: kind = "maddubs_joined_256"
func.func @narrow(%x: tensor<1x16x16x16xi8>, %out: tensor<1x14x14x32xi32>) -> tensor<1x14x14x32xi32> {
  %w = arith.constant dense<32> : tensor<3x3x16x32xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x16x16x16xi8>, tensor<3x3x16x32xi8>) outs(%out : tensor<1x14x14x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x14x14x32xi32>
  return %y : tensor<1x14x14x32xi32>
}

// Nor do floats, with weights in few values or not.
// CHECK-LABEL: func @floats
// CHECK: kind = "fma_
func.func @floats(%x: tensor<1x16x16x16xf32>, %out: tensor<1x14x14x32xf32>) -> tensor<1x14x14x32xf32> {
  %w = arith.constant dense<127> : tensor<3x3x16x32xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x16x16x16xf32>, tensor<3x3x16x32xi8>) outs(%out : tensor<1x14x14x32xf32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: f32):
    halftone.yield %acc : f32
  } -> tensor<1x14x14x32xf32>
  return %y : tensor<1x14x14x32xf32>
}
