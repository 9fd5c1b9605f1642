// RUN: halftone-opt %s --mlir-disable-threading --halftone-evaluate -o /dev/null | FileCheck %s

// Half to even, clamp, NaN to the lowest code; zero point 10.
// CHECK: quantize#0: 8x!quant.uniform<i8:f32, 5.000000e-01:10> = 10 10 12 14 127 -128 -128 8
func.func @quantize() -> tensor<8x!quant.uniform<i8:f32, 0.5:10>> {
  %x = arith.constant dense<[0.0, 0.25, 0.75, 2.0, 1.0e9, -1.0e9, 0x7FC00000, -1.25]> : tensor<8xf32>
  %q = halftone.quantize %x : tensor<8xf32> to tensor<8x!quant.uniform<i8:f32, 0.5:10>>
  return %q : tensor<8x!quant.uniform<i8:f32, 0.5:10>>
}

// CHECK: per_axis#0: 2x3xf32 = 0.5 1 1.5 -0.25 -0.5 -0.75
func.func @per_axis() -> tensor<2x3xf32> {
  %c = arith.constant dense<[[1, 2, 3], [-1, -2, -3]]> : tensor<2x3xi8>
  %q = quant.scast %c : tensor<2x3xi8> to tensor<2x3x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>>
  %x = halftone.dequantize %q : tensor<2x3x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>> to tensor<2x3xf32>
  return %x : tensor<2x3xf32>
}

// CHECK: codebook#0: 2x2xf32 = -50 50 -1 4
func.func @codebook() -> tensor<2x2xf32> {
  %c = arith.constant dense<[[0, 3], [1, 2]]> : tensor<2x2xi8>
  %l = arith.constant dense<[-100, -1, 4, 100]> : tensor<4xi8>
  %s = arith.constant dense<[0.5, 1.0]> : tensor<2xf32>
  %q = halftone.storage_cast %c : tensor<2x2xi8> to tensor<2x2x!halftone.codebook<2, axis = 0>>
  %x = halftone.dequantize %q levels(%l : tensor<4xi8>) scales(%s : tensor<2xf32>)
      : tensor<2x2x!halftone.codebook<2, axis = 0>> to tensor<2x2xf32>
  return %x : tensor<2x2xf32>
}

// A named operation in i8 with i32 sums: 4 * (-128 * 127) and a padded corner.
// CHECK: convolution#0: 1x2x2x1xi32 = -65024 -32512 -32512 -16256
func.func @convolution() -> tensor<1x2x2x1xi32> {
  %zero = arith.constant 0 : i32
  %code = arith.constant 0 : i8
  %x = arith.constant dense<-128> : tensor<1x2x2x1xi8>
  %w = arith.constant dense<127> : tensor<2x2x1x1xi8>
  %p = tensor.pad %x low[0, 0, 0, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %code : i8
  } : tensor<1x2x2x1xi8> to tensor<1x3x3x1xi8>
  %e = tensor.empty() : tensor<1x2x2x1xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x2x2x1xi32>) -> tensor<1x2x2x1xi32>
  %y = linalg.conv_2d_nhwc_hwcf ins(%p, %w : tensor<1x3x3x1xi8>, tensor<2x2x1x1xi8>)
      outs(%f : tensor<1x2x2x1xi32>) -> tensor<1x2x2x1xi32>
  return %y : tensor<1x2x2x1xi32>
}

// The same as the kernel operation, with its epilogue.
// CHECK: contract#0: 1x1x1x1xi32 = -65023
func.func @contract() -> tensor<1x1x1x1xi32> {
  %x = arith.constant dense<-128> : tensor<1x2x2x1xi8>
  %w = arith.constant dense<127> : tensor<2x2x1x1xi8>
  %b = arith.constant dense<1> : tensor<1xi32>
  %e = tensor.empty() : tensor<1x1x1x1xi32>
  %y = halftone.contract ins(%x, %w : tensor<1x2x2x1xi8>, tensor<2x2x1x1xi8>) epilogue(%b : tensor<1xi32>)
      outs(%e : tensor<1x1x1x1xi32>) attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
      groups = 1 : i64, epilogue_maps = [affine_map<(n, h, w, c) -> (c)>]} {
  ^bb0(%acc: i32, %bias: i32):
    %s = arith.addi %acc, %bias : i32
    halftone.yield %s : i32
  } -> tensor<1x1x1x1xi32>
  return %y : tensor<1x1x1x1xi32>
}

// CHECK: lookup#0: 3xi8 = 5 9 7
func.func @lookup() -> tensor<3xi8> {
  %x = arith.constant dense<[-128, 127, 0]> : tensor<3xi8>
  %t0 = arith.constant dense<5> : tensor<128xi8>
  %t1 = arith.constant dense<7> : tensor<127xi8>
  %t2 = arith.constant dense<9> : tensor<1xi8>
  %t = tensor.concat dim(0) %t0, %t1, %t2 : (tensor<128xi8>, tensor<127xi8>, tensor<1xi8>) -> tensor<256xi8>
  %e = tensor.empty() : tensor<3xi8>
  %y = halftone.lookup ins(%x, %t : tensor<3xi8>, tensor<256xi8>) outs(%e : tensor<3xi8>) -> tensor<3xi8>
  return %y : tensor<3xi8>
}

// CHECK: movement#0: 2x2xf32 = 2 20 3 30
func.func @movement() -> tensor<2x2xf32> {
  %a = arith.constant dense<[[1.0, 2.0, 3.0]]> : tensor<1x3xf32>
  %b = arith.constant dense<[[10.0, 20.0, 30.0]]> : tensor<1x3xf32>
  %c = tensor.concat dim(0) %a, %b : (tensor<1x3xf32>, tensor<1x3xf32>) -> tensor<2x3xf32>
  %s = tensor.extract_slice %c[0, 1] [2, 2] [1, 1] : tensor<2x3xf32> to tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %t = linalg.transpose ins(%s : tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) permutation = [1, 0]
  return %t : tensor<2x2xf32>
}

// CHECK: composite#0: 2xf32 = 0 3
func.func @composite() -> tensor<2xf32> {
  %x = arith.constant dense<[-3.0, 3.0]> : tensor<2xf32>
  %y = halftone.composite "relu"(%x) {} : (tensor<2xf32>) -> tensor<2xf32> {
  ^bb0(%a: tensor<2xf32>):
    %zero = arith.constant 0.0 : f32
    %e = tensor.empty() : tensor<2xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>], iterator_types = ["parallel"]}
        ins(%a : tensor<2xf32>) outs(%e : tensor<2xf32>) {
    ^bb0(%v: f32, %o: f32):
      %m = arith.maximumf %v, %zero : f32
      linalg.yield %m : f32
    } -> tensor<2xf32>
    halftone.yield %r : tensor<2xf32>
  }
  return %y : tensor<2xf32>
}

// Sizes that are computed from a dynamic one.
// CHECK: sizes#0: 2x3x2xf32 = 0 0 0 0 0 0 0 0 0 0 0 0
func.func @sizes() -> tensor<?x?x2xf32> {
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %rows = affine.apply affine_map<()[s] -> (s * 3)>()[%c2]
  %half = affine.apply affine_map<(d) -> (d floordiv 2)>(%rows)
  %e = tensor.empty(%c2, %half) : tensor<?x?x2xf32>
  %t = linalg.fill ins(%zero : f32) outs(%e : tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  return %t : tensor<?x?x2xf32>
}

// Halves to even; a zero keeps its sign.
// CHECK: round#0: 5xf32 = -0 0 2 -2 -0
func.func @round() -> tensor<5xf32> {
  %x = arith.constant dense<[-0.25, 0.5, 1.5, -2.5, -0.0]> : tensor<5xf32>
  %e = tensor.empty() : tensor<5xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>], iterator_types = ["parallel"]}
      ins(%x : tensor<5xf32>) outs(%e : tensor<5xf32>) {
  ^bb0(%v: f32, %o: f32):
    %r = math.roundeven %v : f32
    linalg.yield %r : f32
  } -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// The least integer has no positive one.
// CHECK: magnitude#0: 3xi8 = 5 7 -128
func.func @magnitude() -> tensor<3xi8> {
  %x = arith.constant dense<[-5, 7, -128]> : tensor<3xi8>
  %e = tensor.empty() : tensor<3xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(d) -> (d)>, affine_map<(d) -> (d)>], iterator_types = ["parallel"]}
      ins(%x : tensor<3xi8>) outs(%e : tensor<3xi8>) {
  ^bb0(%v: i8, %o: i8):
    %r = math.absi %v : i8
    linalg.yield %r : i8
  } -> tensor<3xi8>
  return %y : tensor<3xi8>
}
