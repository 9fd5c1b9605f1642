// RUN: halftone-opt --halftone-pack-weights=target=avx512vnni %s | FileCheck %s --check-prefix=VNNI
// RUN: halftone-opt --halftone-pack-weights=target=avx2 %s | FileCheck %s --check-prefix=AVX2
// RUN: halftone-opt --halftone-pack-weights=target=avx2 %s | FileCheck %s --check-prefix=BIAS
// RUN: halftone-opt --halftone-pack-weights="target=avx2 dense=true" %s | FileCheck %s --check-prefix=DENSE
// RUN: sed 's/\[3\], \[4\], \[5\]/[3], [4], [-64]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=AVX2
// RUN: sed 's/\[3\], \[4\], \[5\]/[3], [61], [5]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=AVX2
// RUN: sed 's/\[3\], \[4\], \[5\]/[3], [62], [5]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=NARROW
// RUN: sed 's/\[3\], \[4\], \[5\]/[3], [4], [65]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=NARROW
// RUN: sed 's/\[3\], \[4\], \[5\]/[-1], [-127], [5]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=NARROW
// RUN: sed 's/\[3\], \[4\], \[5\]/[-3], [127], [-127]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=NARROW
// RUN: sed 's/\[3\], \[4\], \[5\]/[3], [126], [5]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=ANY
// RUN: sed 's/\[3\], \[4\], \[5\]/[-2], [-127], [5]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=ANY
// RUN: sed 's/\[4\], \[5\]/[4], [-128]/' %s | halftone-opt --halftone-pack-weights=target=avx2 | FileCheck %s --check-prefix=WIDEN
// RUN: halftone-opt --halftone-pack-weights=target=amx %s | FileCheck %s --check-prefix=AMX
// RUN: halftone-opt --halftone-pack-weights="target=avx512vnni weight-storage=packed" %s | FileCheck %s --check-prefix=FEW
// RUN: halftone-opt --halftone-pack-weights="target=avx512vnni weight-storage=bytes" %s | FileCheck %s --check-prefix=BYTES
// RUN: halftone-opt --halftone-pack-weights=target=avx512vnni %s | FileCheck %s --check-prefix=BYTES
// RUN: halftone-opt --halftone-pack-weights="target=avx512vnni panel-vectors=3" %s | FileCheck %s --check-prefix=THREE
// RUN: halftone-opt --halftone-pack-weights="target=avx512vnni weight-storage=bytes" %s | FileCheck %s --check-prefix=RESTS
// RUN: halftone-opt --halftone-pack-weights="target=avx512vnni shares-panels" %s | FileCheck %s --check-prefix=SHARES
// RUN: not halftone-opt --halftone-pack-weights=target=abacus %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// One panel of 16 columns (1 used), one run of 5 bytes: a start row of -128 * (1 + 2 + 3 + 4 + 5) and two steps.
// VNNI: %[[W:.*]] = arith.constant {{.*}} : tensor<192xi8>
// VNNI: halftone.contract ins(%arg0, %[[W]] : tensor<2x5xi8>, tensor<192xi8>)
// VNNI-SAME: packing = {columns = 16 : i64, kernel = array<i64: 1, 1, 5>, kind = "vpdpbusd_512", lanes = 16 : i64, run = 5 : i64}
// Panels are as wide as the tiles that the cost model predicts to be fastest: 4 vectors for 2 rows; 2, for tiles of 14 rows, where
// there are rows for them and the weights of a panel do not stay in L1. The option sets one width.
// VNNI: func @low
// VNNI: packing = {{.*}}columns = 64 : i64
// VNNI: func @tall
// VNNI: packing = {columns = 32 : i64
// THREE: func @low
// THREE: packing = {{.*}}columns = 48 : i64
// THREE: func @tall
// THREE: packing = {columns = 48 : i64
// What models of other numbers of rows are to have, too, is for any.
// SHARES: func @low
// SHARES: packing = {{.*}}columns = 32 : i64
// SHARES: func @tall
// SHARES: packing = {columns = 32 : i64
// The start row, in the resources behind the module.
// VNNI: packed{{.*}}80F8FFFF

// A vector has 8 columns. Two neighbours of one sign that sum up to at most 64 or 128 need no sign of the activations: they are multiplied as u8.
// AVX2: %[[W:.*]] = arith.constant {{.*}} : tensor<96xi8>
// AVX2: halftone.contract ins(%arg0, %[[W]] : tensor<2x5xi8>, tensor<96xi8>)
// AVX2: kind = "maddubs_joined_256"
// DENSE: kind = "maddubs_256"

// NARROW: kind = "maddubs_narrow_256"
// ANY: kind = "maddubs_256"
// WIDEN: kind = "widen"

// The bias that an epilogue adds first goes to the start row; what follows stays.
// BIAS-LABEL: func @with_bias
// BIAS: halftone.contract
// BIAS-NOT: epilogue(
// BIAS: ^bb0(%[[ACC:.*]]: i32):
// BIAS-NEXT: halftone.yield %[[ACC]]

// UNKNOWN: error: unknown target 'abacus'
func.func @matmul(%x: tensor<2x5xi8>, %init: tensor<2x1xi32>) -> tensor<2x1xi32> {
  %w = arith.constant dense<[[1], [2], [3], [4], [5]]> : tensor<5x1xi8>
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x1xi8>) outs(%init : tensor<2x1xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<2x1xi32>
  return %y : tensor<2x1xi32>
}

func.func @with_bias(%x: tensor<2x5xi8>, %init: tensor<2x2xi32>) -> tensor<2x2xi32> {
  %w = arith.constant dense<1> : tensor<5x2xi8>
  %b = arith.constant dense<[10, 20]> : tensor<2xi32>
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%b : tensor<2xi32>) outs(%init : tensor<2x2xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
      epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<2x2xi32>
  return %y : tensor<2x2xi32>
}

// An argument's buffer is copied into the arena (halftone-form-entry), so it goes to tiles like any other; one row fills
// no tile.
// AMX-LABEL: func @argument
// AMX: kind = "amx"
// AMX-LABEL: func @row
// AMX: kind = "vpdpbusd_512"
func.func @argument(%x: tensor<32x64xi8>, %init: tensor<32x16xi32>) -> tensor<32x16xi32> {
  %w = arith.constant dense<3> : tensor<64x16xi8>
  %y = halftone.contract ins(%x, %w : tensor<32x64xi8>, tensor<64x16xi8>) outs(%init : tensor<32x16xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<32x16xi32>
  return %y : tensor<32x16xi32>
}

func.func @row(%x: tensor<1x64xi8>, %init: tensor<1x16xi32>) -> tensor<1x16xi32> {
  %w = arith.constant dense<3> : tensor<64x16xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x64xi8>, tensor<64x16xi8>) outs(%init : tensor<1x16xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x16xi32>
  return %y : tensor<1x16xi32>
}

func.func @low(%x: tensor<2x512xi8>, %init: tensor<2x192xi32>) -> tensor<2x192xi32> {
  %w = arith.constant dense<3> : tensor<512x192xi8>
  %y = halftone.contract ins(%x, %w : tensor<2x512xi8>, tensor<512x192xi8>) outs(%init : tensor<2x192xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<2x192xi32>
  return %y : tensor<2x192xi32>
}

func.func @tall(%x: tensor<140x2048xi8>, %init: tensor<140x192xi32>) -> tensor<140x192xi32> {
  %w = arith.constant dense<3> : tensor<2048x192xi8>
  %y = halftone.contract ins(%x, %w : tensor<140x2048xi8>, tensor<2048x192xi8>) outs(%init : tensor<140x192xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<140x192xi32>
  return %y : tensor<140x192xi32>
}

// Weights of few values take few bits: 2 here, behind a start row of 64 i32. The reduction of 30 is padded with zeros, so that 0 is a
// value, too. What saves little is left as it is (the function @matmul); so are bytes by default, where decoding is predicted to cost time.
// FEW-LABEL: func @matmul
// FEW-NOT: bits =
// FEW-LABEL: func @argument
// FEW-LABEL: func @few_values
// FEW: arith.constant {{.*}} : tensor<768xi8>
// FEW: packing = {bits = 2 : i64, columns = {{[0-9]+}} : i64, kernel = array<i64: 1, 1, 32>, kind = "vpdpbusd_512", lanes = 16 : i64, levels = array<i8: 3>, run = 32 : i64}
// FEW-LABEL: func @few_values_padded
// FEW: arith.constant {{.*}} : tensor<768xi8>
// FEW: packing = {bits = 2 : i64,{{.*}} levels = array<i8: 0, 3>
// BYTES-LABEL: func @few_values
// BYTES: arith.constant {{.*}} : tensor<2304xi8>
// BYTES-NOT: bits =
func.func @few_values(%x: tensor<2x32xi8>, %init: tensor<2x64xi32>) -> tensor<2x64xi32> {
  %w = arith.constant dense<3> : tensor<32x64xi8>
  %y = halftone.contract ins(%x, %w : tensor<2x32xi8>, tensor<32x64xi8>) outs(%init : tensor<2x64xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<2x64xi32>
  return %y : tensor<2x64xi32>
}

func.func @few_values_padded(%x: tensor<2x30xi8>, %init: tensor<2x64xi32>) -> tensor<2x64xi32> {
  %w = arith.constant dense<3> : tensor<30x64xi8>
  %y = halftone.contract ins(%x, %w : tensor<2x30xi8>, tensor<30x64xi8>) outs(%init : tensor<2x64xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<2x64xi32>
  return %y : tensor<2x64xi32>
}

// Each of 3 runs has 9 bytes: 2 steps and a byte. The last bytes of all make one step more: 7, and a start row. Of 2 runs they are left where they are.
// RESTS-LABEL: func @rests
// RESTS: halftone.contract ins(%{{.*}}, %{{.*}} : tensor<1x9x9x3xi8>, tensor<512xi8>)
func.func @rests(%x: tensor<1x9x9x3xi8>, %init: tensor<1x7x7x16xi32>) -> tensor<1x7x7x16xi32> {
  %w = arith.constant dense<1> : tensor<3x3x3x16xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x9x9x3xi8>, tensor<3x3x3x16xi8>) outs(%init : tensor<1x7x7x16xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x7x7x16xi32>
  return %y : tensor<1x7x7x16xi32>
}

// RESTS-LABEL: func @few_rests
// RESTS: halftone.contract ins(%{{.*}}, %{{.*}} : tensor<1x9x9x3xi8>, tensor<448xi8>)
func.func @few_rests(%x: tensor<1x9x9x3xi8>, %init: tensor<1x8x7x16xi32>) -> tensor<1x8x7x16xi32> {
  %w = arith.constant dense<1> : tensor<2x3x3x16xi8>
  %y = halftone.contract ins(%x, %w : tensor<1x9x9x3xi8>, tensor<2x3x3x16xi8>) outs(%init : tensor<1x8x7x16xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x8x7x16xi32>
  return %y : tensor<1x8x7x16xi32>
}
