// RUN: halftone-opt %s --halftone-lower-copies | FileCheck %s

// A copy becomes a loop nest's operation; a copy of a buffer to itself goes.
// CHECK-LABEL: @copies
// CHECK-SAME: %[[A:.*]]: memref<4x8xi8>, %[[B:.*]]: memref<4x8xi8>
// CHECK: linalg.generic {{.*}} ins(%[[A]] : memref<4x8xi8>) outs(%[[B]] : memref<4x8xi8>)
// CHECK-NOT: memref.copy
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @copies(%a: memref<4x8xi8>, %b: memref<4x8xi8>) {
  memref.copy %a, %b : memref<4x8xi8> to memref<4x8xi8>
  memref.copy %a, %a : memref<4x8xi8> to memref<4x8xi8>
  return
}
