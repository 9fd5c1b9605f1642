// RUN: halftone-opt --halftone-lower-contract=target=amx %s --canonicalize | FileCheck %s

// 96 rows by three panels of 16 columns. Two panels side by side meet two tiles of rows in each block: for 4 dots, 2 tiles of weights
// and 2 of activations. The third panel has no neighbour and meets four tiles, the last time the two that are left: one tile of weights for
// 4 dots, which do not wait for each other.
// CHECK-LABEL: func @last_panel
// CHECK: scf.for %{{.*}} = %c0 to %c6 step %c4
// CHECK: scf.for
// CHECK-COUNT-4: amx.tile_load
// CHECK: scf.for
// CHECK-COUNT-4: amx.tile_load
// CHECK-NOT: amx.tile_load
// CHECK: scf.yield
// CHECK-COUNT-4: amx.tile_store
// CHECK: scf.for
// CHECK-COUNT-4: amx.tile_load
// CHECK: scf.for
// CHECK-COUNT-5: amx.tile_load
// CHECK-NOT: amx.tile_load
// CHECK: scf.yield
// CHECK-COUNT-4: amx.tile_store
// CHECK: scf.for
// CHECK-COUNT-2: amx.tile_load
// CHECK: scf.for
// CHECK-COUNT-3: amx.tile_load
// CHECK-NOT: amx.tile_load
// CHECK: scf.yield
// CHECK-COUNT-2: amx.tile_store
// CHECK-NOT: amx.tile_
func.func @last_panel(%x: memref<96x512xi8>, %w: memref<24768xi8>, %y: memref<96x48xi32>) {
  halftone.contract ins(%x, %w : memref<96x512xi8>, memref<24768xi8>) outs(%y : memref<96x48xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "amx", lanes = 16 : i64, columns = 16 : i64, kernel = array<i64: 1, 1, 512>, run = 512 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}
