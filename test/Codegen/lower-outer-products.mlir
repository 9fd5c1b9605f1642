// RUN: halftone-opt %s --halftone-lower-outer-products --canonicalize --split-input-file | FileCheck %s

// The gradient of a product's weights, 10 x 24, over 32 samples: two vectors of columns, of which the second is half full and
// is not read beyond the caller's buffer; 10 rows fit one tile. The accumulators start at zero, the fill is gone.
// CHECK-LABEL: func @weights
// CHECK-NOT: linalg
// CHECK: %[[ZERO:.*]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK: scf.for {{.*}} iter_args(%{{.*}} = %[[ZERO]]
// CHECK: vector.load {{.*}} vector<16xf32>
// CHECK: vector.load {{.*}} vector<8xf32>
// CHECK-COUNT-20: math.fma {{.*}} : vector<16xf32>
// CHECK-NOT: math.fma
// CHECK: vector.store {{.*}} vector<16xf32>
// CHECK: vector.store {{.*}} vector<8xf32>
func.func @weights(%x: memref<32x10xf32>, %dy: memref<32x24xf32>, %out: memref<10x24xf32>) {
  %zero = arith.constant 0.0 : f32
  %w = memref.alloc() : memref<10x24xf32>
  linalg.fill ins(%zero : f32) outs(%w : memref<10x24xf32>)
  linalg.generic {indexing_maps = [affine_map<(k, n, m) -> (m, k)>, affine_map<(k, n, m) -> (m, n)>, affine_map<(k, n, m) -> (k, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %dy : memref<32x10xf32>, memref<32x24xf32>) outs(%w : memref<10x24xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = math.fma %a, %b, %o : f32
    linalg.yield %s : f32
  }
  memref.copy %w, %out : memref<10x24xf32> to memref<10x24xf32>
  return
}

// -----

// 14 rows with 3 vectors each: two tiles of 7. What the output holds is added to.
// CHECK-LABEL: func @rows
// CHECK: scf.for %{{.*}} = %c0 to %c14 step %c7
// CHECK-COUNT-21: vector.load
// CHECK: scf.for
// CHECK-COUNT-21: math.fma
// CHECK-NOT: math.fma
func.func @rows(%x: memref<14x32xf32>, %w: memref<32x48xf32>, %y: memref<14x48xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<14x32xf32>, memref<32x48xf32>) outs(%y : memref<14x48xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = math.fma %a, %b, %o : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// A depthwise sum has no operand that is absent from the columns, a product of rows with a transposed operand no contiguous
// one, and two roundings are no fma.
// CHECK-LABEL: func @left_alone
// CHECK-COUNT-3: linalg.generic
func.func @left_alone(%x: memref<4x14x48xf32>, %w: memref<4x48xf32>, %y: memref<14x48xf32>, %a: memref<14x32xf32>, %t: memref<48x32xf32>, %v: memref<32x48xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (k, m, n)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : memref<4x14x48xf32>, memref<4x48xf32>) outs(%y : memref<14x48xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = math.fma %p, %q, %o : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %t : memref<14x32xf32>, memref<48x32xf32>) outs(%y : memref<14x48xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = math.fma %p, %q, %o : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (k, n)>, affine_map<(m, n, k) -> (m, n)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %v : memref<14x32xf32>, memref<32x48xf32>) outs(%y : memref<14x48xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %m = arith.mulf %p, %q : f32
    %s = arith.addf %m, %o : f32
    linalg.yield %s : f32
  }
  return
}
