// RUN: halftone-opt %s --halftone-reuse-buffers | FileCheck %s

#id = affine_map<(n, c) -> (n, c)>
#turned = affine_map<(n, c) -> (c, n)>

// The residual is not read again: the result takes its place.
// CHECK-LABEL: @residual
// CHECK: %[[R:.*]] = memref.alloc() {kept} : memref<8x8xi8>
// CHECK-NOT: memref.alloc
// CHECK: halftone.contract ins(%{{.*}}, %{{.*}} : {{.*}}) epilogue(%[[R]] : memref<8x8xi8>) outs(%[[R]] : memref<8x8xi8>)
// CHECK: memref.copy %[[R]], %{{.*}}
func.func @residual(%x: memref<8x4xi8>, %w: memref<4x8xi8>, %in: memref<8x8xi8>, %out: memref<8x8xi8>) {
  %r = memref.alloc() {kept} : memref<8x8xi8>
  memref.copy %in, %r : memref<8x8xi8> to memref<8x8xi8>
  %y = memref.alloc() : memref<8x8xi8>
  halftone.contract ins(%x, %w : memref<8x4xi8>, memref<4x8xi8>) epilogue(%r : memref<8x8xi8>) outs(%y : memref<8x8xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id]} {
  ^bb0(%acc: i32, %a: i8):
    halftone.yield %a : i8
  }
  memref.copy %y, %out : memref<8x8xi8> to memref<8x8xi8>
  return
}

// Read again afterwards, through a view.
// CHECK-LABEL: @read_later
// CHECK: %[[R:.*]] = memref.alloc() {kept}
// CHECK: %[[Y:.*]] = memref.alloc()
// CHECK: halftone.contract {{.*}} epilogue(%[[R]] : memref<8x8xi8>) outs(%[[Y]] : memref<8x8xi8>)
func.func @read_later(%x: memref<8x4xi8>, %w: memref<4x8xi8>, %out: memref<8x8xi8>, %other: memref<64xi8>) {
  %r = memref.alloc() {kept} : memref<8x8xi8>
  %view = memref.collapse_shape %r [[0, 1]] : memref<8x8xi8> into memref<64xi8>
  %y = memref.alloc() : memref<8x8xi8>
  halftone.contract ins(%x, %w : memref<8x4xi8>, memref<4x8xi8>) epilogue(%r : memref<8x8xi8>) outs(%y : memref<8x8xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id]} {
  ^bb0(%acc: i32, %a: i8):
    halftone.yield %a : i8
  }
  memref.copy %y, %out : memref<8x8xi8> to memref<8x8xi8>
  memref.copy %view, %other : memref<64xi8> to memref<64xi8>
  return
}

// Read at another position than the one written, and an argument of the function.
// CHECK-LABEL: @turned
// CHECK: memref.alloc() {kept}
// CHECK: memref.alloc()
// CHECK: halftone.contract
func.func @turned(%x: memref<8x4xi8>, %w: memref<4x8xi8>, %in: memref<8x8xi8>, %out: memref<8x8xi8>) {
  %r = memref.alloc() {kept} : memref<8x8xi8>
  %y = memref.alloc() : memref<8x8xi8>
  halftone.contract ins(%x, %w : memref<8x4xi8>, memref<4x8xi8>) epilogue(%r, %in : memref<8x8xi8>, memref<8x8xi8>)
      outs(%y : memref<8x8xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#turned, #id]} {
  ^bb0(%acc: i32, %a: i8, %b: i8):
    halftone.yield %a : i8
  }
  memref.copy %y, %out : memref<8x8xi8> to memref<8x8xi8>
  return
}

// The residual is the input too: a kernel reads more of it than the position that it writes.
// CHECK-LABEL: @input_too
// CHECK: %[[R:.*]] = memref.alloc() {kept}
// CHECK: %[[Y:.*]] = memref.alloc()
// CHECK: halftone.contract ins(%[[R]]
func.func @input_too(%w: memref<8x8xi8>, %out: memref<8x8xi8>) {
  %r = memref.alloc() {kept} : memref<8x8xi8>
  %y = memref.alloc() : memref<8x8xi8>
  halftone.contract ins(%r, %w : memref<8x8xi8>, memref<8x8xi8>) epilogue(%r : memref<8x8xi8>) outs(%y : memref<8x8xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id]} {
  ^bb0(%acc: i32, %a: i8):
    halftone.yield %a : i8
  }
  memref.copy %y, %out : memref<8x8xi8> to memref<8x8xi8>
  return
}
