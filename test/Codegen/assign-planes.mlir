// RUN: halftone-opt %s --halftone-assign-planes | FileCheck %s

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#channel = affine_map<(n, h, w, c) -> (c)>
#turned = affine_map<(n, h, w, c) -> (n, w, h, c)>

// Written by a window, read as a residual and as the input of a product: planes of 64 for 20 positions. The batch may be dynamic.
// CHECK-LABEL: func @chain
// CHECK: %[[A:.*]] = memref.alloc(%{{.*}}) : memref<?x4x5x32xi8, strided<[2048, 5, 1, 64]>>
// CHECK: %[[B:.*]] = memref.alloc(%{{.*}}) : memref<?x4x5x48xi8, strided<[3072, 5, 1, 64]>>
// CHECK: halftone.contract {{.*}} outs(%[[A]]
// CHECK: halftone.contract ins(%[[A]], {{.*}} outs(%[[B]]
// CHECK: halftone.contract ins(%[[B]], {{.*}} epilogue(%[[A]], {{.*}} outs(%arg1
func.func @chain(%x: memref<?x6x7x16xi8>, %y: memref<?x4x5x32xi8>, %w: memref<2000xi8>, %m: memref<32xf32>) {
  %zero = arith.constant 0 : index
  %n = memref.dim %x, %zero : memref<?x6x7x16xi8>
  %a = memref.alloc(%n) : memref<?x4x5x32xi8>
  %b = memref.alloc(%n) : memref<?x4x5x48xi8>
  halftone.contract ins(%x, %w : memref<?x6x7x16xi8>, memref<2000xi8>) outs(%a : memref<?x4x5x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 3, 3, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  }
  halftone.contract ins(%a, %w : memref<?x4x5x32xi8>, memref<2000xi8>) outs(%b : memref<?x4x5x48xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 32>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  }
  halftone.contract ins(%b, %w : memref<?x4x5x48xi8>, memref<2000xi8>) epilogue(%a, %m : memref<?x4x5x32xi8>, memref<32xf32>) outs(%y : memref<?x4x5x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id, #channel],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 48>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32, %r: i8, %s: f32):
    %e = arith.extsi %r : i8 to i32
    %sum = arith.addi %acc, %e : i32
    %t = arith.trunci %sum : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// What a step, a dense kernel, a turned map or anything else reads stays, and so do an odd number of channels and sums.
// CHECK-LABEL: func @others
// CHECK: memref.alloc() {strided} : memref<1x4x4x32xi8>
// CHECK: memref.alloc() {dense} : memref<1x4x4x32xi8>
// CHECK: memref.alloc() {turned} : memref<1x4x4x32xi8>
// CHECK: memref.alloc() {copied} : memref<1x4x4x32xi8>
// CHECK: memref.alloc() {odd} : memref<1x4x4x33xi8>
// CHECK: memref.alloc() {wide} : memref<1x4x4x32xi32>
func.func @others(%x: memref<1x4x4x16xi8>, %y: memref<1x4x4x32xi8>, %half: memref<1x2x2x32xi8>, %w: memref<2000xi8>, %dense: memref<1x1x32x32xi8>) {
  %strided = memref.alloc() {strided} : memref<1x4x4x32xi8>
  %d = memref.alloc() {dense} : memref<1x4x4x32xi8>
  %t = memref.alloc() {turned} : memref<1x4x4x32xi8>
  %copied = memref.alloc() {copied} : memref<1x4x4x32xi8>
  %odd = memref.alloc() {odd} : memref<1x4x4x33xi8>
  %wide = memref.alloc() {wide} : memref<1x4x4x32xi32>
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%strided : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%d : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%t : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%copied : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%odd : memref<1x4x4x33xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) outs(%wide : memref<1x4x4x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  halftone.contract ins(%strided, %w : memref<1x4x4x32xi8>, memref<2000xi8>) outs(%half : memref<1x2x2x32xi8>)
      attributes {strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 32>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%d, %dense : memref<1x4x4x32xi8>, memref<1x1x32x32xi8>) outs(%y : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  halftone.contract ins(%x, %w : memref<1x4x4x16xi8>, memref<2000xi8>) epilogue(%t : memref<1x4x4x32xi8>) outs(%y : memref<1x4x4x32xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#turned],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32, %r: i8):
    %c = arith.trunci %acc : i32 to i8
    halftone.yield %c : i8
  }
  memref.copy %copied, %y : memref<1x4x4x32xi8> to memref<1x4x4x32xi8>
  return
}
