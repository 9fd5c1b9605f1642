// RUN: halftone-opt %s --halftone-convert-data-movement --halftone-convert-contraction --halftone-convert-boundaries --canonicalize --cse | FileCheck %s

#id4 = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c4 = affine_map<(n, h, w, c) -> (c)>
#id2 = affine_map<(m, n) -> (m, n)>
#n2 = affine_map<(m, n) -> (n)>
!qx = !quant.uniform<i8:f32, 0.5:-3>
!qr = !quant.uniform<i8:f32, 0.25:7>
!qy = !quant.uniform<i8:f32, 1.0:-128>
!qw = !quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25}>
!qg = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>
!qm = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// Padding, a bias, a residual, a Relu: bias = 4 / 0.25 = 16, 4 / 0.125 = 32, sums of weights 9 and 18, z = -3:
// 16 + 27 and 32 + 54; multipliers 0.25 and 0.125; residual 0.25; bounds [0, 255].
// CHECK-LABEL: @convolution
// CHECK-SAME: %[[X:.*]]: tensor<1x5x5x1xi8>, %[[R:.*]]: tensor<1x5x5x2xi8>
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[43, 86]> : tensor<2xi32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>
// CHECK-DAG: %[[ZX:.*]] = arith.constant -3 : i8
// CHECK-DAG: %[[MR:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-DAG: %[[LOW:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 2.550000e+02 : f32
// CHECK: %[[P:.*]] = tensor.pad %[[X]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: tensor.yield %[[ZX]] : i8
// CHECK: %[[ACC:.*]] = linalg.conv_2d_nhwc_hwcf {{.*}}ins(%[[P]], %{{.*}} : tensor<1x7x7x1xi8>, tensor<3x3x1x2xi8>) outs(%{{.*}} : tensor<1x5x5x2xi32>)
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %[[BIAS]], %[[M]], %[[R]] : tensor<1x5x5x2xi32>, tensor<2xi32>, tensor<2xf32>, tensor<1x5x5x2xi8>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: i32, %[[B:.*]]: i32, %[[S:.*]]: f32, %[[Q:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: %[[V0:.*]] = arith.addi %[[A]], %[[B]] : i32
// CHECK-NEXT: %[[V1:.*]] = arith.sitofp %[[V0]] : i32 to f32
// CHECK-NEXT: %[[V2:.*]] = arith.mulf %[[V1]], %[[S]] : f32
// CHECK-NEXT: %[[V3:.*]] = arith.extsi %[[Q]] : i8 to i32
// CHECK-NEXT: %[[V4:.*]] = arith.subi %[[V3]], %{{.*}} : i32
// CHECK-NEXT: %[[V5:.*]] = arith.sitofp %[[V4]] : i32 to f32
// CHECK-NEXT: %[[V6:.*]] = arith.mulf %[[V5]], %[[MR]] : f32
// CHECK-NEXT: %[[V7:.*]] = arith.addf %[[V2]], %[[V6]] : f32
// CHECK-NEXT: %[[V8:.*]] = arith.cmpf ogt, %[[V7]], %[[LOW]] : f32
// CHECK-NEXT: %[[V9:.*]] = arith.select %[[V8]], %[[V7]], %[[LOW]] : f32
// CHECK-NEXT: %[[V10:.*]] = arith.cmpf olt, %[[V9]], %[[HIGH]] : f32
// CHECK-NEXT: %[[V11:.*]] = arith.select %[[V10]], %[[V9]], %[[HIGH]] : f32
// CHECK-NEXT: %[[V12:.*]] = math.roundeven %[[V11]] : f32
// CHECK-NEXT: %[[V13:.*]] = arith.fptosi %[[V12]] : f32 to i32
// CHECK-NEXT: %[[V14:.*]] = arith.addi %[[V13]], %{{.*}} : i32
// CHECK-NEXT: %[[V15:.*]] = arith.trunci %[[V14]] : i32 to i8
// CHECK-NEXT: linalg.yield %[[V15]] : i8
// CHECK-NOT: halftone.
func.func @convolution(%xi: tensor<1x5x5x1xi8>, %ri: tensor<1x5x5x2xi8>) -> tensor<1x5x5x2xi8> {
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<4.0> : tensor<2xf32>
  %codes = arith.constant dense<[[[[1, 2]], [[1, 2]], [[1, 2]]], [[[1, 2]], [[1, 2]], [[1, 2]]], [[[1, 2]], [[1, 2]], [[1, 2]]]]> : tensor<3x3x1x2xi8>
  %xq = quant.scast %xi : tensor<1x5x5x1xi8> to tensor<1x5x5x1x!qx>
  %rq = quant.scast %ri : tensor<1x5x5x2xi8> to tensor<1x5x5x2x!qr>
  %wq = quant.scast %codes : tensor<3x3x1x2xi8> to tensor<3x3x1x2x!qw>
  %x = halftone.dequantize %xq : tensor<1x5x5x1x!qx> to tensor<1x5x5x1xf32>
  %r = halftone.dequantize %rq : tensor<1x5x5x2x!qr> to tensor<1x5x5x2xf32>
  %w = halftone.dequantize %wq : tensor<3x3x1x2x!qw> to tensor<3x3x1x2xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x5x5x1xf32> to tensor<1x7x7x1xf32>
  %e = tensor.empty() : tensor<1x5x5x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x5x5x2xf32>) -> tensor<1x5x5x2xf32>
  %acc = linalg.conv_2d_nhwc_hwcf {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%p, %w : tensor<1x7x7x1xf32>, tensor<3x3x1x2xf32>) outs(%f : tensor<1x5x5x2xf32>) -> tensor<1x5x5x2xf32>
  %b = linalg.generic {indexing_maps = [#id4, #c4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%acc, %bias : tensor<1x5x5x2xf32>, tensor<2xf32>) outs(%e : tensor<1x5x5x2xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<1x5x5x2xf32>
  %a = linalg.generic {indexing_maps = [#id4, #id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%r, %b : tensor<1x5x5x2xf32>, tensor<1x5x5x2xf32>) outs(%e : tensor<1x5x5x2xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<1x5x5x2xf32>
  %y = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x5x5x2xf32>) outs(%e : tensor<1x5x5x2xf32>) {
  ^bb0(%s: f32, %o: f32):
    %0 = arith.maximumf %s, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<1x5x5x2xf32>
  %yq = halftone.quantize %y : tensor<1x5x5x2xf32> to tensor<1x5x5x2x!qy>
  %yi = quant.scast %yq : tensor<1x5x5x2x!qy> to tensor<1x5x5x2xi8>
  return %yi : tensor<1x5x5x2xi8>
}

// A matrix product with a dynamic batch and no quantization behind it: f32 from the accumulator (rule A10).
// CHECK-LABEL: @product
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<[13, 9]> : tensor<2xi32>
// CHECK-DAG: %[[M:.*]] = arith.constant dense<[2.500000e-01, 1.250000e-01]> : tensor<2xf32>
// CHECK: %[[N:.*]] = tensor.dim %{{.*}}, %c0 : tensor<?x3xf32>
// CHECK: %[[X:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<?x3xf32>) outs(%{{.*}} : tensor<?x3xi8>)
// CHECK: arith.divf
// CHECK: tensor.empty(%[[N]]) : tensor<?x2xi32>
// CHECK: %[[ACC:.*]] = linalg.matmul ins(%[[X]], %{{.*}} : tensor<?x3xi8>, tensor<3x2xi8>)
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %[[BIAS]], %[[M]] : tensor<?x2xi32>, tensor<2xi32>, tensor<2xf32>) outs(%{{.*}} : tensor<?x2xf32>)
// CHECK: arith.addi
// CHECK-NEXT: arith.sitofp
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: linalg.yield
// CHECK-NOT: halftone.
func.func @product(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<[1.0, -1.1]> : tensor<2xf32>
  %codes = arith.constant dense<[[1, 2], [1, 2], [1, 2]]> : tensor<3x2xi8>
  %xq = halftone.quantize %x : tensor<?x3xf32> to tensor<?x3x!qx>
  %xd = halftone.dequantize %xq : tensor<?x3x!qx> to tensor<?x3xf32>
  %wq = quant.scast %codes : tensor<3x2xi8> to tensor<3x2x!qm>
  %w = halftone.dequantize %wq : tensor<3x2x!qm> to tensor<3x2xf32>
  %n = tensor.dim %xd, %c0 : tensor<?x3xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %acc = linalg.matmul ins(%xd, %w : tensor<?x3xf32>, tensor<3x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  %b = linalg.generic {indexing_maps = [#id2, #n2, #id2], iterator_types = ["parallel", "parallel"]}
      ins(%acc, %bias : tensor<?x2xf32>, tensor<2xf32>) outs(%e : tensor<?x2xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<?x2xf32>
  return %b : tensor<?x2xf32>
}

// Groups: weights with one axis of all output channels, expanded behind the dequantize; the collapse is in the tail.
// CHECK-LABEL: @grouped
// CHECK: %[[ACC:.*]] = linalg.conv_2d_nhwgc_gfhwc {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x3x3x2x1xi8>, tensor<2x1x3x3x1xi8>)
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[ACC]] {{.*}} : tensor<1x1x1x2x1xi32> into tensor<1x1x1x2xi32>
// CHECK: linalg.generic {{.*}} ins(%[[C]], %{{.*}}, %{{.*}} : tensor<1x1x1x2xi32>, tensor<2xi32>, tensor<2xf32>) outs(%{{.*}} : tensor<1x1x1x2xi8>)
func.func @grouped(%xi: tensor<1x3x3x2xi8>) -> tensor<1x1x1x2xi8> {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<5> : tensor<2x3x3x1xi8>
  %xq = quant.scast %xi : tensor<1x3x3x2xi8> to tensor<1x3x3x2x!qx>
  %wq = quant.scast %codes : tensor<2x3x3x1xi8> to tensor<2x3x3x1x!qg>
  %x = halftone.dequantize %xq : tensor<1x3x3x2x!qx> to tensor<1x3x3x2xf32>
  %w = halftone.dequantize %wq : tensor<2x3x3x1x!qg> to tensor<2x3x3x1xf32>
  %xe = tensor.expand_shape %x [[0], [1], [2], [3, 4]] output_shape [1, 3, 3, 2, 1] : tensor<1x3x3x2xf32> into tensor<1x3x3x2x1xf32>
  %we = tensor.expand_shape %w [[0, 1], [2], [3], [4]] output_shape [2, 1, 3, 3, 1] : tensor<2x3x3x1xf32> into tensor<2x1x3x3x1xf32>
  %e = tensor.empty() : tensor<1x1x1x2x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x1x2x1xf32>) -> tensor<1x1x1x2x1xf32>
  %acc = linalg.conv_2d_nhwgc_gfhwc {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%xe, %we : tensor<1x3x3x2x1xf32>, tensor<2x1x3x3x1xf32>) outs(%f : tensor<1x1x1x2x1xf32>) -> tensor<1x1x1x2x1xf32>
  %c = tensor.collapse_shape %acc [[0], [1], [2], [3, 4]] : tensor<1x1x1x2x1xf32> into tensor<1x1x1x2xf32>
  %yq = halftone.quantize %c : tensor<1x1x1x2xf32> to tensor<1x1x1x2x!qy>
  %yi = quant.scast %yq : tensor<1x1x1x2x!qy> to tensor<1x1x1x2xi8>
  return %yi : tensor<1x1x1x2xi8>
}

// Zero points of weights: the sum of what a result reads, by ones, times the zero point, in the generic. The bias has the input's share of the weights
// as they are without: for the first channel 3 * (5 - 1 + 5 - 1).
// CHECK-LABEL: @weight_zeros
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1> : tensor<2x1xi8>
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant dense<[1, -2, 0]> : tensor<3xi32>
// CHECK-DAG: arith.constant dense<[24, 42, 30]> : tensor<3xi32>
// CHECK: %[[ACC:.*]] = linalg.matmul ins(%{{.*}}, %{{.*}} : tensor<4x2xi8>, tensor<2x3xi8>)
// CHECK: %[[SUMS:.*]] = linalg.matmul ins(%{{.*}}, %[[ONES]] : tensor<4x2xi8>, tensor<2x1xi8>)
// CHECK: linalg.generic {{.*}} ins(%[[ACC]], %{{.*}}, %{{.*}}, %[[ZEROS]], %[[SUMS]] : tensor<4x3xi32>, tensor<3xi32>, tensor<3xf32>, tensor<3xi32>, tensor<4x1xi32>)
// CHECK: %[[SHARE:.*]] = arith.muli
// CHECK-NEXT: arith.subi %{{.*}}, %[[SHARE]] : i32
func.func @weight_zeros(%xi: tensor<4x2xi8>) -> tensor<4x3xi8> {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<5> : tensor<2x3xi8>
  %xq = quant.scast %xi : tensor<4x2xi8> to tensor<4x2x!qx>
  %wq = quant.scast %codes : tensor<2x3xi8> to tensor<2x3x!quant.uniform<i8:f32:1, {0.5:1,0.25:-2,0.5}>>
  %x = halftone.dequantize %xq : tensor<4x2x!qx> to tensor<4x2xf32>
  %w = halftone.dequantize %wq : tensor<2x3x!quant.uniform<i8:f32:1, {0.5:1,0.25:-2,0.5}>> to tensor<2x3xf32>
  %e = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %yq = halftone.quantize %y : tensor<4x3xf32> to tensor<4x3x!qy>
  %yi = quant.scast %yq : tensor<4x3x!qy> to tensor<4x3xi8>
  return %yi : tensor<4x3xi8>
}

// Codebook weights become their levels: the codes 1, 0 are the levels -7, 3.
// CHECK-LABEL: @codebook
// CHECK-DAG: arith.constant dense<{{\[\[}}-7], [3]]> : tensor<2x1xi8>
// CHECK-DAG: arith.constant dense<-12> : tensor<1xi32>
func.func @codebook(%xi: tensor<1x2xi8>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<[[1], [0]]> : tensor<2x1xi8>
  %levels = arith.constant dense<[3, -7]> : tensor<2xi8>
  %scales = arith.constant dense<0.5> : tensor<1xf32>
  %xq = quant.scast %xi : tensor<1x2xi8> to tensor<1x2x!qx>
  %x = halftone.dequantize %xq : tensor<1x2x!qx> to tensor<1x2xf32>
  %wq = halftone.storage_cast %codes : tensor<2x1xi8> to tensor<2x1x!halftone.codebook<1, axis = 1>>
  %w = halftone.dequantize %wq levels(%levels : tensor<2xi8>) scales(%scales : tensor<1xf32>)
      : tensor<2x1x!halftone.codebook<1, axis = 1>> to tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %acc = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %acc : tensor<1x1xf32>
}

// Two readers of the sum: it stays f32, and each reader is on its own.
// CHECK-LABEL: @two_readers
// CHECK: linalg.generic {{.*}}tensor<1x1xi32>, tensor<1xi32>, tensor<1xf32>) outs(%{{.*}} : tensor<1x1xf32>)
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<1x1xf32>) outs(%{{.*}} : tensor<1x1xi8>)
func.func @two_readers(%xi: tensor<1x2xi8>) -> (tensor<1x1xf32>, tensor<1x1xi8>) {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<1> : tensor<2x1xi8>
  %xq = quant.scast %xi : tensor<1x2xi8> to tensor<1x2x!qx>
  %x = halftone.dequantize %xq : tensor<1x2x!qx> to tensor<1x2xf32>
  %wq = quant.scast %codes : tensor<2x1xi8> to tensor<2x1x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %w = halftone.dequantize %wq : tensor<2x1x!quant.uniform<i8<-127:127>:f32, 0.5>> to tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %acc = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  %yq = halftone.quantize %acc : tensor<1x1xf32> to tensor<1x1x!qy>
  %yi = quant.scast %yq : tensor<1x1x!qy> to tensor<1x1xi8>
  return %acc, %yi : tensor<1x1xf32>, tensor<1x1xi8>
}

// Left alone, with the reason.
// CHECK-LABEL: @two_activations
// CHECK: linalg.matmul {halftone.reason = "its weights are no quantized constant"} ins(%{{.*}}, %{{.*}} : tensor<1x2xf32>, tensor<2x1xf32>)
func.func @two_activations(%xi: tensor<1x2xi8>, %yi: tensor<2x1xi8>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %xq = quant.scast %xi : tensor<1x2xi8> to tensor<1x2x!qx>
  %yq = quant.scast %yi : tensor<2x1xi8> to tensor<2x1x!qx>
  %x = halftone.dequantize %xq : tensor<1x2x!qx> to tensor<1x2xf32>
  %y = halftone.dequantize %yq : tensor<2x1x!qx> to tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %acc = linalg.matmul ins(%x, %y : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %acc : tensor<1x1xf32>
}

// CHECK-LABEL: @overflow
// CHECK: linalg.matmul {halftone.reason = "its accumulator could overflow (rule A18)"}
func.func @overflow(%xi: tensor<1x80000xi8>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<127> : tensor<80000x1xi8>
  %xq = quant.scast %xi : tensor<1x80000xi8> to tensor<1x80000x!qx>
  %x = halftone.dequantize %xq : tensor<1x80000x!qx> to tensor<1x80000xf32>
  %wq = quant.scast %codes : tensor<80000x1xi8> to tensor<80000x1x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %w = halftone.dequantize %wq : tensor<80000x1x!quant.uniform<i8<-127:127>:f32, 0.5>> to tensor<80000x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %acc = linalg.matmul ins(%x, %w : tensor<1x80000xf32>, tensor<80000x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %acc : tensor<1x1xf32>
}
