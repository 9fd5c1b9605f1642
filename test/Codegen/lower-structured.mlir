// RUN: halftone-opt --split-input-file --halftone-lower-structured --canonicalize %s | FileCheck %s

// Three loops that are one run of memory in both buffers become one, cut into parts; 64 codes come from 4 vectors of f32.
// CHECK-LABEL: func @joins_loops
// CHECK: scf.forall (%{{.*}}) in (10)
// CHECK: scf.for {{.*}} {
// CHECK-NEXT: vector.load {{.*}} vector<64xf32>
// CHECK-NEXT: arith.fptosi {{.*}} vector<64xf32> to vector<64xi8>
// CHECK-NEXT: vector.store {{.*}} vector<64xi8>
#id = affine_map<(a, b, c) -> (a, b, c)>
func.func @joins_loops(%x: memref<10x100x320xf32>, %y: memref<10x100x320xi8>) {
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : memref<10x100x320xf32>) outs(%y : memref<10x100x320xi8>) {
  ^bb0(%v: f32, %o: i8):
    %c = arith.fptosi %v : f32 to i8
    linalg.yield %c : i8
  }
  return
}

// -----

// Channels lie in the lanes, the window is carried in a register; 24 channels are 16 and 8. One part needs no forall.
// CHECK-LABEL: func @pools
// CHECK-NOT: scf.forall
// CHECK: %[[START:.*]] = vector.load {{.*}} vector<16xi8>
// CHECK-COUNT-9: arith.maxsi {{.*}} vector<16xi8>
// CHECK: vector.store {{.*}} vector<16xi8>
// CHECK-COUNT-9: arith.maxsi {{.*}} vector<8xi8>
func.func @pools(%x: memref<1x7x7x24xi8>, %y: memref<1x3x3x24xi8>, %w: memref<3x3xi8>) {
  linalg.pooling_nhwc_max {strides = dense<2> : tensor<2xi64>} ins(%x, %w : memref<1x7x7x24xi8>, memref<3x3xi8>) outs(%y : memref<1x3x3x24xi8>)
  return
}

// -----

// Three channels that lie apart in the input: each is computed for 64 positions, and each vector of the output takes its places
// from all three. 6 positions are left over, as 4 and 2.
// CHECK-LABEL: func @interleaves
// CHECK: scf.for
// CHECK-COUNT-3: arith.fptosi {{.*}} vector<64xf32> to vector<64xi8>
// CHECK-COUNT-2: vector.shuffle {{.*}} vector<64xi8>, vector<64xi8>
// CHECK-NEXT: vector.store {{.*}} vector<64xi8>
// CHECK-COUNT-2: vector.store {{.*}} vector<64xi8>
// CHECK-COUNT-3: arith.fptosi {{.*}} vector<4xf32> to vector<4xi8>
// CHECK-COUNT-3: vector.store {{.*}} vector<4xi8>
// CHECK-COUNT-3: vector.store {{.*}} vector<2xi8>
// CHECK-NOT: memref.store
func.func @interleaves(%x: memref<1x3x7x70xf32>, %y: memref<1x7x72x3xi8>) {
  %v = memref.subview %y[0, 0, 1, 0] [1, 7, 70, 3] [1, 1, 1, 1] : memref<1x7x72x3xi8> to memref<1x7x70x3xi8, strided<[1512, 216, 3, 1], offset: 3>>
  linalg.generic {indexing_maps = [affine_map<(n, h, w, c) -> (n, c, h, w)>, affine_map<(n, h, w, c) -> (n, h, w, c)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : memref<1x3x7x70xf32>) outs(%v : memref<1x7x70x3xi8, strided<[1512, 216, 3, 1], offset: 3>>) {
  ^bb0(%a: f32, %o: i8):
    %c = arith.fptosi %a : f32 to i8
    linalg.yield %c : i8
  }
  return
}

// -----

// Five channels are turned with the positions, which follow one another: blocks of 16 positions, of 4 channels at a time and of the fifth; 8 positions
// are left over.
// CHECK-LABEL: func @turns
// CHECK: scf.for
// CHECK-COUNT-4: vector.load {{.*}} vector<4xf32>
// CHECK-COUNT-8: vector.shuffle {{.*}} vector<4xf32>, vector<4xf32>
// CHECK-COUNT-4: vector.store {{.*}} vector<4xf32>
// CHECK-COUNT-12: vector.store {{.*}} vector<4xf32>
// CHECK-COUNT-16: memref.store
// CHECK: }
// CHECK-COUNT-8: vector.store {{.*}} vector<4xf32>
// CHECK-COUNT-8: memref.store
func.func @turns(%x: memref<5x40xf32>, %y: memref<40x5xf32>) {
  linalg.transpose ins(%x : memref<5x40xf32>) outs(%y : memref<40x5xf32>) permutation = [1, 0]
  return
}

// -----

// Three channels are gathered, as their positions do not follow one another either; so is what comes with more arithmetic than is written out often.
// CHECK-LABEL: func @gathers
// CHECK-NOT: vector.shuffle
func.func @gathers(%z: memref<3x40x2xf32>, %t: memref<40x3xf32>, %x: memref<5x40xf32>, %y: memref<40x5xf32>) {
  %v = memref.subview %z[0, 0, 0] [3, 40, 1] [1, 1, 1] : memref<3x40x2xf32> to memref<3x40xf32, strided<[80, 2]>>
  linalg.transpose ins(%v : memref<3x40xf32, strided<[80, 2]>>) outs(%t : memref<40x3xf32>) permutation = [1, 0]
  linalg.generic {indexing_maps = [affine_map<(p, c) -> (c, p)>, affine_map<(p, c) -> (p, c)>], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<5x40xf32>) outs(%y : memref<40x5xf32>) {
  ^bb0(%a: f32, %o: f32):
    %0 = arith.mulf %a, %a : f32
    %1 = arith.mulf %0, %a : f32
    %2 = arith.mulf %1, %a : f32
    %3 = arith.mulf %2, %a : f32
    %4 = arith.mulf %3, %a : f32
    %5 = arith.mulf %4, %a : f32
    %6 = arith.mulf %5, %a : f32
    %7 = arith.mulf %6, %a : f32
    %8 = arith.mulf %7, %a : f32
    %9 = arith.mulf %8, %a : f32
    %10 = arith.mulf %9, %a : f32
    %11 = arith.mulf %10, %a : f32
    %12 = arith.mulf %11, %a : f32
    %13 = arith.mulf %12, %a : f32
    %14 = arith.mulf %13, %a : f32
    %15 = arith.mulf %14, %a : f32
    %16 = arith.mulf %15, %a : f32
    linalg.yield %16 : f32
  }
  return
}

// -----

// The code's sign chooses between the halves of the table.
// CHECK-LABEL: func @lookup
// CHECK-COUNT-4: vector.load {{.*}} vector<64xi8>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpermi2var.qi.512"
// CHECK: arith.select
func.func @lookup(%x: memref<64xi8>, %t: memref<256xi8>, %y: memref<64xi8>) {
  halftone.lookup ins(%x, %t : memref<64xi8>, memref<256xi8>) outs(%y : memref<64xi8>)
  return
}

// -----

// An index in the body is left to scalar loops.
// CHECK-LABEL: func @scalar
// CHECK: scf.for
// CHECK-NOT: vector.
// CHECK: memref.store
func.func @scalar(%y: memref<5xi64>) {
  linalg.generic {indexing_maps = [affine_map<(a) -> (a)>], iterator_types = ["parallel"]} outs(%y : memref<5xi64>) {
  ^bb0(%o: i64):
    %i = linalg.index 0 : index
    %c = arith.index_cast %i : index to i64
    linalg.yield %c : i64
  }
  return
}

// -----

// Sums along 32 rows: 16 of them are turned in blocks of 16 x 16, with 64 shuffles of two vectors, and summed in their order; nothing is gathered.
// CHECK-LABEL: func @turns
// CHECK: scf.for
// CHECK-COUNT-16: vector.load {{.*}} vector<16xf32>
// CHECK-COUNT-64: vector.shuffle
// CHECK-COUNT-16: arith.addf {{.*}} vector<16xf32>
func.func @turns(%x: memref<32x64xf32>, %y: memref<32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, k) -> (m, k)>, affine_map<(m, k) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<32x64xf32>) outs(%y : memref<32xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  }
  return
}
