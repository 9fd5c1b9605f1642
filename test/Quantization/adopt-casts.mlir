// RUN: halftone-opt %s --halftone-adopt-casts --halftone-verify-quantization --split-input-file | FileCheck %s

// Weights become the codes that they are multiples of: -128 only where the source has it. A result that is quantized and a
// result in floats, one scale and one for each channel.

// CHECK-LABEL: @main
// CHECK: %[[CODES:.*]] = arith.constant dense<{{\[\[}}-3, 1], [4, -127]]> : tensor<2x2xi8>
// CHECK: %[[WQ:.*]] = quant.scast %[[CODES]] : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.500000e-01}>>
// CHECK: %[[W:.*]] = halftone.dequantize %[[WQ]]
// CHECK: linalg.matmul {halftone.precision = "int8"} ins(%{{.*}}, %[[W]]
// CHECK: linalg.generic {{.*}} attrs = {halftone.precision = "int8"}
// CHECK: arith.maximumf
// CHECK: halftone.quantize
// CHECK: arith.constant dense<{{\[\[}}-128, 2], [0, 1]]> : tensor<2x2xi8>
// CHECK: quant.scast {{.*}} to tensor<2x2x!quant.uniform<i8:f32:1, {5.000000e-01,5.000000e-01}>>
// CHECK: linalg.matmul {halftone.precision = "int8"}
// CHECK: halftone.precision = "float", halftone.reason = "the model does not quantize its result"

#id = affine_map<(n, c) -> (n, c)>
!q = !quant.uniform<i8:f32, 0.5:3>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %w1 = arith.constant dense<[[-1.5, 0.25], [2.0, -31.75]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[-64.0, 1.0], [0.0, 0.5]]> : tensor<2x2xf32>
  %xq = halftone.quantize %x : tensor<1x2xf32> to tensor<1x2x!q>
  %xd = halftone.dequantize %xq : tensor<1x2x!q> to tensor<1x2xf32>
  %m = linalg.matmul {halftone.source_scales = array<f32: 0.5, 0.25>} ins(%xd, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<1x2xf32>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %y = arith.maximumf %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<1x2xf32>
  %rq = halftone.quantize %r : tensor<1x2xf32> to tensor<1x2x!q>
  %rd = halftone.dequantize %rq : tensor<1x2x!q> to tensor<1x2xf32>
  %n = linalg.matmul {halftone.source_scales = array<f32: 0.5>} ins(%rd, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%n : tensor<1x2xf32>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %y = arith.maximumf %a, %zero : f32
    linalg.yield %y : f32
  } -> tensor<1x2xf32>
  return %s : tensor<1x2xf32>
}

// -----

// Each reason: weights that something was folded into, that the source gives no scales, or a reason of their own; weights alone;
// neither.

// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "its weights are no multiples of the scales that the model gives them"}
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "the model does not quantize its weights"}
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "its weights have zero points"}
// CHECK: linalg.matmul {halftone.precision = "weights", halftone.reason = "its weights are codes, its activations floats"}
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "the model does not quantize what it reads"}

!q = !quant.uniform<i8:f32, 0.5:3>
func.func @main(%x: tensor<1x2xf32>) -> (tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %w1 = arith.constant dense<[[-1.5, 0.25], [2.0, 0.3]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[-1.5, 0.25], [2.0, 0.5]]> : tensor<2x2xf32>
  %xq = halftone.quantize %x : tensor<1x2xf32> to tensor<1x2x!q>
  %xd = halftone.dequantize %xq : tensor<1x2x!q> to tensor<1x2xf32>
  %a = linalg.matmul {halftone.source_scales = array<f32: 0.25>} ins(%xd, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.matmul ins(%xd, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %c = linalg.matmul {halftone.reason = "its weights have zero points"} ins(%xd, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %d = linalg.matmul {halftone.source_scales = array<f32: 0.25>} ins(%x, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %e = linalg.matmul ins(%x, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %a, %b, %c, %d, %e : tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}

// -----

// A max pool keeps its operand's type, and what the source rounds it to follows. A quantize moves before a reshape.

// CHECK-LABEL: @main
// CHECK: %[[Q:.*]] = halftone.quantize %{{.*}} to tensor<1x4x4x2x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK: %[[D:.*]] = halftone.dequantize %[[Q]]
// CHECK: %[[P:.*]] = linalg.pooling_nhwc_max {{.*}}halftone.precision = "int8"{{.*}} ins(%[[D]]
// CHECK: %[[PQ:.*]] = halftone.quantize %[[P]] : tensor<1x2x2x2xf32> to tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK: %[[PD:.*]] = halftone.dequantize %[[PQ]]
// CHECK: halftone.quantize %[[PD]] : tensor<1x2x2x2xf32> to tensor<1x2x2x2x!quant.uniform<i8:f32, 2.500000e-01:9>>
// CHECK: %[[T:.*]] = halftone.composite "tanh"
// CHECK: %[[TQ:.*]] = halftone.quantize %[[T]] : tensor<1x2x2x2xf32>
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[TQ]] {{.*}} : tensor<1x2x2x2x!quant.uniform<i8:f32, 5.000000e-01>> into tensor<1x8x!quant
// CHECK: halftone.dequantize %[[C]]

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25:9>
func.func @main(%x: tensor<1x4x4x2xf32>) -> tensor<1x8xf32> {
  %low = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<2x2xf32>
  %empty = tensor.empty() : tensor<1x2x2x2xf32>
  %fill = linalg.fill ins(%low : f32) outs(%empty : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %xq = halftone.quantize %x : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!q>
  %xd = halftone.dequantize %xq : tensor<1x4x4x2x!q> to tensor<1x4x4x2xf32>
  %p = linalg.pooling_nhwc_max {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>} ins(%xd, %window : tensor<1x4x4x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %pq = halftone.quantize %p : tensor<1x2x2x2xf32> to tensor<1x2x2x2x!r>
  %pd = halftone.dequantize %pq : tensor<1x2x2x2x!r> to tensor<1x2x2x2xf32>
  %t = halftone.composite "tanh"(%pd) {} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32> {
  ^bb0(%a: tensor<1x2x2x2xf32>):
    halftone.yield %a : tensor<1x2x2x2xf32>
  }
  %flat = tensor.collapse_shape %t [[0], [1, 2, 3]] : tensor<1x2x2x2xf32> into tensor<1x8xf32>
  %fq = halftone.quantize %flat : tensor<1x8xf32> to tensor<1x8x!q>
  %fd = halftone.dequantize %fq : tensor<1x8x!q> to tensor<1x8xf32>
  return %fd : tensor<1x8xf32>
}

// -----

// A source that rounds what the products read, too, by ranges that it finds when it runs: so do these. Two steps of a recurrent network read the same
// weights, and have the same codes.

// CHECK-LABEL: @main
// CHECK-COUNT-1: quant.scast
// CHECK: %[[W:.*]] = halftone.dequantize
// CHECK: %[[M:.*]] = linalg.matmul {halftone.precision = "dynamic"} ins(%{{.*}}, %[[W]] :
// CHECK-NOT: quant.scast
// CHECK: linalg.matmul {halftone.precision = "dynamic"} ins(%[[M]], %[[W]] :

func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %fill = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %w = arith.constant dense<[[-1.5, 0.25], [2.0, -31.75]]> : tensor<2x2xf32>
  %m = linalg.matmul {halftone.source_dynamic, halftone.source_scales = array<f32: 0.5, 0.25>} ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.matmul {halftone.source_dynamic, halftone.source_scales = array<f32: 0.5, 0.25>} ins(%m, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%fill : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %n : tensor<1x2xf32>
}

// -----

// Steps from 0 that s8 does not hold have a zero point, the one nearest to 0: -5 to 250 steps, -200 to 55, and such as fit. Those of more than a byte stay.

// CHECK-LABEL: @main
// CHECK: arith.constant dense<{{\[\[}}127, -128, 7], [-128, 127, -7]]> : tensor<2x3xi8>
// CHECK: quant.scast {{.*}} to tensor<2x3x!quant.uniform<i8:f32:1, {5.000000e-01:-123,1.000000e+00:72,2.000000e+00}>>
// CHECK: linalg.matmul {halftone.precision = "int8"}
// CHECK: linalg.matmul {halftone.precision = "float", halftone.reason = "its weights are no multiples of the scales that the model gives them"}

!q = !quant.uniform<i8:f32, 0.5:3>
func.func @main(%x: tensor<1x2xf32>) -> (tensor<1x3xf32>, tensor<1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %e3 = tensor.empty() : tensor<1x3xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %w = arith.constant dense<[[125.0, -200.0, 14.0], [-2.5, 55.0, -14.0]]> : tensor<2x3xf32>
  %v = arith.constant dense<[[-100.0], [156.0]]> : tensor<2x1xf32>
  %xq = halftone.quantize %x : tensor<1x2xf32> to tensor<1x2x!q>
  %xd = halftone.dequantize %xq : tensor<1x2x!q> to tensor<1x2xf32>
  %m = linalg.matmul {halftone.source_scales = array<f32: 0.5, 1.0, 2.0>} ins(%xd, %w : tensor<1x2xf32>, tensor<2x3xf32>) outs(%f3 : tensor<1x3xf32>) -> tensor<1x3xf32>
  %n = linalg.matmul {halftone.source_scales = array<f32: 1.0>} ins(%xd, %v : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %m, %n : tensor<1x3xf32>, tensor<1x1xf32>
}
