// RUN: halftone-opt %s --halftone-form-entry --halftone-bufferize --cse --canonicalize --halftone-lower-copies --split-input-file | FileCheck %s

// Kernels are destination style: a result that is an output is written there, without a copy.

// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: memref<1x6x6x4xi8>, %[[W:.*]]: memref<3x3x4x8xi8>, %[[T:.*]]: memref<256xi8>, %[[Y:.*]]: memref<1x4x4x8xi8>)
// CHECK: %[[A:.*]] = memref.alloc() {alignment = 64 : i64} : memref<1x6x6x4xi8>
// CHECK-NOT: alloc
// CHECK: halftone.lookup ins(%[[X]], %[[T]] : memref<1x6x6x4xi8>, memref<256xi8>) outs(%[[A]] : memref<1x6x6x4xi8>)
// CHECK: halftone.contract ins(%[[A]], %[[W]]
// CHECK-SAME: outs(%[[Y]] : memref<1x4x4x8xi8>)
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @main(%x: tensor<1x6x6x4xi8>, %w: tensor<3x3x4x8xi8>, %t: tensor<256xi8>) -> tensor<1x4x4x8xi8> {
  %e = tensor.empty() : tensor<1x6x6x4xi8>
  %l = halftone.lookup ins(%x, %t : tensor<1x6x6x4xi8>, tensor<256xi8>) outs(%e : tensor<1x6x6x4xi8>) -> tensor<1x6x6x4xi8>
  %o = tensor.empty() : tensor<1x4x4x8xi8>
  %y = halftone.contract ins(%l, %w : tensor<1x6x6x4xi8>, tensor<3x3x4x8xi8>) outs(%o : tensor<1x4x4x8xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    %s = arith.trunci %acc : i32 to i8
    halftone.yield %s : i8
  } -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}

// -----

// An input that is an output is copied, as a generic; an observer reads the input's buffer.

// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: memref<4xf32>, %[[C:.*]]: memref<1x65536xi64>, %[[M:.*]]: memref<1x2xf32>, %[[Y:.*]]: memref<4xf32>)
// CHECK: halftone.observe %[[X]] into %[[C]], %[[M]]
// CHECK: linalg.generic {{.*}} ins(%[[X]] : memref<4xf32>) outs(%[[Y]] : memref<4xf32>)
func.func @main(%x: tensor<4xf32>, %c: memref<1x65536xi64>, %m: memref<1x2xf32>) -> tensor<4xf32> {
  halftone.observe %x into %c, %m {index = 0 : i64} : tensor<4xf32>, memref<1x65536xi64>, memref<1x2xf32>
  return %x : tensor<4xf32>
}
