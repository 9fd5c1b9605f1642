// RUN: halftone-opt %s --halftone-plan-memory --canonicalize --split-input-file --verify-diagnostics | FileCheck %s

// %a and %c never live at the same time, so they share bytes; %b lives with both. 64 bytes behind each are slack.

// CHECK: halftone.workspace_bytes = 640
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[ARENA:[a-z0-9]+]]: memref<?xi8>)
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[B:.*]] = arith.constant 320 : index
// CHECK-NOT: alloc
// CHECK-DAG: memref.view %[[ARENA]][%[[ZERO]]][] : memref<?xi8> to memref<64xf32>
// CHECK-DAG: memref.view %[[ARENA]][%[[B]]][] : memref<?xi8> to memref<64xf32>
// CHECK-DAG: memref.view %[[ARENA]][%[[ZERO]]][] : memref<?xi8> to memref<16xf32>
module {
  func.func @main(%x: memref<64xf32>, %y: memref<16xf32>) {
    %zero = arith.constant 0.0 : f32
    %a = memref.alloc() : memref<64xf32>
    %b = memref.alloc() : memref<64xf32>
    %c = memref.alloc() : memref<16xf32>
    linalg.copy ins(%x : memref<64xf32>) outs(%a : memref<64xf32>)
    %v = memref.subview %a[0] [64] [1] : memref<64xf32> to memref<64xf32>
    linalg.copy ins(%v : memref<64xf32>) outs(%b : memref<64xf32>)
    %h = memref.subview %b[0] [16] [1] : memref<64xf32> to memref<16xf32>
    linalg.copy ins(%h : memref<16xf32>) outs(%c : memref<16xf32>)
    linalg.copy ins(%c : memref<16xf32>) outs(%y : memref<16xf32>)
    memref.dealloc %a : memref<64xf32>
    return
  }
}

// -----

// A dynamic batch is planned for its bound: 8 * 3 * 4 + 64 = 160, in 64s 192.

// CHECK: halftone.workspace_bytes = 192
// CHECK-LABEL: func.func @main
// CHECK: %[[N:.*]] = memref.dim
// CHECK: memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x3xf32>
module attributes {halftone.batch = array<i64: 1, 8>} {
  func.func @main(%x: memref<?x3xf32>, %y: memref<?x3xf32>) {
    %zero = arith.constant 0 : index
    %n = memref.dim %x, %zero : memref<?x3xf32>
    %a = memref.alloc(%n) : memref<?x3xf32>
    linalg.copy ins(%x : memref<?x3xf32>) outs(%a : memref<?x3xf32>)
    linalg.copy ins(%a : memref<?x3xf32>) outs(%y : memref<?x3xf32>)
    return
  }
}

// -----

// The size may be that of another buffer, behind a reshape: 4 * 2 * 3 * 4 + 64 = 160, in 64s 192, twice.

// CHECK: halftone.workspace_bytes = 384
module attributes {halftone.batch = array<i64: 1, 4>} {
  func.func @main(%x: memref<?x2x3xf32>, %y: memref<?x3xf32>) {
    %zero = arith.constant 0 : index
    %n = memref.dim %x, %zero : memref<?x2x3xf32>
    %a = memref.alloc(%n) : memref<?x2x3xf32>
    linalg.copy ins(%x : memref<?x2x3xf32>) outs(%a : memref<?x2x3xf32>)
    %c = memref.collapse_shape %a [[0, 1], [2]] : memref<?x2x3xf32> into memref<?x3xf32>
    %m = memref.dim %c, %zero : memref<?x3xf32>
    %b = memref.alloc(%m) : memref<?x3xf32>
    linalg.copy ins(%c : memref<?x3xf32>) outs(%b : memref<?x3xf32>)
    linalg.copy ins(%b : memref<?x3xf32>) outs(%y : memref<?x3xf32>)
    return
  }
}

// -----

// As above, of three dimensions: 4 * 2 * 2 * 3 * 4 + 64 = 256, in 64s 256, twice.

// CHECK: halftone.workspace_bytes = 512
module attributes {halftone.batch = array<i64: 1, 4>} {
  func.func @main(%x: memref<?x2x2x3xf32>, %y: memref<?x3xf32>) {
    %zero = arith.constant 0 : index
    %n = memref.dim %x, %zero : memref<?x2x2x3xf32>
    %a = memref.alloc(%n) : memref<?x2x2x3xf32>
    linalg.copy ins(%x : memref<?x2x2x3xf32>) outs(%a : memref<?x2x2x3xf32>)
    %c = memref.collapse_shape %a [[0, 1, 2], [3]] : memref<?x2x2x3xf32> into memref<?x3xf32>
    %m = memref.dim %c, %zero : memref<?x3xf32>
    %b = memref.alloc(%m) : memref<?x3xf32>
    linalg.copy ins(%c : memref<?x3xf32>) outs(%b : memref<?x3xf32>)
    linalg.copy ins(%b : memref<?x3xf32>) outs(%y : memref<?x3xf32>)
    return
  }
}

// -----

module {
  func.func @main(%n: index, %y: memref<?xf32>) {
    // expected-error @below {{has no bound for its size; only the leading dimension of an input may be dynamic}}
    %a = memref.alloc(%n) : memref<?xf32>
    linalg.copy ins(%a : memref<?xf32>) outs(%y : memref<?xf32>)
    return
  }
}

// -----

module {
  func.func @main(%y: memref<4xf32>) {
    scf.forall (%i) in (4) {
      // expected-error @below {{is inside of a parallel loop: its iterations would share the buffer}}
      %a = memref.alloc() : memref<4xf32>
      linalg.copy ins(%a : memref<4xf32>) outs(%y : memref<4xf32>)
    }
    return
  }
}

// -----

module {
  func.func @main(%x: memref<4xf32>, %y: memref<4xf32>) {
    // expected-error @below {{is a call into a library that an artefact does not have}}
    memref.copy %x, %y : memref<4xf32> to memref<4xf32>
    return
  }
}

// -----

// Planes of 64 positions: an image takes 3 * 64 bytes, the greatest batch 8 * 192 + 64 = 1600.

// CHECK: halftone.workspace_bytes = 1600
// CHECK: func.func @main
// CHECK: %[[N:.*]] = memref.dim
// CHECK: %[[FLAT:.*]] = memref.view %{{.*}}[%{{.*}}][%[[N]]] : memref<?xi8> to memref<?x192xi8>
// CHECK: memref.reinterpret_cast %[[FLAT]] to offset: [0], sizes: [%[[N]], 4, 5, 3], strides: [192, 5, 1, 64]
module attributes {halftone.batch = array<i64: 1, 8>} {
  func.func @main(%x: memref<?x4x5x3xi8>, %y: memref<?x4x5x3xi8>) {
    %c0 = arith.constant 0 : index
    %n = memref.dim %x, %c0 : memref<?x4x5x3xi8>
    %a = memref.alloc(%n) : memref<?x4x5x3xi8, strided<[192, 5, 1, 64]>>
    linalg.copy ins(%x : memref<?x4x5x3xi8>) outs(%a : memref<?x4x5x3xi8, strided<[192, 5, 1, 64]>>)
    linalg.copy ins(%a : memref<?x4x5x3xi8, strided<[192, 5, 1, 64]>>) outs(%y : memref<?x4x5x3xi8>)
    return
  }
}
