// Casts become QuantizeLinear and DequantizeLinear with the same scales, zero points and codes: weights of a channel each,
// of 4 bits as int4, those of a codebook as the levels that they are; biases are int32 with the product of the scales.

// REQUIRES: numpy
// RUN: halftone-translate --export-onnx %s -o %t.onnx
// RUN: %python %S/Inputs/show.py %t.onnx | FileCheck %s --implicit-check-not=Transpose
// RUN: halftone export --unsigned %s -o %t.unsigned.onnx
// RUN: %python %S/Inputs/show.py %t.unsigned.onnx | FileCheck %s --check-prefix=UNSIGNED

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
#mn = affine_map<(m, n) -> (m, n)>
!qx = !quant.uniform<i8:f32, 0.5:-3>
!qy = !quant.uniform<i8:f32, 0.25:-128>
!qw = !quant.uniform<i8<-127:127>:f32:3, {0.125, 0.5}>
!q4 = !quant.uniform<i8<-7:7>:f32:1, {0.5, 0.25, 2.0}>
!book = !halftone.codebook<1, axis = 1>
module attributes {halftone.stage = "quantization", halftone.version = 1 : i64} {
func.func @main(%x: tensor<1x2x3x3xf32> {halftone.name = "x"}) -> (tensor<1x3xf32> {halftone.name = "y"}) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x3x3x2xf32>
  %nhwc = linalg.transpose ins(%x : tensor<1x2x3x3xf32>) outs(%e : tensor<1x3x3x2xf32>) permutation = [0, 2, 3, 1]
  %xq = halftone.quantize %nhwc : tensor<1x3x3x2xf32> to tensor<1x3x3x2x!qx> loc("x")
  %xd = halftone.dequantize %xq : tensor<1x3x3x2x!qx> to tensor<1x3x3x2xf32> loc("x")
  %wc = arith.constant dense<[[[[1, -2], [3, 4]]]]> : tensor<1x1x2x2xi8>
  %wq = quant.scast %wc : tensor<1x1x2x2xi8> to tensor<1x1x2x2x!qw>
  %w = halftone.dequantize %wq : tensor<1x1x2x2x!qw> to tensor<1x1x2x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  %conv = linalg.conv_2d_nhwc_hwcf ins(%xd, %w : tensor<1x3x3x2xf32>, tensor<1x1x2x2xf32>) outs(%f : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32> loc("conv")
  %bias = arith.constant dense<[1.0, -0.5]> : tensor<2xf32>
  %sum = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%conv, %bias : tensor<1x3x3x2xf32>, tensor<2xf32>) outs(%e : tensor<1x3x3x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %r = arith.maximumf %s, %zero : f32
    linalg.yield %r : f32
  } -> tensor<1x3x3x2xf32> loc("relu")
  %yq = halftone.quantize %sum : tensor<1x3x3x2xf32> to tensor<1x3x3x2x!qy> loc("relu")
  %yd = halftone.dequantize %yq : tensor<1x3x3x2x!qy> to tensor<1x3x3x2xf32> loc("relu")
  %window = tensor.empty() : tensor<3x3xf32>
  %low = arith.constant 0xFF800000 : f32
  %pe = tensor.empty() : tensor<1x1x1x2xf32>
  %pf = linalg.fill ins(%low : f32) outs(%pe : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  %pool = linalg.pooling_nhwc_max ins(%yd, %window : tensor<1x3x3x2xf32>, tensor<3x3xf32>) outs(%pf : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> loc("pool")
  %pq = halftone.quantize %pool : tensor<1x1x1x2xf32> to tensor<1x1x1x2x!qy> loc("pool")
  %flat = tensor.collapse_shape %pq [[0], [1, 2, 3]] : tensor<1x1x1x2x!qy> into tensor<1x2x!qy> loc("flat")
  %fd = halftone.dequantize %flat : tensor<1x2x!qy> to tensor<1x2xf32> loc("flat")
  %vc = arith.constant dense<[[-7, 3, 1], [2, 7, -1]]> : tensor<2x3xi8>
  %vq = quant.scast %vc : tensor<2x3xi8> to tensor<2x3x!q4>
  %v = halftone.dequantize %vq : tensor<2x3x!q4> to tensor<2x3xf32>
  %me = tensor.empty() : tensor<1x3xf32>
  %mf = linalg.fill ins(%zero : f32) outs(%me : tensor<1x3xf32>) -> tensor<1x3xf32>
  %narrow = linalg.matmul ins(%fd, %v : tensor<1x2xf32>, tensor<2x3xf32>) outs(%mf : tensor<1x3xf32>) -> tensor<1x3xf32> loc("narrow")
  %bc = arith.constant dense<[[0, 1, 1], [1, 0, 1], [0, 0, 0]]> : tensor<3x3xi8>
  %bq = halftone.storage_cast %bc : tensor<3x3xi8> to tensor<3x3x!book>
  %levels = arith.constant dense<[-100, 20]> : tensor<2xi8>
  %scales = arith.constant dense<[0.01, 0.02, 0.03]> : tensor<3xf32>
  %b = halftone.dequantize %bq levels(%levels : tensor<2xi8>) scales(%scales : tensor<3xf32>) : tensor<3x3x!book> to tensor<3x3xf32>
  %y = linalg.matmul ins(%narrow, %b : tensor<1x3xf32>, tensor<3x3xf32>) outs(%mf : tensor<1x3xf32>) -> tensor<1x3xf32> loc("book")
  return %y : tensor<1x3xf32>
}
}

// CHECK: opset 21
// CHECK: [[XQ:.*]] = QuantizeLinear(x; f32 0.5; i8 -3) {}
// CHECK: [[X:.*]] = DequantizeLinear([[XQ]]; f32 0.5; i8 -3) {}
// CHECK: conv/weight = DequantizeLinear(i8 {{\[\[\[\[}}1]], {{\[\[}}3]]], {{\[\[\[}}-2]], {{\[\[}}4]]]]; f32 [0.125, 0.5]; i8 [0, 0]) {axis=0}
// 1.0 / (0.5 * 0.125), -0.5 / (0.5 * 0.5)
// CHECK: conv/bias = DequantizeLinear(i32 [16, -2]; f32 [0.0625, 0.25]; i32 [0, 0]) {axis=0}
// CHECK: conv = Conv([[X]]; conv/weight; conv/bias)
// CHECK: relu = Relu(conv)
// CHECK: [[RQ:.*]] = QuantizeLinear(relu; f32 0.25; i8 -128)
// CHECK: [[R:.*]] = DequantizeLinear([[RQ]]; f32 0.25; i8 -128)
// CHECK: pool = MaxPool([[R]])
// CHECK: [[PQ:.*]] = QuantizeLinear(pool; f32 0.25; i8 -128)
// CHECK: [[FLAT:.*]] = Reshape([[PQ]]; i64 [1, 2])
// CHECK: [[F:.*]] = DequantizeLinear([[FLAT]]; f32 0.25; i8 -128)
// CHECK: narrow/weight = DequantizeLinear(i4 {{\[\[}}-7, 3, 1], [2, 7, -1]]; f32 [0.5, 0.25, 2.0]; i4 [0, 0, 0]) {axis=1}
// CHECK: narrow = MatMul([[F]]; narrow/weight)
// CHECK: book/weight = DequantizeLinear(i8 {{\[\[}}-100, 20, 20], [20, -100, 20], [-100, -100, -100]]; f32 [0.01, 0.02, 0.03]; i8 [0, 0, 0]) {axis=1}
// CHECK: y = MatMul(narrow; book/weight)

// UNSIGNED: QuantizeLinear(x; f32 0.5; u8 125)
// UNSIGNED: conv/weight = DequantizeLinear(i8
// UNSIGNED: QuantizeLinear(relu; f32 0.25; u8 0)
