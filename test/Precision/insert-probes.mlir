// RUN: halftone-opt %s --halftone-insert-probes | FileCheck %s
// RUN: halftone-opt %s --halftone-insert-casts --halftone-insert-probes | FileCheck %s --check-prefix=CASTS
// RUN: not halftone-opt %s --halftone-insert-probes --halftone-insert-probes 2>&1 | FileCheck %s --check-prefix=TWICE

// The end of the sandwich and softmax are returned; the argument, the padding and the inside of the sandwich are not.
// The index counts the argument: it is the one of the calibration's key.

// CHECK: func.func @main({{.*}}) -> (tensor<?x4x4x3xf32> {halftone.name = "y"}, tensor<?x4x4x3xf32> {halftone.name = "z"},
// CHECK-SAME: tensor<?x4x4x3xf32> {halftone.name = "1:relu"},
// CHECK-SAME: tensor<?x4x4x3xf32> {halftone.name = "2:square"},
// CHECK-SAME: tensor<?x4x4x3xf32> {halftone.name = "3:probabilities"})
// CHECK-SAME: {key = "1:relu", kind = "contraction", precision = "int8"}
// CHECK-SAME: {key = "2:square", kind = "unary", precision = "int8"}
// CHECK-SAME: {key = "3:probabilities", kind = "softmax", precision = "float", reason = "softmax has no integer form"}
// CHECK: arith.addf
// CHECK: %[[RELU:.*]] = linalg.generic
// CHECK: %[[SQUARE:.*]] = linalg.generic {{.*}} ins(%[[RELU]] :
// CHECK: %[[P:.*]] = halftone.composite "softmax"(%[[SQUARE]])
// CHECK: return %[[P]], %[[RELU]], %[[RELU]], %[[SQUARE]], %[[P]]

// Behind the casts the same layers have the same keys, and codes come out as what they stand for. Nobody reads codes of
// the square, so it has none.

// CASTS: {halftone.name = "1:relu"}, {{.*}}"2:square"}, {{.*}}"3:probabilities"}
// CASTS-SAME: {key = "1:relu", kind = "contraction", precision = "int8", scale = {{.*}} : f64, zero_point = -128 : i64}
// CASTS-SAME: {key = "2:square", kind = "unary", precision = "int8"}
// CASTS: arith.maximumf
// CASTS: %[[CODES:.*]] = halftone.quantize
// CASTS-NEXT: %[[PROBE:.*]] = halftone.dequantize %[[CODES]]
// CASTS-NEXT: %[[READ:.*]] = halftone.dequantize %[[CODES]]
// CASTS: %[[SQUARE:.*]] = linalg.generic {{.*}} ins(%[[READ]] :
// CASTS: %[[P:.*]] = halftone.composite "softmax"
// CASTS: return %[[P]], %[[READ]], %[[PROBE]], %[[SQUARE]], %[[P]]

// TWICE: error: has probes already

#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
func.func @main(%x: tensor<?x4x4x2xf32> {halftone.name = "image", halftone.range = array<f32: -1.0, 1.0>})
    -> (tensor<?x4x4x3xf32> {halftone.name = "y"}, tensor<?x4x4x3xf32> {halftone.name = "z"}) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %weights = arith.constant dense<1.0> : tensor<3x3x2x3xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4x4x2xf32>
  %padded = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<?x4x4x2xf32> to tensor<?x6x6x2xf32>
  %empty = tensor.empty(%n) : tensor<?x4x4x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32>
  %conv = linalg.conv_2d_nhwc_hwcf {halftone.precision = "int8"} ins(%padded, %weights : tensor<?x6x6x2xf32>, tensor<3x3x2x3xf32>)
      outs(%init : tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> loc("conv")
  %biased = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%conv, %bias : tensor<?x4x4x3xf32>, tensor<3xf32>) outs(%empty : tensor<?x4x4x3xf32>) attrs = {halftone.precision = "int8"} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x4x3xf32> loc("conv")
  %relu = linalg.generic {indexing_maps = [#nhwc, #nhwc],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%biased : tensor<?x4x4x3xf32>) outs(%empty : tensor<?x4x4x3xf32>)
      attrs = {halftone.precision = "int8", halftone.range = array<f32: 0.0, 6.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?x4x4x3xf32> loc("relu")
  %q = linalg.generic {indexing_maps = [#nhwc, #nhwc],
      iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%relu : tensor<?x4x4x3xf32>) outs(%empty : tensor<?x4x4x3xf32>)
      attrs = {halftone.precision = "int8", halftone.range = array<f32: 0.0, 6.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %a : f32
    linalg.yield %m : f32
  } -> tensor<?x4x4x3xf32> loc("square")
  %p = halftone.composite "softmax"(%q) {axis = 3 : i64}
      attributes {halftone.precision = "float", halftone.reason = "softmax has no integer form"} : (tensor<?x4x4x3xf32>) -> tensor<?x4x4x3xf32> {
  ^bb0(%a: tensor<?x4x4x3xf32>):
    halftone.yield %a : tensor<?x4x4x3xf32>
  } loc("probabilities")
  return %p, %relu : tensor<?x4x4x3xf32>, tensor<?x4x4x3xf32>
}
