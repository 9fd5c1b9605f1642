// RUN: halftone-opt %s --halftone-convert-float-activations --split-input-file | FileCheck %s

// Each row is divided by its own scale, and the sum multiplied by it again; the sums of the weights, 24, take its zero point out.
// CHECK-LABEL: func @dynamic
// CHECK-SAME: %[[X:.*]]: tensor<2x8xf32>
// CHECK: %[[HIGH:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]] : tensor<2x8xf32>)
// CHECK-NOT: arith.negf
// CHECK: arith.cmpf ogt
// CHECK: %[[LOW:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[X]] : tensor<2x8xf32>)
// CHECK: arith.negf
// CHECK: arith.cmpf ogt
// CHECK: %[[SCALE:.*]] = linalg.generic {{.*}} ins(%[[HIGH]], %[[LOW]] : tensor<2xf32>, tensor<2xf32>)
// CHECK: arith.divf
// CHECK: %[[LEAST:.*]] = linalg.generic {{.*}} ins(%[[LOW]], %[[SCALE]] : tensor<2xf32>, tensor<2xf32>)
// CHECK: math.roundeven
// CHECK: arith.negf
// CHECK: %[[SHIFT:.*]] = linalg.generic {{.*}} ins(%[[LEAST]] : tensor<2xf32>) outs(%{{.*}} : tensor<2xi32>)
// CHECK: %[[CODES:.*]] = linalg.generic {{.*}} ins(%[[X]], %[[SCALE]], %[[LEAST]] : tensor<2x8xf32>, tensor<2xf32>, tensor<2xf32>)
// CHECK: arith.divf
// CHECK: %[[SUM:.*]] = linalg.matmul ins(%[[CODES]], %{{.*}} : tensor<2x8xi8>, tensor<8x4xi8>) outs(%{{.*}} : tensor<2x4xi32>)
// CHECK: %[[TOTALS:.*]] = arith.constant dense<24> : tensor<4xi32>
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %{{.*}}, %[[SCALE]], %[[TOTALS]], %[[SHIFT]] : tensor<2x4xi32>, tensor<4xf32>, tensor<2xf32>, tensor<4xi32>, tensor<2xi32>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: i32, %{{.*}}: f32, %{{.*}}: f32, %[[T:.*]]: i32, %[[Z:.*]]: i32, %{{.*}}: f32):
// CHECK-NEXT: %[[TZ:.*]] = arith.muli %[[T]], %[[Z]] : i32
// CHECK-NEXT: %[[WITHOUT:.*]] = arith.addi %[[A]], %[[TZ]] : i32
// CHECK-NEXT: arith.sitofp %[[WITHOUT]]
!qw = !quant.uniform<i8<-127:127>:f32:1, {0.1, 0.2, 0.1, 0.3}>
func.func @dynamic(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {
  %codes = arith.constant dense<3> : tensor<8x4xi8>
  %zero = arith.constant 0.0 : f32
  %ws = quant.scast %codes : tensor<8x4xi8> to tensor<8x4x!qw>
  %w = halftone.dequantize %ws : tensor<8x4x!qw> to tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %c = linalg.matmul {halftone.precision = "dynamic"} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %c : tensor<2x4xf32>
}

// -----

// Weights alone: the codes are the weights of a float product.
// CHECK-LABEL: func @weights
// CHECK-SAME: %[[X:.*]]: tensor<2x8xf32>
// CHECK: %[[SUM:.*]] = linalg.matmul ins(%[[X]], %{{.*}} : tensor<2x8xf32>, tensor<8x4xi8>) outs(%{{.*}} : tensor<2x4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[SUM]], %{{.*}} : tensor<2x4xf32>, tensor<4xf32>)
// CHECK-NOT: halftone.dequantize
!qw = !quant.uniform<i8<-127:127>:f32:1, {0.1, 0.2, 0.1, 0.3}>
func.func @weights(%x: tensor<2x8xf32>) -> tensor<2x4xf32> {
  %codes = arith.constant dense<3> : tensor<8x4xi8>
  %zero = arith.constant 0.0 : f32
  %ws = quant.scast %codes : tensor<8x4xi8> to tensor<8x4x!qw>
  %w = halftone.dequantize %ws : tensor<8x4x!qw> to tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %c = linalg.matmul {halftone.precision = "weights"} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %c : tensor<2x4xf32>
}

// -----

// What cannot be negative has one zero point: padding with zeros moves codes, and 128 times the sums of the weights, -135, take it out.
// CHECK-LABEL: func @behind_relu
// CHECK: %[[RELU:.*]] = linalg.generic
// CHECK: arith.maximumf
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%[[RELU]] : tensor<2x4x4x3xf32>)
// CHECK-NOT: arith.negf
// CHECK: %[[CODES:.*]] = linalg.generic {{.*}} ins(%[[RELU]], %{{.*}} : tensor<2x4x4x3xf32>, tensor<2xf32>)
// CHECK: %[[PADDED:.*]] = tensor.pad %[[CODES]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%[[PADDED]], %{{.*}} : tensor<2x6x6x3xi8>, tensor<3x3x3x8xi8>)
// CHECK: arith.constant dense<-17280> : tensor<8xi32>
#id = affine_map<(n, h, w, c) -> (n, h, w, c)>
!qc = !quant.uniform<i8<-127:127>:f32, 0.1>
func.func @behind_relu(%x: tensor<2x4x4x3xf32>) -> tensor<2x4x4x8xf32> {
  %codes = arith.constant dense<-5> : tensor<3x3x3x8xi8>
  %zero = arith.constant 0.0 : f32
  %ws = quant.scast %codes : tensor<3x3x3x8xi8> to tensor<3x3x3x8x!qc>
  %w = halftone.dequantize %ws : tensor<3x3x3x8x!qc> to tensor<3x3x3x8xf32>
  %re = tensor.empty() : tensor<2x4x4x3xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<2x4x4x3xf32>) outs(%re : tensor<2x4x4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<2x4x4x3xf32>
  %p = tensor.pad %r low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x4x4x3xf32> to tensor<2x6x6x3xf32>
  %e = tensor.empty() : tensor<2x4x4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %y = linalg.conv_2d_nhwc_hwcf {halftone.precision = "dynamic", dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%p, %w : tensor<2x6x6x3xf32>, tensor<3x3x3x8xf32>) outs(%f : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// -----

// The rows' zero points differ: padding stays in front of the codes. An image has one scale.
// CHECK-LABEL: func @padded
// CHECK-SAME: %[[X:.*]]: tensor<2x4x4x3xf32>
// CHECK: %[[PADDED:.*]] = tensor.pad %[[X]] low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction", "reduction", "parallel"]} ins(%[[PADDED]] : tensor<2x6x6x3xf32>)
// CHECK: %[[CODES:.*]] = linalg.generic {{.*}} ins(%[[PADDED]], %{{.*}} : tensor<2x6x6x3xf32>, tensor<2xf32>, tensor<2xf32>)
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%[[CODES]], %{{.*}} : tensor<2x6x6x3xi8>, tensor<3x3x3x8xi8>)
!qc = !quant.uniform<i8<-127:127>:f32, 0.1>
func.func @padded(%x: tensor<2x4x4x3xf32>) -> tensor<2x4x4x8xf32> {
  %codes = arith.constant dense<-5> : tensor<3x3x3x8xi8>
  %zero = arith.constant 0.0 : f32
  %ws = quant.scast %codes : tensor<3x3x3x8xi8> to tensor<3x3x3x8x!qc>
  %w = halftone.dequantize %ws : tensor<3x3x3x8x!qc> to tensor<3x3x3x8xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x4x4x3xf32> to tensor<2x6x6x3xf32>
  %e = tensor.empty() : tensor<2x4x4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  %y = linalg.conv_2d_nhwc_hwcf {halftone.precision = "dynamic", dilations = dense<1> : tensor<2xi64>, strides = dense<1> : tensor<2xi64>} ins(%p, %w : tensor<2x6x6x3xf32>, tensor<3x3x3x8xf32>) outs(%f : tensor<2x4x4x8xf32>) -> tensor<2x4x4x8xf32>
  return %y : tensor<2x4x4x8xf32>
}

// -----

// Weights that are no constant stay float, and say so.
// CHECK-LABEL: func @arguments
// CHECK: linalg.matmul {{.*}}halftone.reason = "its weights are no quantized constant"
func.func @arguments(%x: tensor<2x8xf32>, %w: tensor<8x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %c = linalg.matmul {halftone.precision = "dynamic"} ins(%x, %w : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %c : tensor<2x4xf32>
}
