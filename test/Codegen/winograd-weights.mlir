// 3x3 convolutions with stride 1 take fewer products where that is faster.
// RUN: halftone-opt %s --halftone-pack-weights=target=avx2 | FileCheck %s
// RUN: halftone-opt %s --halftone-pack-weights=target=avx512 | FileCheck %s
// RUN: halftone-opt %s --halftone-pack-weights=target=znver4 | FileCheck %s --check-prefix=WORDS
// RUN: halftone-opt %s --halftone-pack-weights=target=avx512vnni | FileCheck %s --check-prefix=WORDS
// RUN: halftone-opt %s --halftone-pack-weights=target=avxvnni | FileCheck %s --check-prefix=VEX
// RUN: halftone-opt %s --halftone-pack-weights=target=dotprod | FileCheck %s --check-prefix=DOTS
// RUN: halftone-opt %s --halftone-pack-weights="target=avx2 dense=true" | FileCheck %s --check-prefix=DOTS
// RUN: halftone-opt %s --halftone-pack-weights="target=avx2 weight-storage=packed" | FileCheck %s --check-prefix=DOTS

// DOTS-NOT: winograd

// Two panels of 16 columns: a row of biases, and 9 taps of 16 channels. The bias leaves the epilogue. With dots of words so few channels do not pay for the transforms.
// CHECK-LABEL: func @few
// CHECK: arith.constant {{.*}} : tensor<4736xi8>
// CHECK: halftone.contract ins(%{{[^,]*}}, %{{[^,]*}} : tensor<1x16x16x16xi8>, tensor<4736xi8>)
// CHECK-NOT: epilogue(
// CHECK-SAME: packing = {block = 4 : i64, columns = 16 : i64, kernel = array<i64: 3, 3, 16>, kind = "winograd4_256", lanes = 8 : i64}
// WORDS-LABEL: func @few
// WORDS: kind = "vpdpbusd_512"
// VEX-LABEL: func @few
// VEX: kind = "vpdpbusd_256"
func.func @few(%x: tensor<1x16x16x16xi8>, %out: tensor<1x14x14x32xi32>) -> tensor<1x14x14x32xi32> {
  %w = arith.constant dense<127> : tensor<3x3x16x32xi8>
  %bias = arith.constant dense<2147483647> : tensor<32xi32>
  %y = halftone.contract ins(%x, %w : tensor<1x16x16x16xi8>, tensor<3x3x16x32xi8>) epilogue(%bias : tensor<32xi32>) outs(%out : tensor<1x14x14x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [affine_map<(n, h, w, c) -> (c)>]} {
  ^bb0(%acc: i32, %b: i32):
    %s = arith.addi %acc, %b : i32
    halftone.yield %s : i32
  } -> tensor<1x14x14x32xi32>
  return %y : tensor<1x14x14x32xi32>
}

// 128 * 114 * 9 * 254 is below 2^25; a block is all 3 rows of tiles.
// CHECK-LABEL: func @held
// CHECK: kind = "winograd4_256"
// VEX-LABEL: func @held
// VEX: kind = "winograd4_256"
// WORDS-LABEL: func @held
// WORDS: packing = {block = 3 : i64, columns = 32 : i64, kernel = array<i64: 3, 3, 254>, kind = "winograd4_512", lanes = 16 : i64}
func.func @held(%x: tensor<1x14x14x254xi8>, %out: tensor<1x12x12x128xi32>) -> tensor<1x12x12x128xi32> {
  %w = arith.constant dense<114> : tensor<3x3x254x128xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x14x14x254xi8>, tensor<3x3x254x128xi8>) outs(%out : tensor<1x12x12x128xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x12x12x128xi32>
  return %y : tensor<1x12x12x128xi32>
}

// 128 * 115 * 9 * 254 is not; a quarter of the multiple is.
// CHECK-LABEL: func @loud
// CHECK: kind = "winograd2_256"
// VEX-LABEL: func @loud
// VEX: kind = "vpdpbusd_256"
// WORDS-LABEL: func @loud
// WORDS: kind = "vpdpbusd_512"
func.func @loud(%x: tensor<1x14x14x254xi8>, %out: tensor<1x12x12x128xi32>) -> tensor<1x12x12x128xi32> {
  %w = arith.constant dense<115> : tensor<3x3x254x128xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x14x14x254xi8>, tensor<3x3x254x128xi8>) outs(%out : tensor<1x12x12x128xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x12x12x128xi32>
  return %y : tensor<1x12x12x128xi32>
}

// A small map leaves much of its tiles empty: there dots are faster where weights are so small that they take fewer instructions.
// CHECK-LABEL: func @narrow
// CHECK: kind = "maddubs_joined_256"
func.func @narrow(%x: tensor<1x7x7x16xi8>, %out: tensor<1x5x5x32xi32>) -> tensor<1x5x5x32xi32> {
  %w = arith.constant dense<32> : tensor<3x3x16x32xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x7x7x16xi8>, tensor<3x3x16x32xi8>) outs(%out : tensor<1x5x5x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x5x5x32xi32>
  return %y : tensor<1x5x5x32xi32>
}

// Floats have dots, with weights in few values or not.
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
