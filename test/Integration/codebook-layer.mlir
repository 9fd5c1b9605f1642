// A convolution whose weights are codes into a table of 16 levels, with a scale for each channel, goes through the integer stage to
// every target: the evaluator, the reference target and the vector targets agree bit for bit. So recognition, casts and
// types hold for a second number format, whose codes are no numbers.

// REQUIRES: numpy
// RUN: rm -rf %t && mkdir -p %t
// RUN: %python -c "import numpy, sys; numpy.savez(sys.argv[1], x=numpy.random.default_rng(3).normal(size=(9, 6, 7, 5)).astype(numpy.float32))" %t/x.npz
// RUN: halftone quantize %s --stop-after=integer -o %t/integer.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: FileCheck %s < %t/integer.mlir
// RUN: halftone compile %s --target-cpu=reference -o %t/reference.so
// RUN: halftone compile %s --target-cpu=x86-64-v3 -o %t/v3.so
// RUN: halftone compile %s -o %t/native.so
// RUN: halftone compare %t/integer.mlir %t/reference.so --data %t/x.npz --evaluator --exact | FileCheck %s --check-prefix=EQUAL
// RUN: halftone compare %t/reference.so %t/v3.so --data %t/x.npz --exact | FileCheck %s --check-prefix=EQUAL
// RUN: halftone compare %t/reference.so %t/native.so --data %t/x.npz --exact | FileCheck %s --check-prefix=EQUAL

// REMARK: 100.00 % of 13230 multiply-accumulates run in integers
// EQUAL: output 'y', 9 samples:
// EQUAL-NEXT: equal bit for bit (2646 elements)

// The levels stand where the codes were; no codebook is left.
// CHECK-NOT: !halftone.codebook
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}}xi8>
// CHECK-NOT: !halftone.codebook

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
!qx = !quant.uniform<i8:f32, 0.03125:3>
!qy = !quant.uniform<i8:f32, 0.0625:-128>
!book = !halftone.codebook<4, axis = 3>
module attributes {halftone.stage = "quantization", halftone.version = 1 : i64} {
func.func @main(%x: tensor<1x6x7x5xf32> {halftone.name = "x"}) -> (tensor<1x6x7x7xf32> {halftone.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<[[[[8, 11, 0, 14, 7, 1, 5], [3, 11, 15, 7, 12, 3, 7], [0, 6, 13, 8, 5, 12, 5], [2, 4, 14, 4, 4, 0, 0], [6, 6, 5, 5, 9, 10, 6]], [[6, 5, 6, 12, 9, 0, 11], [13, 5, 4, 8, 2, 10, 9], [0, 10, 2, 9, 11, 9, 15], [10, 5, 15, 15, 5, 1, 8], [0, 11, 12, 0, 13, 11, 12]], [[0, 14, 1, 5, 6, 3, 7], [14, 11, 11, 8, 14, 3, 11], [9, 1, 13, 2, 6, 10, 11], [4, 10, 8, 2, 9, 10, 9], [5, 2, 4, 9, 15, 5, 1]]], [[[2, 12, 1, 7, 11, 8, 14], [13, 4, 1, 1, 15, 10, 6], [4, 4, 13, 3, 5, 13, 11], [4, 1, 13, 9, 4, 14, 5], [14, 15, 10, 15, 8, 9, 15]], [[12, 4, 3, 12, 5, 15, 10], [5, 2, 15, 8, 11, 2, 11], [1, 9, 11, 8, 15, 8, 9], [10, 5, 0, 15, 8, 10, 8], [14, 9, 11, 11, 8, 11, 13]], [[11, 5, 14, 11, 10, 4, 5], [6, 11, 15, 9, 2, 13, 5], [13, 9, 8, 0, 6, 5, 14], [5, 7, 5, 1, 15, 7, 5], [1, 4, 3, 10, 5, 15, 6]]], [[[1, 13, 14, 11, 12, 2, 6], [7, 11, 0, 11, 12, 8, 13], [3, 11, 1, 9, 3, 9, 10], [9, 11, 4, 13, 13, 11, 14], [4, 5, 12, 15, 6, 4, 2]], [[11, 0, 12, 3, 10, 4, 10], [12, 13, 13, 7, 15, 9, 15], [12, 12, 5, 8, 9, 15, 8], [13, 0, 10, 9, 15, 9, 4], [15, 0, 3, 14, 7, 9, 1]], [[4, 12, 0, 15, 8, 7, 15], [1, 7, 15, 8, 4, 9, 9], [15, 15, 3, 0, 4, 9, 9], [10, 9, 0, 14, 11, 11, 4], [1, 0, 8, 14, 3, 6, 0]]]]> : tensor<3x3x5x7xi8>
  %levels = arith.constant dense<[-127, -90, -64, -45, -32, -22, -11, 0, 8, 17, 27, 39, 53, 71, 95, 127]> : tensor<16xi8>
  %scales = arith.constant dense<[0.001, 0.002, 0.0015, 0.0007, 0.0031, 0.0011, 0.0023]> : tensor<7xf32>
  %bias = arith.constant dense<[0.5, -0.25, 0.125, 1.0, -1.0, 0.0, 0.75]> : tensor<7xf32>
  %xq = halftone.quantize %x : tensor<1x6x7x5xf32> to tensor<1x6x7x5x!qx>
  %xd = halftone.dequantize %xq : tensor<1x6x7x5x!qx> to tensor<1x6x7x5xf32>
  %padded = tensor.pad %xd low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x6x7x5xf32> to tensor<1x8x9x5xf32>
  %wq = halftone.storage_cast %codes : tensor<3x3x5x7xi8> to tensor<3x3x5x7x!book>
  %w = halftone.dequantize %wq levels(%levels : tensor<16xi8>) scales(%scales : tensor<7xf32>)
      : tensor<3x3x5x7x!book> to tensor<3x3x5x7xf32>
  %e = tensor.empty() : tensor<1x6x7x7xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x6x7x7xf32>) -> tensor<1x6x7x7xf32>
  %acc = linalg.conv_2d_nhwc_hwcf ins(%padded, %w : tensor<1x8x9x5xf32>, tensor<3x3x5x7xf32>)
      outs(%f : tensor<1x6x7x7xf32>) -> tensor<1x6x7x7xf32>
  %b = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%acc, %bias : tensor<1x6x7x7xf32>, tensor<7xf32>) outs(%e : tensor<1x6x7x7xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %s = arith.addf %p, %q : f32
    linalg.yield %s : f32
  } -> tensor<1x6x7x7xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%b : tensor<1x6x7x7xf32>) outs(%e : tensor<1x6x7x7xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = arith.maximumf %p, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x6x7x7xf32>
  %yq = halftone.quantize %r : tensor<1x6x7x7xf32> to tensor<1x6x7x7x!qy>
  %y = halftone.dequantize %yq : tensor<1x6x7x7x!qy> to tensor<1x6x7x7xf32>
  return %y : tensor<1x6x7x7xf32>
}
}
