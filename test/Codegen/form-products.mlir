// RUN: halftone-opt %s --halftone-form-products=target=avx512vnni --canonicalize --split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-form-products=target=avx2 --canonicalize --split-input-file | FileCheck %s --check-prefix=AVX2
// RUN: halftone-opt %s --halftone-form-products=target=portable --canonicalize --split-input-file | FileCheck %s --check-prefix=PORTABLE
// RUN: not halftone-opt %s --halftone-form-products=target=none --split-input-file 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: error: unknown target 'none'

// Queries and keys of 12 heads, as their matrix products left them: the transposes are left out, the batch is apart again, and what reads the
// sums follows them. Nothing says of the keys that none is -128, so AVX2 leaves the product alone, as does a target without dots.
// CHECK-DAG: #[[Q:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d2, d1, d4)>
// CHECK-DAG: #[[K:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d3, d1, d4)>
// CHECK-DAG: #[[S:.*]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @scores
// CHECK-SAME: %[[QUERIES:.*]]: tensor<?x64x12x32xi8>, %[[KEYS:.*]]: tensor<?x64x12x32xi8>
// CHECK: %[[SUMS:.*]] = linalg.generic {indexing_maps = [#[[Q]], #[[K]], #[[S]]], iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
// CHECK-SAME: ins(%[[QUERIES]], %[[KEYS]] : tensor<?x64x12x32xi8>, tensor<?x64x12x32xi8>) outs(%{{.*}} : tensor<?x12x64x64xi32>) attrs = {halftone.product = "vpdpbusd_512"}
// CHECK: arith.extsi
// CHECK: arith.subi %{{.*}}, %c-7_i32
// CHECK: arith.extsi
// CHECK-NOT: arith.subi
// CHECK: arith.muli
// CHECK: arith.addi
// CHECK: %[[REAL:.*]] = linalg.generic {{.*}} ins(%[[SUMS]] : tensor<?x12x64x64xi32>)
// CHECK: arith.sitofp
// CHECK: return %[[REAL]]
// AVX2-LABEL: func @scores
// AVX2: linalg.quantized_batch_matmul
// PORTABLE-LABEL: func @scores
// PORTABLE: linalg.quantized_batch_matmul
#id = affine_map<(n, h, c) -> (n, h, c)>
func.func @scores(%q: tensor<?x64x12x32xi8>, %k: tensor<?x64x12x32xi8>) -> tensor<?x12x64x64xf32> {
  %c0 = arith.constant 0 : index
  %c12 = arith.constant 12 : index
  %za = arith.constant -7 : i32
  %zero = arith.constant 0 : i32
  %batch = tensor.dim %q, %c0 : tensor<?x64x12x32xi8>
  %heads = arith.muli %batch, %c12 : index
  %qe = tensor.empty(%batch) : tensor<?x12x64x32xi8>
  %qt = linalg.transpose ins(%q : tensor<?x64x12x32xi8>) outs(%qe : tensor<?x12x64x32xi8>) permutation = [0, 2, 1, 3]
  %ke = tensor.empty(%batch) : tensor<?x12x32x64xi8>
  %kt = linalg.transpose ins(%k : tensor<?x64x12x32xi8>) outs(%ke : tensor<?x12x32x64xi8>) permutation = [0, 2, 3, 1]
  %qc = tensor.collapse_shape %qt [[0, 1], [2], [3]] : tensor<?x12x64x32xi8> into tensor<?x64x32xi8>
  %kc = tensor.collapse_shape %kt [[0, 1], [2], [3]] : tensor<?x12x32x64xi8> into tensor<?x32x64xi8>
  %e = tensor.empty(%heads) : tensor<?x64x64xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<?x64x64xi32>) -> tensor<?x64x64xi32>
  %s = linalg.quantized_batch_matmul ins(%qc, %kc, %za, %zero : tensor<?x64x32xi8>, tensor<?x32x64xi8>, i32, i32) outs(%f : tensor<?x64x64xi32>) -> tensor<?x64x64xi32>
  %re = tensor.empty(%heads) : tensor<?x64x64xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%s : tensor<?x64x64xi32>) outs(%re : tensor<?x64x64xf32>) {
  ^bb0(%x: i32, %o: f32):
    %y = arith.sitofp %x : i32 to f32
    linalg.yield %y : f32
  } -> tensor<?x64x64xf32>
  %x = tensor.expand_shape %r [[0, 1], [2], [3]] output_shape [%batch, 12, 64, 64] : tensor<?x64x64xf32> into tensor<?x12x64x64xf32>
  return %x : tensor<?x12x64x64xf32>
}

// -----

// A clamp makes the right factor: no code is below -127. Floats have a kernel everywhere.
// AVX2-LABEL: func @clamped
// AVX2: linalg.generic {{.*}} attrs = {halftone.product = "maddubs_256"}
// AVX2: linalg.generic {{.*}} attrs = {halftone.product = "fma_256"}
// PORTABLE-LABEL: func @clamped
// PORTABLE: linalg.quantized_batch_matmul
// PORTABLE: linalg.generic {{.*}} attrs = {halftone.product = "fma_128"}
#id = affine_map<(n, h, c) -> (n, h, c)>
func.func @clamped(%a: tensor<2x3x8xi8>, %x: tensor<2x8x4xi32>, %e: tensor<2x8x4xi8>, %i: tensor<2x3x4xi32>, %fa: tensor<2x3x8xf32>, %fb: tensor<2x8x4xf32>,
                   %fi: tensor<2x3x4xf32>) -> (tensor<2x3x4xi32>, tensor<2x3x4xf32>) {
  %low = arith.constant -120 : i32
  %high = arith.constant 127 : i32
  %z = arith.constant -7 : i32
  %zero = arith.constant 0 : i32
  %fzero = arith.constant 0.0 : f32
  %b = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]} ins(%x : tensor<2x8x4xi32>) outs(%e : tensor<2x8x4xi8>) {
  ^bb0(%v: i32, %o: i8):
    %c = arith.maxsi %v, %low : i32
    %d = arith.minsi %c, %high : i32
    %s = arith.addi %d, %z : i32
    %t = arith.trunci %s : i32 to i8
    linalg.yield %t : i8
  } -> tensor<2x8x4xi8>
  %f = linalg.fill ins(%zero : i32) outs(%i : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  %p = linalg.quantized_batch_matmul ins(%a, %b, %z, %zero : tensor<2x3x8xi8>, tensor<2x8x4xi8>, i32, i32) outs(%f : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  %g = linalg.fill ins(%fzero : f32) outs(%fi : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %q = linalg.batch_matmul ins(%fa, %fb : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%g : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  return %p, %q : tensor<2x3x4xi32>, tensor<2x3x4xf32>
}

// -----

// Left alone: a right factor with a zero point, a sum that starts at something.
// CHECK-LABEL: func @left_alone
// CHECK: linalg.quantized_batch_matmul
// CHECK: linalg.quantized_batch_matmul
func.func @left_alone(%a: tensor<2x3x8xi8>, %b: tensor<2x8x4xi8>, %i: tensor<2x3x4xi32>) -> (tensor<2x3x4xi32>, tensor<2x3x4xi32>) {
  %z = arith.constant -7 : i32
  %zero = arith.constant 0 : i32
  %f = linalg.fill ins(%zero : i32) outs(%i : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  %p = linalg.quantized_batch_matmul ins(%a, %b, %zero, %z : tensor<2x3x8xi8>, tensor<2x8x4xi8>, i32, i32) outs(%f : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  %q = linalg.quantized_batch_matmul ins(%a, %b, %z, %zero : tensor<2x3x8xi8>, tensor<2x8x4xi8>, i32, i32) outs(%i : tensor<2x3x4xi32>) -> tensor<2x3x4xi32>
  return %p, %q : tensor<2x3x4xi32>, tensor<2x3x4xi32>
}

// -----

// A factor that is another product, as in linear attention: the second reads what the first has become.
// CHECK-LABEL: func @chained
// CHECK: %[[FIRST:.*]] = linalg.generic {{.*}}halftone.product
// CHECK: linalg.generic {{.*}} ins(%[[FIRST]], %{{.*}}halftone.product
func.func @chained(%q: tensor<2x4x8xf32>, %k: tensor<2x8x4xf32>, %v: tensor<2x4x8xf32>) -> tensor<2x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %s = linalg.batch_matmul ins(%q, %k : tensor<2x4x8xf32>, tensor<2x8x4xf32>) outs(%f : tensor<2x4x4xf32>) -> tensor<2x4x4xf32>
  %o = tensor.empty() : tensor<2x4x8xf32>
  %g = linalg.fill ins(%zero : f32) outs(%o : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %y = linalg.batch_matmul ins(%s, %v : tensor<2x4x4xf32>, tensor<2x4x8xf32>) outs(%g : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  return %y : tensor<2x4x8xf32>
}
