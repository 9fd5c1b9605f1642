// RUN: halftone-opt --halftone-annotate-layers=target=avx512vnni --mlir-print-debuginfo --mlir-print-local-scope %s | FileCheck %s
// RUN: halftone-opt --halftone-annotate-layers %s | FileCheck %s --check-prefix=SCALAR
// RUN: not halftone-opt --halftone-annotate-layers=target=abacus %s 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// Each operation that works on buffers is on the list, in the order of the function. Bytes are those of the operands, each
// buffer once (%f of the sum; one that is overwritten, as the lookup's, is read and written), and the dynamic batch counts as 1.
// CHECK: halftone.layers = [
// CHECK-SAME: {constant_bytes = 96 : i64, cost = "lines=1 rows=1 span=1 runs=1 run=5 columns=1 groups=1 operands=0 activations=9 cold=352 panel=4 bits=8 group=0", kernel = "vpdpbusd_512", kind = "matmul", multiply_accumulates = 5 : i64, name = "fc", per_sample, read_bytes = 5 : i64, shapes = "Bx5 -> Bx1", written_bytes = 4 : i64}
// CHECK-SAME: {{{.*}}, kernel = "vector_512", kind = "elementwise", multiply_accumulates = 0 : i64, name = "twice", read_bytes = 128 : i64, shapes = "1x4x8 -> 1x4x8", written_bytes = 128 : i64}
// CHECK-SAME: {{{.*}}, kernel = "vector_512", kind = "max pool 3x2/1", {{.*}}read_bytes = 288 : i64, shapes = "1x6x6x2 -> 1x4x5x2"
// CHECK-SAME: {{{.*}}, kernel = "vector_512", kind = "quantize"
// CHECK-SAME: {constant_bytes = 256 : i64, kernel = "vector_512", kind = "lookup", {{.*}}read_bytes = 32 : i64, shapes = "1x4x8 -> 1x4x8", written_bytes = 32 : i64}
// CHECK-SAME: {{{.*}}, kernel = "vector_512", kind = "copy", multiply_accumulates = 0 : i64, name = "", read_bytes = 4 : i64, shapes = "4 -> 4"
// CHECK-SAME: {{{.*}}, kernel = "scalar", kind = "elementwise", {{.*}}shapes = "4 -> 4"
// Two sides of one border are one layer; the side of another one is the next.
// CHECK-SAME: {{{.*}}, kind = "fill", {{.*}}shapes = "scalar -> 4x6", written_bytes = 12 : i64}
// CHECK-SAME: {{{.*}}, kind = "fill", {{.*}}shapes = "scalar -> 1x6", written_bytes = 6 : i64}
// CHECK: halftone.contract
// CHECK: loc(fused<{halftone.layer = 0 : i64}>["fc"(
// CHECK: arith.addf {{.*}} loc(fused<{halftone.layer = 1 : i64}>

// Without a target everything is scalar.
// SCALAR: kernel = "scalar", kind = "lookup"
// UNKNOWN: error: unknown target 'abacus'
#id = affine_map<(i, j, k) -> (i, j, k)>
#bits = affine_map<(i) -> (i)>
module attributes {halftone.inputs = [{}, {}, {}, {}], halftone.outputs = [{}, {}, {}, {}], halftone.batch = array<i64: 1, 4>} {
  memref.global "private" constant @weights : memref<96xi8> = dense<1>
  memref.global "private" constant @table : memref<256xi8> = dense<3>
  func.func @main(%x: memref<?x5xi8>, %f: memref<1x4x8xf32>, %m: memref<1x6x6x2xf32>, %b: memref<4xi1>,
                  %y: memref<?x1xi32>, %g: memref<1x4x8xf32>, %q: memref<1x4x8xi8>, %arena: memref<?xi8>) {
    %w = memref.get_global @weights : memref<96xi8>
    %t = memref.get_global @table : memref<256xi8>
    %c64 = arith.constant 64 : index
    %c0 = arith.constant 0 : index
    halftone.contract ins(%x, %w : memref<?x5xi8>, memref<96xi8>) outs(%y : memref<?x1xi32>)
        attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
        packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 5>, run = 5 : i64}} {
    ^bb0(%acc: i32):
      halftone.yield %acc : i32
    } loc("fc"("model.onnx":1:1))
    linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%f, %f : memref<1x4x8xf32>, memref<1x4x8xf32>) outs(%g : memref<1x4x8xf32>) {
    ^bb0(%l: f32, %r: f32, %o: f32):
      %s = arith.addf %l, %r : f32
      linalg.yield %s : f32
    } loc("twice")
    %pooled = memref.view %arena[%c0][] : memref<?xi8> to memref<1x4x5x2xf32>
    %window = memref.view %arena[%c64][] : memref<?xi8> to memref<3x2xf32>
    linalg.pooling_nhwc_max {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
        ins(%m, %window : memref<1x6x6x2xf32>, memref<3x2xf32>) outs(%pooled : memref<1x4x5x2xf32>)
    linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
        ins(%g : memref<1x4x8xf32>) outs(%q : memref<1x4x8xi8>) {
    ^bb0(%v: f32, %o: i8):
      %i = arith.fptosi %v : f32 to i8
      linalg.yield %i : i8
    }
    halftone.lookup ins(%q, %t : memref<1x4x8xi8>, memref<256xi8>) outs(%q : memref<1x4x8xi8>)
    %copied = memref.view %arena[%c0][] : memref<?xi8> to memref<4xi1>
    linalg.generic {indexing_maps = [#bits, #bits], iterator_types = ["parallel"]}
        ins(%b : memref<4xi1>) outs(%copied : memref<4xi1>) {
    ^bb0(%v: i1, %o: i1):
      linalg.yield %v : i1
    }
    %odd = memref.view %arena[%c64][] : memref<?xi8> to memref<4xi1>
    linalg.generic {indexing_maps = [#bits, #bits], iterator_types = ["parallel"]}
        ins(%b : memref<4xi1>) outs(%odd : memref<4xi1>) {
    ^bb0(%v: i1, %o: i1):
      %i = linalg.index 0 : index
      %low = arith.index_cast %i : index to i1
      %r = arith.andi %v, %low : i1
      linalg.yield %r : i1
    }
    %zero = arith.constant 0 : i8
    %bordered = memref.view %arena[%c0][] : memref<?xi8> to memref<4x6xi8>
    %upper = memref.subview %bordered[0, 0] [1, 6] [1, 1] : memref<4x6xi8> to memref<1x6xi8, strided<[6, 1]>>
    linalg.fill ins(%zero : i8) outs(%upper : memref<1x6xi8, strided<[6, 1]>>)
    %lower = memref.subview %bordered[3, 0] [1, 6] [1, 1] : memref<4x6xi8> to memref<1x6xi8, strided<[6, 1], offset: 18>>
    linalg.fill ins(%zero : i8) outs(%lower : memref<1x6xi8, strided<[6, 1], offset: 18>>)
    %other = memref.view %arena[%c64][] : memref<?xi8> to memref<4x6xi8>
    %side = memref.subview %other[0, 0] [1, 6] [1, 1] : memref<4x6xi8> to memref<1x6xi8, strided<[6, 1]>>
    linalg.fill ins(%zero : i8) outs(%side : memref<1x6xi8, strided<[6, 1]>>)
    return
  }
}
