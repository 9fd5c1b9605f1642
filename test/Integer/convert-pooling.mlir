// RUN: halftone-opt %s --halftone-convert-data-movement --halftone-convert-pooling --halftone-convert-boundaries --canonicalize --cse | FileCheck %s

#id4 = affine_map<(n, h, w, c) -> (n, h, w, c)>
#hw = affine_map<(n, h, w, c) -> (h, w)>
!qx = !quant.uniform<i8:f32, 0.5:-3>
!qy = !quant.uniform<i8:f32, 0.25:7>

// Padding of -inf and the start become the lowest code.
// CHECK-LABEL: @maximum
// CHECK-DAG: %[[LOW:.*]] = arith.constant -128 : i8
// CHECK: %[[P:.*]] = tensor.pad %[[X:.*]] low
// CHECK: tensor.yield %[[LOW]]
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0 : tensor<?x3x3x2xi8>
// CHECK: tensor.empty(%[[N]])
// CHECK: linalg.fill ins(%[[LOW]] : i8)
// CHECK: linalg.pooling_nhwc_max {{.*}} ins(%[[P]], %{{.*}} : tensor<?x4x4x2xi8>, tensor<2x2xi8>) outs(%{{.*}} : tensor<?x2x2x2xi8>)
// CHECK-NEXT: return
func.func @maximum(%xi: tensor<?x3x3x2xi8>) -> tensor<?x2x2x2xi8> {
  %c0 = arith.constant 0 : index
  %low = arith.constant 0xFF800000 : f32
  %xq = quant.scast %xi : tensor<?x3x3x2xi8> to tensor<?x3x3x2x!qx>
  %x = halftone.dequantize %xq : tensor<?x3x3x2x!qx> to tensor<?x3x3x2xf32>
  %p = tensor.pad %x low[0, 0, 0, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : f32
  } : tensor<?x3x3x2xf32> to tensor<?x4x4x2xf32>
  %n = tensor.dim %x, %c0 : tensor<?x3x3x2xf32>
  %e = tensor.empty(%n) : tensor<?x2x2x2xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  %k = tensor.empty() : tensor<2x2xf32>
  %y = linalg.pooling_nhwc_max {strides = dense<2> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%p, %k : tensor<?x4x4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2x2x2xf32>) -> tensor<?x2x2x2xf32>
  %yq = halftone.quantize %y : tensor<?x2x2x2xf32> to tensor<?x2x2x2x!qx>
  %yi = quant.scast %yq : tensor<?x2x2x2x!qx> to tensor<?x2x2x2xi8>
  return %yi : tensor<?x2x2x2xi8>
}

// Sums of nine raw codes hold nine zero points, -27; counts of 4 and 6 and 9 make multipliers 0.5 / (0.25 count).
// CHECK-LABEL: @average_without_padding
// CHECK-DAG: %[[Z:.*]] = arith.constant -3 : i8
// CHECK-DAG: %[[ZEROS:.*]] = arith.constant -27 : i32
// CHECK-DAG: %[[M:.*]] = arith.constant dense<{{\[\[}}5.000000e-01, 0.333333343], [0.333333343, 0.222222224]]> : tensor<2x2xf32>
// CHECK: tensor.yield %[[Z]] : i8
// CHECK: %[[S:.*]] = linalg.pooling_nhwc_sum {{.*}} ins(%{{.*}}, %{{.*}} : tensor<1x4x4x2xi8>, tensor<3x3xi8>) outs(%{{.*}} : tensor<1x2x2x2xi32>)
// CHECK: linalg.generic {{.*}} ins(%[[S]], %[[M]] : tensor<1x2x2x2xi32>, tensor<2x2xf32>) outs(%{{.*}} : tensor<1x2x2x2xi8>)
// CHECK: arith.subi %{{.*}}, %[[ZEROS]] : i32
// CHECK-NEXT: arith.sitofp
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: arith.cmpf ogt
func.func @average_without_padding(%xi: tensor<1x3x3x2xi8>) -> tensor<1x2x2x2xi8> {
  %xq = quant.scast %xi : tensor<1x3x3x2xi8> to tensor<1x3x3x2x!qx>
  %x = halftone.dequantize %xq : tensor<1x3x3x2x!qx> to tensor<1x3x3x2xf32>
  %y = halftone.composite "avg_pool"(%x) {} : (tensor<1x3x3x2xf32>) -> tensor<1x2x2x2xf32> {
  ^bb0(%a: tensor<1x3x3x2xf32>):
    %zero = arith.constant 0.0 : f32
    %counts = arith.constant dense<[[4.0, 6.0], [6.0, 9.0]]> : tensor<2x2xf32>
    %p = tensor.pad %a low[0, 1, 1, 0] high[0, 0, 0, 0] {
    ^bb0(%i: index, %j: index, %k: index, %l: index):
      tensor.yield %zero : f32
    } : tensor<1x3x3x2xf32> to tensor<1x4x4x2xf32>
    %k = tensor.empty() : tensor<3x3xf32>
    %e = tensor.empty() : tensor<1x2x2x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
    %s = linalg.pooling_nhwc_sum {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
        ins(%p, %k : tensor<1x4x4x2xf32>, tensor<3x3xf32>) outs(%f : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
    %d = linalg.generic {indexing_maps = [#id4, #hw, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%s, %counts : tensor<1x2x2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<1x2x2x2xf32>) {
    ^bb0(%u: f32, %v: f32, %o: f32):
      %q = arith.divf %u, %v : f32
      linalg.yield %q : f32
    } -> tensor<1x2x2x2xf32>
    halftone.yield %d : tensor<1x2x2x2xf32>
  }
  %yq = halftone.quantize %y : tensor<1x2x2x2xf32> to tensor<1x2x2x2x!qy>
  %yi = quant.scast %yq : tensor<1x2x2x2x!qy> to tensor<1x2x2x2xi8>
  return %yi : tensor<1x2x2x2xi8>
}

// One count for all and a float reader: the multiplier is 0.5 / 4.
// CHECK-LABEL: @global_average
// CHECK-DAG: arith.constant 1.250000e-01 : f32
// CHECK: linalg.generic {{.*}}tensor<1x1x1x2xi32>) outs(%{{.*}} : tensor<1x1x1x2xf32>)
func.func @global_average(%xi: tensor<1x2x2x2xi8>) -> tensor<1x1x1x2xf32> {
  %xq = quant.scast %xi : tensor<1x2x2x2xi8> to tensor<1x2x2x2x!qx>
  %x = halftone.dequantize %xq : tensor<1x2x2x2x!qx> to tensor<1x2x2x2xf32>
  %y = halftone.composite "avg_pool"(%x) {} : (tensor<1x2x2x2xf32>) -> tensor<1x1x1x2xf32> {
  ^bb0(%a: tensor<1x2x2x2xf32>):
    %zero = arith.constant 0.0 : f32
    %count = arith.constant 4.0 : f32
    %k = tensor.empty() : tensor<2x2xf32>
    %e = tensor.empty() : tensor<1x1x1x2xf32>
    %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
    %s = linalg.pooling_nhwc_sum {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
        ins(%a, %k : tensor<1x2x2x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
    %d = linalg.generic {indexing_maps = [#id4, #id4], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%s : tensor<1x1x1x2xf32>) outs(%e : tensor<1x1x1x2xf32>) {
    ^bb0(%u: f32, %o: f32):
      %q = arith.divf %u, %count : f32
      linalg.yield %q : f32
    } -> tensor<1x1x1x2xf32>
    halftone.yield %d : tensor<1x1x1x2xf32>
  }
  return %y : tensor<1x1x1x2xf32>
}

// Left alone: float data, and a maximum that starts at 0.
// CHECK-LABEL: @float
// CHECK: linalg.pooling_nhwc_max {{.*}}tensor<1x4x4x2xf32>
func.func @float(%x: tensor<1x4x4x2xf32>, %i: tensor<1x3x3x2xf32>, %k: tensor<2x2xf32>) -> tensor<1x3x3x2xf32> {
  %y = linalg.pooling_nhwc_max {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%x, %k : tensor<1x4x4x2xf32>, tensor<2x2xf32>) outs(%i : tensor<1x3x3x2xf32>) -> tensor<1x3x3x2xf32>
  return %y : tensor<1x3x3x2xf32>
}

// CHECK-LABEL: @other_start
// CHECK: linalg.pooling_nhwc_max {{.*}}halftone.reason = "its maximum does not start at the lowest number"
func.func @other_start(%xi: tensor<1x2x2x2xi8>, %k: tensor<2x2xf32>) -> tensor<1x1x1x2xf32> {
  %i = arith.constant dense<0.0> : tensor<1x1x1x2xf32>
  %xq = quant.scast %xi : tensor<1x2x2x2xi8> to tensor<1x2x2x2x!qx>
  %x = halftone.dequantize %xq : tensor<1x2x2x2x!qx> to tensor<1x2x2x2xf32>
  %y = linalg.pooling_nhwc_max {strides = dense<1> : vector<2xi64>, dilations = dense<1> : vector<2xi64>}
      ins(%x, %k : tensor<1x2x2x2xf32>, tensor<2x2xf32>) outs(%i : tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32>
  return %y : tensor<1x1x1x2xf32>
}
