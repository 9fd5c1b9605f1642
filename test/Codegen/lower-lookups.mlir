// RUN: halftone-opt --split-input-file --verify-diagnostics --halftone-lower-lookups %s | FileCheck %s

// CHECK-LABEL: func @lookup
// CHECK: linalg.generic {{.*}} ins(%arg0 : memref<3x5xi8>) outs(%arg2 : memref<3x5xi8>)
// CHECK: %[[CODE:.*]] = arith.index_cast %{{.*}} : i8 to index
// CHECK: %[[INDEX:.*]] = arith.addi %[[CODE]], %c128
// CHECK: memref.load %arg1[%[[INDEX]]] : memref<256xi8>
func.func @lookup(%x: memref<3x5xi8>, %t: memref<256xi8>, %y: memref<3x5xi8>) {
  halftone.lookup ins(%x, %t : memref<3x5xi8>, memref<256xi8>) outs(%y : memref<3x5xi8>)
  return
}

// -----

func.func @on_tensors(%x: tensor<3xi8>, %t: tensor<256xi8>, %y: tensor<3xi8>) -> tensor<3xi8> {
  // expected-error @below {{needs memrefs; run bufferization first}}
  %r = halftone.lookup ins(%x, %t : tensor<3xi8>, tensor<256xi8>) outs(%y : tensor<3xi8>) -> tensor<3xi8>
  return %r : tensor<3xi8>
}
