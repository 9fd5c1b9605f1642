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

// -----

// The parts of a concatenation are written in their places, those of one type too, whose empty tensors cse made one.

// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: memref<4xi8>, %[[T:.*]]: memref<256xi8>, %[[Y:.*]]: memref<8xi8>)
// CHECK: %[[WHOLE:.*]] = memref.alloc() {alignment = 64 : i64} : memref<8xi8>
// CHECK-NOT: alloc
// CHECK: %[[A:.*]] = memref.subview %[[WHOLE]][0] [4] [1]
// CHECK: halftone.lookup ins(%[[X]], %[[T]] {{.*}} outs(%[[A]]
// CHECK: %[[B:.*]] = memref.subview %[[WHOLE]][4] [4] [1]
// CHECK: halftone.lookup ins(%[[X]], %[[T]] {{.*}} outs(%[[B]]
// CHECK-NOT: linalg.generic
// CHECK: halftone.lookup ins(%[[WHOLE]], %[[T]] {{.*}} outs(%[[Y]]
func.func @main(%x: tensor<4xi8>, %t: tensor<256xi8>) -> tensor<8xi8> {
  %e = tensor.empty() : tensor<4xi8>
  %a = halftone.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  %b = halftone.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  %c = tensor.concat dim(0) %a, %b : (tensor<4xi8>, tensor<4xi8>) -> tensor<8xi8>
  %f = tensor.empty() : tensor<8xi8>
  %y = halftone.lookup ins(%c, %t : tensor<8xi8>, tensor<256xi8>) outs(%f : tensor<8xi8>) -> tensor<8xi8>
  return %y : tensor<8xi8>
}

// -----

// A concatenation under a border: its parts go into the interior, which other readers see as it is.

// CHECK-LABEL: @main
// CHECK: %[[WHOLE:.*]] = memref.alloc() {alignment = 64 : i64} : memref<10xi8>
// CHECK-NOT: memref.alloc() {alignment = 64 : i64} : memref<{{[48]}}xi8>
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @main(%x: tensor<4xi8>, %t: tensor<256xi8>) -> (tensor<8xi8>, tensor<10xi8>) {
  %e = tensor.empty() : tensor<4xi8>
  %z = arith.constant 3 : i8
  %border = tensor.empty() : tensor<10xi8>
  %filled = linalg.fill ins(%z : i8) outs(%border : tensor<10xi8>) -> tensor<10xi8>
  %a = halftone.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  %b = halftone.lookup ins(%x, %t : tensor<4xi8>, tensor<256xi8>) outs(%e : tensor<4xi8>) -> tensor<4xi8>
  %c = tensor.concat dim(0) %a, %b : (tensor<4xi8>, tensor<4xi8>) -> tensor<8xi8>
  %p = tensor.insert_slice %c into %filled[1] [8] [1] : tensor<8xi8> into tensor<10xi8>
  %f = tensor.empty() : tensor<8xi8>
  %y = halftone.lookup ins(%c, %t : tensor<8xi8>, tensor<256xi8>) outs(%f : tensor<8xi8>) -> tensor<8xi8>
  %g = tensor.empty() : tensor<10xi8>
  %w = halftone.lookup ins(%p, %t : tensor<10xi8>, tensor<256xi8>) outs(%g : tensor<10xi8>) -> tensor<10xi8>
  return %y, %w : tensor<8xi8>, tensor<10xi8>
}

// -----

// A part that a folder would replace by another value, and erase, is written like any other.

// CHECK-LABEL: @main
// CHECK-SAME: (%[[X:.*]]: memref<1x4xi8>, %[[T:.*]]: memref<256xi8>, %[[Y:.*]]: memref<2x4xi8>)
// CHECK: halftone.lookup ins(%[[X]], %[[T]] : memref<1x4xi8>, memref<256xi8>)
// CHECK: memref.subview %[[Y]][0, 0] [1, 4]
// CHECK: memref.subview %[[Y]][1, 0] [1, 4]
// CHECK: return
func.func @main(%x: tensor<1x4xi8>, %t: tensor<256xi8>) -> tensor<2x4xi8> {
  %e = tensor.empty() : tensor<1x4xi8>
  %l = halftone.lookup ins(%x, %t : tensor<1x4xi8>, tensor<256xi8>) outs(%e : tensor<1x4xi8>) -> tensor<1x4xi8>
  %all = tensor.extract_slice %l[0, 0] [1, 4] [1, 1] : tensor<1x4xi8> to tensor<1x4xi8>
  %y = tensor.concat dim(0) %all, %x : (tensor<1x4xi8>, tensor<1x4xi8>) -> tensor<2x4xi8>
  return %y : tensor<2x4xi8>
}
