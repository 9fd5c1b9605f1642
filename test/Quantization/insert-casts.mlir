// RUN: halftone-opt %s --halftone-insert-casts --halftone-verify-quantization --split-input-file | FileCheck %s

// The picture of docs/Pipeline.md: convolution, bias, residual addition and clamp are one sandwich. The convolution's
// weights have the scales 1.27/127 and, for the channel of zeros, 1. 2.55/255 with low = 0: zero point -128.

// CHECK-LABEL: @main
// CHECK-SAME: %[[X:.*]]: tensor<?x4x4x2xf32>
// CHECK: %[[XQ:.*]] = halftone.quantize %[[X]] : tensor<?x4x4x2xf32> to tensor<?x4x4x2x!quant.uniform<i8:f32, 0.0099999997764825821:-128>>
// CHECK: %[[XD:.*]] = halftone.dequantize %[[XQ]]
// CHECK: tensor.pad %[[XD]]
// CHECK: %[[CODES:.*]] = arith.constant dense<{{\[\[\[}}[127, 0], [-64, 0]]]]> : tensor<1x1x2x2xi8>
// CHECK: %[[WQ:.*]] = quant.scast %[[CODES]] : tensor<1x1x2x2xi8> to tensor<1x1x2x2x!quant.uniform<i8<-127:127>:f32:3, {0.0099999997764825821,1.000000e+00}>>
// CHECK: %[[W:.*]] = halftone.dequantize %[[WQ]]
// CHECK: linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"{{.*}}} ins(%{{.*}}, %[[W]]
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[XD]]
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK: %[[RQ:.*]] = halftone.quantize {{.*}} to tensor<?x4x4x2x!quant.uniform<i8:f32, {{.*}}:-78>>
// CHECK: %[[RD:.*]] = halftone.dequantize %[[RQ]]
// The last layer's result is not rounded.
// CHECK: %[[LAST:.*]] = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%[[RD]]
// CHECK-NOT: halftone.quantize
// CHECK: return %[[LAST]], %[[RD]]

#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
#parallel = ["parallel", "parallel", "parallel", "parallel"]
func.func @main(%x: tensor<?x4x4x2xf32> {halftone.range = array<f32: 0.5, 2.55>}) -> (tensor<?x4x4x2xf32>, tensor<?x4x4x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %weights = arith.constant dense<[[[[1.27, 0.0], [-0.64, 0.0]]]]> : tensor<1x1x2x2xf32>
  %bias = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4x4x2xf32>
  %padded = tensor.pad %x low[0, 0, 0, 0] high[0, 0, 0, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<?x4x4x2xf32> to tensor<?x4x4x2xf32>
  %empty = tensor.empty(%n) : tensor<?x4x4x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x4x4x2xf32>) -> tensor<?x4x4x2xf32>
  %conv = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%padded, %weights : tensor<?x4x4x2xf32>, tensor<1x1x2x2xf32>)
      outs(%init : tensor<?x4x4x2xf32>) -> tensor<?x4x4x2xf32>
  %biased = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc], iterator_types = #parallel}
      ins(%conv, %bias : tensor<?x4x4x2xf32>, tensor<2xf32>) outs(%empty : tensor<?x4x4x2xf32>) attrs = {halftone.precision = "int8"} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x4x2xf32>
  %sum = linalg.generic {indexing_maps = [#nhwc, #nhwc, #nhwc], iterator_types = #parallel}
      ins(%biased, %x : tensor<?x4x4x2xf32>, tensor<?x4x4x2xf32>) outs(%empty : tensor<?x4x4x2xf32>) attrs = {halftone.precision = "int8"} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x4x2xf32>
  %relu = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = #parallel}
      ins(%sum : tensor<?x4x4x2xf32>) outs(%empty : tensor<?x4x4x2xf32>) attrs = {halftone.precision = "int8", halftone.range = array<f32: -1.0, 4.1>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x4x4x2xf32>
  %last = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%relu, %weights : tensor<?x4x4x2xf32>, tensor<1x1x2x2xf32>)
      outs(%init : tensor<?x4x4x2xf32>) -> tensor<?x4x4x2xf32>
  return %last, %relu : tensor<?x4x4x2xf32>, tensor<?x4x4x2xf32>
}

// -----

// A grouped convolution: the weights have one scale for each of 2 x 3 channels and are expanded behind the dequantize;
// the collapse of its result is inside of the sandwich.
// CHECK-LABEL: @main
// CHECK: %[[W:.*]] = halftone.dequantize %{{.*}} : tensor<6x1x1x1x!quant.uniform<i8<-127:127>:f32:0, {{.*}}>> to tensor<6x1x1x1xf32>
// CHECK: tensor.expand_shape %[[W]] {{\[\[}}0, 1], [2], [3], [4]] output_shape [2, 3, 1, 1, 1]
// CHECK: linalg.conv_2d_nhwgc_gfhwc
// CHECK-NEXT: %[[R:.*]] = tensor.collapse_shape
// CHECK-NEXT: halftone.quantize %[[R]]
// CHECK-NEXT: %[[RD:.*]] = halftone.dequantize
// CHECK: %[[P:.*]] = halftone.composite "avg_pool"(%[[RD]])
// CHECK: halftone.quantize %[[P]]
// CHECK: %[[T:.*]] = halftone.composite "tanh"(%[[RD]])
// CHECK: halftone.composite "exp"(%[[T]])
// CHECK: halftone.quantize {{.*}} to tensor<1x4x4x6x!quant.uniform<i8:f32, 0.011764706112444401:-128>>
// CHECK: arith.addf
// CHECK: halftone.quantize {{.*}} to tensor<1x4x4x6x!quant.uniform<i8:f32, 0.015686275437474251:-128>>
// The max pool keeps the type.
// CHECK: linalg.pooling_nhwc_max
// CHECK: halftone.quantize {{.*}} to tensor<1x3x3x6x!quant.uniform<i8:f32, 0.015686275437474251:-128>>
// CHECK: %[[D:.*]] = halftone.dequantize
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %[[D]]
// CHECK: linalg.matmul {{.*}} ins(%[[FLAT]]
// CHECK-NEXT: return
#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
func.func @main(%x: tensor<1x4x4x2xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %minus = arith.constant 0xFF800000 : f32
  %fc = arith.constant dense<0.25> : tensor<54x2xf32>
  %e4 = tensor.empty() : tensor<1x4x4x6xf32>
  %window = tensor.empty() : tensor<2x2xf32>
  %e1 = tensor.empty() : tensor<1x3x3x6xf32>
  %low = linalg.fill ins(%minus : f32) outs(%e1 : tensor<1x3x3x6xf32>) -> tensor<1x3x3x6xf32>
  %e2 = tensor.empty() : tensor<1x2xf32>
  %start = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x2xf32>) -> tensor<1x2xf32>
  %weights = arith.constant dense<0.5> : tensor<2x3x1x1x1xf32>
  %empty = tensor.empty() : tensor<1x4x4x2x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x4x2x3xf32>) -> tensor<1x4x4x2x3xf32>
  %groups = tensor.expand_shape %x [[0], [1], [2], [3, 4]] output_shape [1, 4, 4, 2, 1] : tensor<1x4x4x2xf32> into tensor<1x4x4x2x1xf32>
  %conv = linalg.conv_2d_nhwgc_gfhwc {halftone.precision = "int8"} ins(%groups, %weights : tensor<1x4x4x2x1xf32>, tensor<2x3x1x1x1xf32>)
      outs(%init : tensor<1x4x4x2x3xf32>) -> tensor<1x4x4x2x3xf32>
  %r = tensor.collapse_shape %conv [[0], [1], [2], [3, 4]] {halftone.precision = "int8", halftone.range = array<f32: -1.0, 1.0>} : tensor<1x4x4x2x3xf32> into tensor<1x4x4x6xf32>
  // Two unary operations are one sandwich; its operand is read as codes by the average pool too.
  %p = halftone.composite "avg_pool"(%r) {} attributes {halftone.precision = "int8", halftone.range = array<f32: -1.0, 1.0>} : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32> {
  ^bb0(%a: tensor<1x4x4x6xf32>):
    halftone.yield %a : tensor<1x4x4x6xf32>
  }
  %t = halftone.composite "tanh"(%r) {} attributes {halftone.precision = "int8"} : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32> {
  ^bb0(%a: tensor<1x4x4x6xf32>):
    halftone.yield %a : tensor<1x4x4x6xf32>
  }
  %e = halftone.composite "exp"(%t) {} attributes {halftone.precision = "int8", halftone.range = array<f32: 0.0, 3.0>} : (tensor<1x4x4x6xf32>) -> tensor<1x4x4x6xf32> {
  ^bb0(%a: tensor<1x4x4x6xf32>):
    halftone.yield %a : tensor<1x4x4x6xf32>
  }
  %sum = linalg.generic {indexing_maps = [#nhwc, #nhwc, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p, %e : tensor<1x4x4x6xf32>, tensor<1x4x4x6xf32>) outs(%e4 : tensor<1x4x4x6xf32>)
      attrs = {halftone.precision = "int8", halftone.range = array<f32: 0.0, 4.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %v = arith.addf %a, %b : f32
    linalg.yield %v : f32
  } -> tensor<1x4x4x6xf32>
  %max = linalg.pooling_nhwc_max {halftone.precision = "int8"} ins(%sum, %window : tensor<1x4x4x6xf32>, tensor<2x2xf32>) outs(%low : tensor<1x3x3x6xf32>) -> tensor<1x3x3x6xf32>
  %flat = tensor.collapse_shape %max [[0], [1, 2, 3]] : tensor<1x3x3x6xf32> into tensor<1x54xf32>
  %out = linalg.matmul {halftone.precision = "int8"} ins(%flat, %fc : tensor<1x54xf32>, tensor<54x2xf32>) outs(%start : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %out : tensor<1x2xf32>
}

// -----

// The right factor of a product of two activations has symmetric codes, the left one any zero point. What is also read otherwise is
// not symmetric.
// CHECK-LABEL: @main
// CHECK-DAG: halftone.quantize %{{.*}} to tensor<2x3x3x!quant.uniform<i8:f32, {{.*}}:-128>>
// CHECK-DAG: halftone.quantize %{{.*}} to tensor<2x3x3x!quant.uniform<i8<-127:127>:f32, 0.015748031437397003>>
// CHECK-DAG: halftone.quantize %{{.*}} to tensor<2x3x3x!quant.uniform<i8:f32, {{.*}}:-43>>
// CHECK: linalg.batch_matmul
// CHECK: linalg.batch_matmul
func.func @main(%x: tensor<2x3x3xf32> {halftone.range = array<f32: 0.0, 1.0>}, %y: tensor<2x3x3xf32> {halftone.range = array<f32: -1.0, 2.0>},
                %z: tensor<2x3x3xf32> {halftone.range = array<f32: -1.0, 2.0>}) -> (tensor<2x3x3xf32>, tensor<2x3x3xf32>) {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x3x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %t = linalg.transpose ins(%y : tensor<2x3x3xf32>) outs(%e : tensor<2x3x3xf32>) permutation = [0, 2, 1]
  %p = linalg.batch_matmul {halftone.precision = "int8"} ins(%x, %t : tensor<2x3x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  %q = linalg.batch_matmul {halftone.precision = "int8"} ins(%z, %z : tensor<2x3x3xf32>, tensor<2x3x3xf32>) outs(%f : tensor<2x3x3xf32>) -> tensor<2x3x3xf32>
  return %p, %q : tensor<2x3x3xf32>, tensor<2x3x3xf32>
}
