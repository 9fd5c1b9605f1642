// RUN: halftone-opt %s --halftone-integer-pipeline 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARKS < %t

// REMARKS-NOT: stays float
// REMARKS: remark: 100.00 % of 8 multiply-accumulates run in integers

#id = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
!qx = !quant.uniform<i8:f32, 0.5:-3>
!qr = !quant.uniform<i8:f32, 0.25:7>
!qy = !quant.uniform<i8:f32, 1.0:-128>
!qw = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>

// A Relu between the bias and the residual is no tail: the accumulator becomes f32, and one generic computes from it and
// the residual's codes to codes. No f32 tensor is left.
// CHECK-LABEL: @relu_before_residual
// CHECK-NOT: x{{[0-9]+}}xf32
// CHECK: linalg.matmul
// CHECK-NOT: x2xf32
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : {{.*}}tensor<1x2xi8>{{.*}}) outs(%{{.*}} : tensor<1x2xi8>)
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @relu_before_residual(%xi: tensor<1x4xi8>, %ri: tensor<1x2xi8>) -> tensor<1x2xi8> {
  %zero = arith.constant 0.0 : f32
  %bias = arith.constant dense<[1.0, -2.0]> : tensor<2xf32>
  %codes = arith.constant dense<[[1, 2], [-3, 4], [5, -6], [7, 8]]> : tensor<4x2xi8>
  %xq = quant.scast %xi : tensor<1x4xi8> to tensor<1x4x!qx>
  %rq = quant.scast %ri : tensor<1x2xi8> to tensor<1x2x!qr>
  %wq = quant.scast %codes : tensor<4x2xi8> to tensor<4x2x!qw>
  %x = halftone.dequantize %xq : tensor<1x4x!qx> to tensor<1x4xf32>
  %r = halftone.dequantize %rq : tensor<1x2x!qr> to tensor<1x2xf32>
  %w = halftone.dequantize %wq : tensor<4x2x!qw> to tensor<4x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %acc = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#id, #n, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<1x2xf32>
  %m = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%b : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%s: f32, %o: f32):
    %0 = arith.maximumf %s, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<1x2xf32>
  %a = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %r : tensor<1x2xf32>, tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%s: f32, %t: f32, %o: f32):
    %0 = arith.addf %s, %t : f32
    linalg.yield %0 : f32
  } -> tensor<1x2xf32>
  %yq = halftone.quantize %a : tensor<1x2xf32> to tensor<1x2x!qy>
  %yi = quant.scast %yq : tensor<1x2x!qy> to tensor<1x2xi8>
  return %yi : tensor<1x2xi8>
}
