// Rows that are joined with a dynamic batch count as often as a sample has them: 4 rows of 5 products, 4 x (5 + 4) bytes.
// RUN: halftone-opt --halftone-annotate-layers=target=avx512vnni %s | FileCheck %s

// CHECK: cost = "lines=1 rows=1 span=4 runs=1 run=5 columns=1 groups=1 operands=0 activations=36
// CHECK-SAME: multiply_accumulates = 20 : i64, name = "fc", per_sample, read_bytes = 20 : i64, shapes = "Bx5 -> Bx1", written_bytes = 16 : i64
module attributes {halftone.inputs = [{}, {}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 4>} {
  memref.global "private" constant @weights : memref<96xi8> = dense<1>
  func.func @main(%x: memref<?x4x5xi8>, %y: memref<?x1xi32>) {
    %zero = arith.constant 0 : index
    %w = memref.get_global @weights : memref<96xi8>
    %n = memref.dim %x, %zero : memref<?x4x5xi8>
    %a = memref.alloc(%n) : memref<?x4x5xi8>
    memref.copy %x, %a : memref<?x4x5xi8> to memref<?x4x5xi8>
    %rows = memref.collapse_shape %a [[0, 1], [2]] : memref<?x4x5xi8> into memref<?x5xi8>
    %m = memref.dim %rows, %zero : memref<?x5xi8>
    %r = memref.alloc(%m) : memref<?x1xi32>
    halftone.contract ins(%rows, %w : memref<?x5xi8>, memref<96xi8>) outs(%r : memref<?x1xi32>)
        attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
        packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 16 : i64, kernel = array<i64: 1, 1, 5>, run = 8 : i64}} {
    ^bb0(%acc: i32):
      halftone.yield %acc : i32
    } loc("fc"("x"))
    memref.copy %r, %y : memref<?x1xi32> to memref<?x1xi32>
    return
  }
}
