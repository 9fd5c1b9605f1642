// RUN: halftone-opt %s --halftone-lower-products=target=avx512vnni --canonicalize --cse --split-input-file | FileCheck %s
// RUN: not halftone-opt %s --halftone-lower-products=target=none --split-input-file 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown target 'none'

// 2 x 3 matrices of 8 x 32 by 32 x 16: for each, 8 words of 16 columns are transposed by 24 shuffles of two vectors, behind the joining of two
// rows each; the columns' sums, times -128 - 5, start the accumulators. The result is written with the heads inside.
// CHECK-LABEL: func @keys
// CHECK-NOT: linalg
// CHECK: %[[SCRATCH:.*]] = memref.alloca() {alignment = 64 : i64} : memref<576xi8>
// CHECK: scf.forall (%{{.*}}) in (6)
// CHECK-COUNT-16: vector.load {{.*}} vector<32xi8>
// CHECK-COUNT-32: vector.shuffle
// CHECK-NOT: vector.shuffle
// CHECK-COUNT-8: vector.store {{.*}}, %[[SCRATCH]][%{{.*}}] : memref<576xi8>, vector<64xi8>
// CHECK: arith.muli %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK: vector.store {{.*}}, %[[SCRATCH]][%{{.*}}] : memref<576xi8>, vector<64xi8>
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: arith.sitofp {{.*}} vector<16xi32> to vector<16xf32>
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK-NOT: linalg
func.func @keys(%q: memref<2x8x3x32xi8>, %k: memref<2x16x3x32xi8>, %out: memref<2x8x3x16xf32>) {
  %zero = arith.constant 0 : i32
  %z = arith.constant 5 : i32
  %s = memref.alloc() : memref<2x3x8x16xi32>
  linalg.fill ins(%zero : i32) outs(%s : memref<2x3x8x16xi32>)
  linalg.generic {indexing_maps = [affine_map<(b, h, m, n, k) -> (b, m, h, k)>, affine_map<(b, h, m, n, k) -> (b, n, h, k)>, affine_map<(b, h, m, n, k) -> (b, h, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<2x8x3x32xi8>, memref<2x16x3x32xi8>) outs(%s : memref<2x3x8x16xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%a: i8, %b: i8, %o: i32):
    %x = arith.extsi %a : i8 to i32
    %y = arith.subi %x, %z : i32
    %w = arith.extsi %b : i8 to i32
    %p = arith.muli %y, %w : i32
    %t = arith.addi %o, %p : i32
    linalg.yield %t : i32
  }
  linalg.generic {indexing_maps = [affine_map<(b, m, h, n) -> (b, h, m, n)>, affine_map<(b, m, h, n) -> (b, m, h, n)>], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%s : memref<2x3x8x16xi32>) outs(%out : memref<2x8x3x16xf32>) {
  ^bb0(%x: i32, %o: f32):
    %y = arith.sitofp %x : i32 to f32
    linalg.yield %y : f32
  }
  return
}

// -----

// Left to other passes: a reduction that is not innermost in the left factor, and rows that a step would go beyond in the caller's buffer.
// CHECK-LABEL: func @left_alone
// CHECK: halftone.product
// CHECK: halftone.product
func.func @left_alone(%a: memref<2x8x3xi8>, %r: memref<2x3x7xi8>, %b: memref<2x8x16xi8>, %c: memref<2x7x16xi8>, %s: memref<2x3x16xi32>, %t: memref<2x3x16xi32>) {
  %zero = arith.constant 0 : i32
  linalg.fill ins(%zero : i32) outs(%s : memref<2x3x16xi32>)
  linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, k, m)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<2x8x3xi8>, memref<2x8x16xi8>) outs(%s : memref<2x3x16xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extsi %x : i8 to i32
    %w = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %w : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  }
  linalg.fill ins(%zero : i32) outs(%t : memref<2x3x16xi32>)
  linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, k, n)>, affine_map<(b, m, n, k) -> (b, m, n)>],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%r, %c : memref<2x3x7xi8>, memref<2x7x16xi8>) outs(%t : memref<2x3x16xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extsi %x : i8 to i32
    %w = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %w : i32
    %q = arith.addi %o, %p : i32
    linalg.yield %q : i32
  }
  return
}

// -----

// From one product to the next: both right factors are packed, then the 16 rows go through all of it. The scores have no buffer of their own.
// CHECK-LABEL: func @chain
// CHECK-NOT: memref.alloc()
// CHECK: scf.forall (%{{.*}}) in (3)
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : memref<1x16x20xf32, {{.*}}>) outs(%{{.*}} : memref<1x16x20xi8, {{.*}}>)
// CHECK: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// CHECK: vector.store
// CHECK-NOT: linalg
// CHECK: return
#sums = affine_map<(b, m, n, k) -> (b, m, n)>
#left = affine_map<(b, m, n, k) -> (b, m, k)>
#id = affine_map<(b, m, n) -> (b, m, n)>
func.func @chain(%q: memref<3x16x8xi8>, %k: memref<3x8x20xi8>, %v: memref<3x20x16xi8>, %out: memref<3x16x16xi32>) {
  %zero = arith.constant 0 : i32
  %s = memref.alloc() : memref<3x16x20xi32>
  linalg.fill ins(%zero : i32) outs(%s : memref<3x16x20xi32>)
  linalg.generic {indexing_maps = [#left, affine_map<(b, m, n, k) -> (b, k, n)>, #sums], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %k : memref<3x16x8xi8>, memref<3x8x20xi8>) outs(%s : memref<3x16x20xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extsi %x : i8 to i32
    %w = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %w : i32
    %t = arith.addi %o, %p : i32
    linalg.yield %t : i32
  }
  %f = memref.alloc() : memref<3x16x20xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%s : memref<3x16x20xi32>) outs(%f : memref<3x16x20xf32>) {
  ^bb0(%x: i32, %o: f32):
    %y = arith.sitofp %x : i32 to f32
    linalg.yield %y : f32
  }
  %c = memref.alloc() : memref<3x16x20xi8>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%f : memref<3x16x20xf32>) outs(%c : memref<3x16x20xi8>) {
  ^bb0(%x: f32, %o: i8):
    %y = arith.fptosi %x : f32 to i8
    linalg.yield %y : i8
  }
  linalg.fill ins(%zero : i32) outs(%out : memref<3x16x16xi32>)
  linalg.generic {indexing_maps = [#left, affine_map<(b, m, n, k) -> (b, k, n)>, #sums], iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%c, %v : memref<3x16x20xi8>, memref<3x20x16xi8>) outs(%out : memref<3x16x16xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extsi %x : i8 to i32
    %w = arith.extsi %y : i8 to i32
    %p = arith.muli %u, %w : i32
    %t = arith.addi %o, %p : i32
    linalg.yield %t : i32
  }
  return
}
