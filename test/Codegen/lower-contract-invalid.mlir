// RUN: halftone-opt --halftone-lower-contract --split-input-file --verify-diagnostics %s

func.func @unpacked(%x: memref<2x5xi8>, %w: memref<5x1xi8>, %y: memref<2x1xi32>) {
  // expected-error @below {{needs packed weights; run halftone-pack-weights first}}
  halftone.contract ins(%x, %w : memref<2x5xi8>, memref<5x1xi8>) outs(%y : memref<2x1xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// -----

func.func @on_tensors(%x: tensor<2x5xi8>, %w: tensor<192xi8>, %y: tensor<2x1xi32>) -> tensor<2x1xi32> {
  // expected-error @below {{needs memrefs with static strides, got 'tensor<2x5xi8>'}}
  %r = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<192xi8>) outs(%y : tensor<2x1xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 5>, run = 5 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<2x1xi32>
  return %r : tensor<2x1xi32>
}
