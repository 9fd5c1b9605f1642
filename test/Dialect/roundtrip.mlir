// RUN: halftone-opt %s | halftone-opt | FileCheck %s
// RUN: halftone-opt %s --emit-bytecode | halftone-opt | FileCheck %s

// CHECK-LABEL: @casts
// CHECK: halftone.quantize %{{.*}} : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 5.000000e-02:-3>>
// CHECK: halftone.dequantize
// CHECK: halftone.storage_cast %{{.*}} : tensor<8x16xi8> to tensor<8x16x!halftone.codebook<4, axis = -1>>
// CHECK: levels(%{{.*}} : tensor<16xi8>) scales(%{{.*}} : tensor<1xf32>)
func.func @casts(%x: tensor<4xf32>, %c: tensor<8x16xi8>, %l: tensor<16xi8>, %s: tensor<1xf32>)
    -> (tensor<4xf32>, tensor<8x16xf32>) {
  %q = halftone.quantize %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.05:-3>>
  %y = halftone.dequantize %q : tensor<4x!quant.uniform<i8:f32, 0.05:-3>> to tensor<4xf32>
  %w = halftone.storage_cast %c : tensor<8x16xi8> to tensor<8x16x!halftone.codebook<4, axis = -1>>
  %z = halftone.dequantize %w levels(%l : tensor<16xi8>) scales(%s : tensor<1xf32>)
      : tensor<8x16x!halftone.codebook<4, axis = -1>> to tensor<8x16xf32>
  return %y, %z : tensor<4xf32>, tensor<8x16xf32>
}

// CHECK-LABEL: @composite
// CHECK: halftone.composite "identity"(%{{.*}}) {axis = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32> {
func.func @composite(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = halftone.composite "identity"(%x) {axis = 1 : i64} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// CHECK-LABEL: @observe
// CHECK: halftone.observe %{{.*}} into %{{.*}}, %{{.*}} {index = 3 : i64}
func.func @observe(%x: tensor<1x8xf32>, %c: memref<10x65536xi64>, %e: memref<10x2xf32>) {
  halftone.observe %x into %c, %e {index = 3 : i64} : tensor<1x8xf32>, memref<10x65536xi64>, memref<10x2xf32>
  return
}

// CHECK-LABEL: @kernels
// CHECK: halftone.lookup ins
// CHECK: halftone.contract ins
func.func @kernels(%x: tensor<1x6x6x4xi8>, %t: tensor<256xi8>, %w: tensor<3x3x4x8xi8>, %b: tensor<8xi32>)
    -> tensor<1x4x4x8xi32> {
  %e = tensor.empty() : tensor<1x6x6x4xi8>
  %l = halftone.lookup ins(%x, %t : tensor<1x6x6x4xi8>, tensor<256xi8>) outs(%e : tensor<1x6x6x4xi8>) -> tensor<1x6x6x4xi8>
  %o = tensor.empty() : tensor<1x4x4x8xi32>
  %y = halftone.contract ins(%l, %w : tensor<1x6x6x4xi8>, tensor<3x3x4x8xi8>) epilogue(%b : tensor<8xi32>)
      outs(%o : tensor<1x4x4x8xi32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, epilogue_maps = [affine_map<(n, h, w, c) -> (c)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<1x4x4x8xi32>
  return %y : tensor<1x4x4x8xi32>
}

// CHECK-LABEL: @dims
// CHECK-SAME: #halftone.dim<"batch", 1, 32>
func.func @dims(%x: tensor<?x4xf32> {halftone.dims = [#halftone.dim<"batch", 1, 32>, unit]}) {
  return
}
