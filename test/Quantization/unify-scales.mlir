// RUN: halftone-opt %s --halftone-unify-scales | FileCheck %s --check-prefixes=CHECK,UNIFY
// RUN: halftone-opt %s --halftone-unify-scales --halftone-propagate-casts --halftone-verify-quantization | FileCheck %s --check-prefixes=CHECK,MOVED

// Ranges [0, 2.55], [-1.28, 1.27] and, through the max pool, [0, 1.275]: all get [-1.28, 2.55] (to the rounding of the zero point).

// CHECK: halftone.quantize %arg0 : tensor<1x4x4x2xf32> to tensor<1x4x4x2x[[T:!quant.uniform<i8:f32, 0.015019.*:-43>]]>
// CHECK: halftone.quantize %arg1 : {{.*}} to tensor<1x4x4x2x[[T]]>
// CHECK: halftone.quantize %arg2 : {{.*}} to tensor<1x4x4x2x[[T]]>
// CHECK: linalg.pooling_nhwc_max
// CHECK: halftone.quantize {{.*}} to tensor<1x4x4x2x[[T]]>
// UNIFY: tensor.concat
// UNIFY: halftone.quantize {{.*}} to tensor<1x4x4x6x[[T]]>
// MOVED: %[[C:.*]] = tensor.concat {{.*}} (tensor<1x4x4x2x[[T]]>, tensor<1x4x4x2x[[T]]>, tensor<1x4x4x2x[[T]]>) -> tensor<1x4x4x6x[[T]]>
// MOVED-NOT: halftone.quantize
// MOVED: halftone.dequantize %[[C]]
// What does not feed the concatenation keeps its type.
// CHECK: return
func.func @main(%x: tensor<1x4x4x2xf32>, %y: tensor<1x4x4x2xf32>, %z: tensor<1x4x4x2xf32>) -> tensor<1x4x4x6xf32> {
  %minus = arith.constant 0xFF800000 : f32
  %window = tensor.empty() : tensor<1x1xf32>
  %empty = tensor.empty() : tensor<1x4x4x2xf32>
  %low = linalg.fill ins(%minus : f32) outs(%empty : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %xq = halftone.quantize %x : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!quant.uniform<i8:f32, 0.01:-128>>
  %xd = halftone.dequantize %xq : tensor<1x4x4x2x!quant.uniform<i8:f32, 0.01:-128>> to tensor<1x4x4x2xf32>
  %yq = halftone.quantize %y : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!quant.uniform<i8:f32, 0.01>>
  %yd = halftone.dequantize %yq : tensor<1x4x4x2x!quant.uniform<i8:f32, 0.01>> to tensor<1x4x4x2xf32>
  %zq = halftone.quantize %z : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!quant.uniform<i8:f32, 0.005:-128>>
  %zd = halftone.dequantize %zq : tensor<1x4x4x2x!quant.uniform<i8:f32, 0.005:-128>> to tensor<1x4x4x2xf32>
  %p = linalg.pooling_nhwc_max {halftone.precision = "int8"} ins(%zd, %window : tensor<1x4x4x2xf32>, tensor<1x1xf32>) outs(%low : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %pq = halftone.quantize %p : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!quant.uniform<i8:f32, 0.005:-128>>
  %pd = halftone.dequantize %pq : tensor<1x4x4x2x!quant.uniform<i8:f32, 0.005:-128>> to tensor<1x4x4x2xf32>
  %c = tensor.concat dim(3) %xd, %yd, %pd {halftone.precision = "int8"} : (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) -> tensor<1x4x4x6xf32>
  %cq = halftone.quantize %c : tensor<1x4x4x6xf32> to tensor<1x4x4x6x!quant.uniform<i8:f32, 0.02>>
  %cd = halftone.dequantize %cq : tensor<1x4x4x6x!quant.uniform<i8:f32, 0.02>> to tensor<1x4x4x6xf32>
  return %cd : tensor<1x4x4x6xf32>
}
