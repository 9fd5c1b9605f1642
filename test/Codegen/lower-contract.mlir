// RUN: halftone-opt --halftone-lower-contract %s --canonicalize | FileCheck %s
// RUN: halftone-opt --halftone-lower-contract %s --canonicalize | FileCheck %s --check-prefix=LEFT

#channel = affine_map<(m, n) -> (n)>

// 24 rows of 2048 x 256: four panels of 64 columns, tiles of 6 rows, 24 accumulators carried through the loop over K. The four vectors of a row are narrowed to 64 bytes together.
// CHECK-LABEL: func @matmul
// CHECK: scf.forall (%{{.*}}) in (4)
// CHECK: scf.for
// CHECK: %[[ACC:.*]]:24 = scf.for {{.*}} iter_args
// CHECK-COUNT-4: memref.prefetch {{.*}}, read, locality<3>, data
// CHECK-COUNT-4: vector.load {{.*}} vector<64xi8>
// CHECK: vector.load {{.*}} vector<4xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.yield
// CHECK: vector.load {{.*}} vector<16xi32>
// CHECK: arith.addi %[[ACC]]#0
// CHECK-COUNT-3: vector.shuffle {{.*}} vector<64xi8>
// CHECK: vector.store {{.*}} vector<64xi8>
// LEFT-NOT: halftone.contract
func.func @matmul(%x: memref<24x2048xi8>, %w: memref<526336xi8>, %b: memref<256xi32>, %y: memref<24x256xi8>) {
  halftone.contract ins(%x, %w : memref<24x2048xi8>, memref<526336xi8>) epilogue(%b : memref<256xi32>) outs(%y : memref<24x256xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#channel],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 2048>, run = 2048 : i64}} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    %t = arith.trunci %s : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// 5x7 positions: tiles take two rows of 7, the gap between them included; the last row has a tile of its own. One position is
// 64 bytes behind the next, one row 576. So short a reduction is unrolled, and nothing is prefetched; its weights are read in
// each tile, whatever the optimizer thinks of it.
// CHECK-LABEL: func @bands
// CHECK-NOT: memref.prefetch
// CHECK: scf.for %{{.*}} = %c0 to %c28 step %c14
// CHECK: llvm.inline_asm has_side_effects "", "=r,0"
// CHECK-COUNT-14: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: arith.addi %{{.*}}, %c576
// CHECK-COUNT-14: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-COUNT-28: vector.store
// CHECK-COUNT-14: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic
// LEFT-NOT: halftone.contract
func.func @bands(%x: memref<1x5x9x64xi8>, %w: memref<256xi8>, %y: memref<1x5x7x32xi32>) {
  %v = memref.subview %x[0, 0, 0, 0] [1, 5, 7, 4] [1, 1, 1, 1] : memref<1x5x9x64xi8> to memref<1x5x7x4xi8, strided<[2880, 576, 64, 1]>>
  halftone.contract ins(%v, %w : memref<1x5x7x4xi8, strided<[2880, 576, 64, 1]>>, memref<256xi8>) outs(%y : memref<1x5x7x32xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 32 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// One row of groups in 4 bits: the sums of 32 activations first, then fields in place. No table: 2 masked vectors a step and the two that they
// are from; the sums of the upper fields are taken away from those of whole bytes, and shifted.
// CHECK-LABEL: func @groups_of_one_row
// CHECK-NOT: permvar
// CHECK: vector.load {{.*}} vector<32xi8>
// CHECK: arith.extui {{.*}} vector<32xi8> to vector<32xi32>
// CHECK: %[[SUM:.*]] = vector.reduction <add>
// CHECK: arith.muli %[[SUM]], %c-8_i32
// CHECK: vector.load {{.*}} vector<16xi8>
// CHECK: vector.broadcast {{.*}} : i32 to vector<16xi32>
// CHECK-COUNT-32: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-COUNT-2: arith.subi {{.*}} vector<16xi32>
// CHECK-NOT: llvm.call_intrinsic
// CHECK: return
// LEFT-NOT: halftone.contract
func.func @groups_of_one_row(%x: memref<1x128xi8>, %w: memref<4608xi8>, %y: memref<1x64xi32>) {
  halftone.contract ins(%x, %w : memref<1x128xi8>, memref<4608xi8>) outs(%y : memref<1x64xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 128>, run = 128 : i64, bits = 4 : i64,
                 levels = array<i8: -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6, 7>, group = 32 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// 24 columns are a vector and a half: the second dot takes 8 lanes, of which the epilogue gets 16. The 4 tiles of 49 rows share the
// weights of the next panel out: each step asks for 32 bytes of them beside those that it will read itself.
// CHECK-LABEL: func @half
// CHECK: scf.for
// CHECK-COUNT-2: memref.prefetch {{.*}}, read, locality<3>, data
// CHECK: %[[INTO:.*]] = arith.shrui %{{.*}}, %c2
// CHECK: %[[NEXT:.*]] = arith.addi %[[INTO]], %c12416
// CHECK: memref.prefetch {{.*}}[%[[NEXT]]], read, locality<2>, data
// CHECK-NOT: memref.prefetch
// CHECK: vector.load {{.*}} vector<64xi8>
// CHECK: vector.load {{.*}} vector<32xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: vector.extract_strided_slice {{.*}} vector<64xi8> to vector<32xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// CHECK: scf.yield
// CHECK: vector.shuffle {{.*}}[0, 1, 2, 3, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1] : vector<8xi32>, vector<8xi32>
// LEFT-NOT: halftone.contract
func.func @half(%x: memref<49x384xi8>, %w: memref<12416xi8>, %y: memref<49x24xi32>) {
  halftone.contract ins(%x, %w : memref<49x384xi8>, memref<12416xi8>) outs(%y : memref<49x24xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 32 : i64, kernel = array<i64: 1, 1, 384>, run = 384 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// Depthwise: 4 rows of bytes (the kernel's 3 and one that meets zero weights) are interleaved to words by two levels of
// shuffles, each column once for all positions above it: 3 columns for 1 position.
// CHECK-LABEL: func @depthwise
// CHECK-COUNT-3: vector.load {{.*}} vector<64xi8>
// CHECK-COUNT-8: vector.shuffle {{.*}} vector<64xi8>, vector<64xi8>
// CHECK-COUNT-12: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// LEFT-NOT: halftone.contract
func.func @depthwise(%x: memref<1x3x3x64xi8>, %w: memref<1024xi8>, %y: memref<1x1x1x64xi32>) {
  halftone.contract ins(%x, %w : memref<1x3x3x64xi8>, memref<1024xi8>) outs(%y : memref<1x1x1x64xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 64 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 3, 3, 1>, run = 1 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// Two output rows share the words of their 4 input rows: 8 shuffles for each of 4 columns under 2 x 2 positions, and 3 taps of 4
// vectors for each of these.
// CHECK-LABEL: func @shared_words
// CHECK-COUNT-32: vector.shuffle {{.*}} vector<64xi8>, vector<64xi8>
// CHECK-NOT: vector.shuffle {{.*}} vector<64xi8>, vector<64xi8>
// CHECK-COUNT-4: vector.store
func.func @shared_words(%x: memref<1x4x4x64xi8>, %w: memref<1792xi8>, %y: memref<1x2x2x64xi32>) {
  halftone.contract ins(%x, %w : memref<1x4x4x64xi8>, memref<1792xi8>) outs(%y : memref<1x2x2x64xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 64 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 3, 3, 1>, output_rows = 2 : i64, run = 1 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// 16 channels are one vector: a permutation of bytes makes the words of 4 rows.
// CHECK-LABEL: func @few_channels
// CHECK-COUNT-3: vector.load {{.*}} vector<16xi8>
// CHECK-COUNT-2: vector.shuffle {{.*}} vector<16xi8>, vector<16xi8>
// CHECK: vector.shuffle {{.*}} [0, 16, 32, 48, 1, 17, 33, 49, {{.*}} vector<32xi8>, vector<32xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
func.func @few_channels(%x: memref<1x3x3x16xi8>, %w: memref<256xi8>, %y: memref<1x1x1x16xi32>) {
  halftone.contract ins(%x, %w : memref<1x3x3x16xi8>, memref<256xi8>) outs(%y : memref<1x1x1x16xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 16 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 16 : i64, kernel = array<i64: 3, 3, 1>, run = 1 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  }
  return
}

// A clamp of integers is what saturating packs do: 4 vectors become 64 bytes, in order again by one permutation of words. The
// zero point -128 needs no addition, the bound 200 one minimum.
// CHECK-LABEL: func @saturating
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.packssdw.512"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.packuswb.512"
// CHECK: arith.minui {{.*}} vector<64xi8>
// CHECK: arith.xori {{.*}} vector<64xi8>
// CHECK: vector.shuffle {{.*}} [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15]
// CHECK: vector.store {{.*}} vector<64xi8>
// Any other zero point is added in between.
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.packssdw.512"
// CHECK: llvm.call_intrinsic "llvm.sadd.sat"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.packsswb.512"
func.func @saturating(%x: memref<1x4xi8>, %w: memref<512xi8>, %y: memref<1x64xi8>, %v: memref<1x64xi8>) {
  %lo = arith.constant 0 : i32
  %hi = arith.constant 200 : i32
  %z = arith.constant -128 : i32
  %lo2 = arith.constant -100 : i32
  %hi2 = arith.constant 155 : i32
  %z2 = arith.constant -28 : i32
  halftone.contract ins(%x, %w : memref<1x4xi8>, memref<512xi8>) outs(%y : memref<1x64xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    %a = arith.maxsi %acc, %lo : i32
    %b = arith.minsi %a, %hi : i32
    %c = arith.addi %b, %z : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  }
  halftone.contract ins(%x, %w : memref<1x4xi8>, memref<512xi8>) outs(%v : memref<1x64xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    %a = arith.maxsi %acc, %lo2 : i32
    %b = arith.minsi %a, %hi2 : i32
    %c = arith.addi %b, %z2 : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// 32 positions of 16 input channels, 20 output channels with 40 of 80 quads: two vectors of positions, and the accumulators
// of two columns. Activations are transposed once; a list carries the place of its first quad. Places that two columns share
// come first: one load for two dots. The epilogue works on columns, and its bytes are transposed: 64 x 64 of a strip and a tile.
// CHECK-LABEL: func @sparse
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<40960xi8>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<4096xi8>
// CHECK-COUNT-16: vector.load {{.*}} vector<16xi8>
// CHECK: arith.xori {{.*}} vector<64xi8>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %{{.*}}) -> (index)
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK: %[[LOADED:.*]] = vector.load {{.*}} vector<64xi8>
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%{{.*}}, %[[LOADED]], %{{.*}})
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<16xi32>, vector<16xi32>, vector<16xi32>)
// CHECK-COUNT-4: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-NOT: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: return
func.func @sparse(%x: memref<32x16xi8>, %w: memref<704xi8>, %y: memref<32x20xi8>) {
  halftone.contract ins(%x, %w : memref<32x16xi8>, memref<704xi8>) outs(%y : memref<32x20xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 40 : i64}} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// 20 positions: the last vector has 4, and so have its dots. 64 columns are stored at once, and the next ones asked for.
// CHECK-LABEL: func @sparse_short
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<4xi32>, vector<16xi32>, vector<4xi32>)
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK-COUNT-2: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
// CHECK: scf.for {{.*}} -> (vector<16xi32>, vector<4xi32>, vector<16xi32>, vector<4xi32>)
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.128"
// CHECK: memref.prefetch {{.*}}, write
// CHECK: vector.store {{.*}} : memref<1280xi8, strided<[1]>>, vector<64xi8>
func.func @sparse_short(%x: memref<20x16xi8>, %w: memref<896xi8>, %y: memref<20x64xi8>) {
  halftone.contract ins(%x, %w : memref<20x16xi8>, memref<896xi8>) outs(%y : memref<20x64xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 64 : i64}} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// Input, residual and result in planes of 64 positions: bytes of 4 planes are interleaved, the epilogue reads and writes planes in place,
// those of a later list are asked for, and nothing is transposed.
// CHECK-LABEL: func @sparse_planes
// CHECK-NOT: memref.alloca() {{.*}}xindex>
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<40960xi8>
// CHECK-NOT: memref.alloca
// CHECK-COUNT-4: vector.load {{.*}} : memref<1024xi8, strided<[1]>>, vector<64xi8>
// CHECK-COUNT-8: vector.shuffle {{.*}} : vector<64xi8>, vector<64xi8>
// CHECK: memref.prefetch {{.*}}, write
// CHECK: vector.load {{.*}} : memref<4096xi8, strided<[1]>>, vector<64xi8>
// CHECK: vector.store {{.*}} : memref<4096xi8, strided<[1]>>, vector<64xi8>
// CHECK: return
#identity = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func @sparse_planes(%x: memref<1x8x8x16xi8, strided<[1024, 8, 1, 64]>>, %w: memref<1088xi8>, %y: memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>) {
  halftone.contract ins(%x, %w : memref<1x8x8x16xi8, strided<[1024, 8, 1, 64]>>, memref<1088xi8>)
      epilogue(%y : memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>) outs(%y : memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#identity],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 64 : i64}} {
  ^bb0(%acc: i32, %r: i8):
    %e = arith.extsi %r : i8 to i32
    %s = arith.addi %acc, %e : i32
    %t = arith.trunci %s : i32 to i8
    halftone.yield %t : i8
  }
  return
}

// With saturating packs positions are mixed by fours: what the packs give is in order. Codes become floats by interleaving them with the upper bytes of 2^23;
// an addition takes that away, rounded as a product of the code and the constant is.
// CHECK-LABEL: func @sparse_mixed
// CHECK-DAG: %[[UPPER:.*]] = arith.constant dense<19200> : vector<32xi16>
// CHECK-DAG: %[[LESS:.*]] = arith.constant dense<0xCA800000> : vector<16xf32>
// CHECK: %[[CODES:.*]] = vector.load {{.*}} : memref<4096xi8, strided<[1]>>, vector<64xi8>
// CHECK-COUNT-2: vector.shuffle %[[CODES]], %{{.*}} : vector<64xi8>, vector<64xi8>
// CHECK-COUNT-4: vector.shuffle %{{.*}}, %[[UPPER]] {{.*}} : vector<32xi16>, vector<32xi16>
// CHECK-COUNT-4: math.fma {{.*}}, %[[LESS]] : vector<16xf32>
// CHECK: %[[PACKED:.*]] = llvm.call_intrinsic "llvm.x86.avx512.packuswb.512"
// CHECK: vector.store %[[PACKED]], {{.*}} : memref<4096xi8, strided<[1]>>, vector<64xi8>
// CHECK: return
func.func @sparse_mixed(%x: memref<1x8x8x16xi8, strided<[1024, 8, 1, 64]>>, %w: memref<1088xi8>, %y: memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>) {
  halftone.contract ins(%x, %w : memref<1x8x8x16xi8, strided<[1024, 8, 1, 64]>>, memref<1088xi8>)
      epilogue(%y : memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>) outs(%y : memref<1x8x8x64xi8, strided<[4096, 8, 1, 64]>>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#identity],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 16>, run = 4 : i64, tile = 4 : i64, quads = 64 : i64}} {
  ^bb0(%acc: i32, %r: i8):
    %low = arith.constant 0 : i32
    %high = arith.constant 255 : i32
    %m = arith.constant 0.5 : f32
    %e = arith.extui %r : i8 to i32
    %f = arith.sitofp %e : i32 to f32
    %p = arith.mulf %f, %m : f32
    %a = arith.sitofp %acc : i32 to f32
    %s = arith.addf %a, %p : f32
    %n = math.roundeven %s : f32
    %i = arith.fptosi %n : f32 to i32
    %c = arith.maxsi %i, %low : i32
    %d = arith.minsi %c, %high : i32
    %t = arith.trunci %d : i32 to i8
    halftone.yield %t : i8
  }
  return
}
