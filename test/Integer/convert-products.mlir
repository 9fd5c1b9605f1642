// RUN: halftone-opt %s --halftone-convert-products --halftone-convert-boundaries --canonicalize --cse --split-input-file | FileCheck %s

!qa = !quant.uniform<i8:f32, 0.5:-128>
!qb = !quant.uniform<i8<-127:127>:f32, 0.25>
!qy = !quant.uniform<i8:f32, 2.0:3>

// What only floats read is floats, from the accumulator: 0.5 * 0.25.
// CHECK-LABEL: @scores
// CHECK-SAME: %[[A:.*]]: tensor<?x3x8xi8>, %[[B:.*]]: tensor<?x8x4xi8>, %[[I:.*]]: tensor<?x3x4xf32>
// CHECK-DAG: %[[ZA:.*]] = arith.constant -128 : i32
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0 : i32
// CHECK-DAG: %[[M:.*]] = arith.constant 1.250000e-01 : f32
// CHECK: %[[ACC:.*]] = linalg.quantized_batch_matmul ins(%[[A]], %[[B]], %[[ZA]], %[[ZERO]] : tensor<?x3x8xi8>, tensor<?x8x4xi8>, i32, i32) outs(%{{.*}} : tensor<?x3x4xi32>)
// CHECK: linalg.generic {{.*}} ins(%[[ACC]] : tensor<?x3x4xi32>)
// CHECK-NEXT: ^bb0(%[[X:.*]]: i32, %{{.*}}: f32):
// CHECK-NEXT: %[[REAL:.*]] = arith.sitofp %[[X]] : i32 to f32
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[REAL]], %[[M]] : f32
// CHECK-NEXT: linalg.yield %[[Y]] : f32
// CHECK-NOT: halftone.
func.func @scores(%ai: tensor<?x3x8xi8>, %bi: tensor<?x8x4xi8>, %i: tensor<?x3x4xf32>) -> tensor<?x3x4xf32> {
  %zero = arith.constant 0.0 : f32
  %aq = quant.scast %ai : tensor<?x3x8xi8> to tensor<?x3x8x!qa>
  %bq = quant.scast %bi : tensor<?x8x4xi8> to tensor<?x8x4x!qb>
  %a = halftone.dequantize %aq : tensor<?x3x8x!qa> to tensor<?x3x8xf32>
  %b = halftone.dequantize %bq : tensor<?x8x4x!qb> to tensor<?x8x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
  %c = linalg.batch_matmul ins(%a, %b : tensor<?x3x8xf32>, tensor<?x8x4xf32>) outs(%f : tensor<?x3x4xf32>) -> tensor<?x3x4xf32>
  return %c : tensor<?x3x4xf32>
}

// A quantization at once behind it: codes from the accumulator, 0.5 * 0.25 / 2, in [-131, 124] + 3.
// CHECK-LABEL: @values
// CHECK-DAG: %[[M:.*]] = arith.constant 6.250000e-02 : f32
// CHECK-DAG: %[[LOW:.*]] = arith.constant -1.310000e+02 : f32
// CHECK: %[[ACC:.*]] = linalg.quantized_batch_matmul
// CHECK: linalg.generic {{.*}} ins(%[[ACC]] : tensor<2x3x4xi32>) outs(%{{.*}} : tensor<2x3x4xi8>)
// CHECK: arith.mulf %{{.*}}, %[[M]]
// CHECK: arith.cmpf ogt, %{{.*}}, %[[LOW]]
// CHECK: math.roundeven
// CHECK: arith.trunci
func.func @values(%ai: tensor<2x3x8xi8>, %bi: tensor<2x8x4xi8>, %i: tensor<2x3x4xf32>) -> tensor<2x3x4xi8> {
  %zero = arith.constant 0.0 : f32
  %aq = quant.scast %ai : tensor<2x3x8xi8> to tensor<2x3x8x!qa>
  %bq = quant.scast %bi : tensor<2x8x4xi8> to tensor<2x8x4x!qb>
  %a = halftone.dequantize %aq : tensor<2x3x8x!qa> to tensor<2x3x8xf32>
  %b = halftone.dequantize %bq : tensor<2x8x4x!qb> to tensor<2x8x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %c = linalg.batch_matmul ins(%a, %b : tensor<2x3x8xf32>, tensor<2x8x4xf32>) outs(%f : tensor<2x3x4xf32>) -> tensor<2x3x4xf32>
  %q = halftone.quantize %c : tensor<2x3x4xf32> to tensor<2x3x4x!qy>
  %codes = quant.scast %q : tensor<2x3x4x!qy> to tensor<2x3x4xi8>
  return %codes : tensor<2x3x4xi8>
}

// -----

// 70,000 products of 255 and 127 could overflow; a sum that starts at something is another operation; a factor in floats has no codes.
// CHECK-LABEL: @left_alone
// CHECK: linalg.batch_matmul {halftone.reason = "its accumulator could overflow (rule A18)"}
// CHECK: linalg.batch_matmul {halftone.reason = "its sum does not start at zero"}
// CHECK: linalg.batch_matmul {halftone.reason = "only one of its factors is codes"}
// CHECK-NOT: quantized_batch_matmul
!qa = !quant.uniform<i8:f32, 0.5:-128>
!qb = !quant.uniform<i8<-127:127>:f32, 0.25>
func.func @left_alone(%ai: tensor<1x1x70000xi8>, %bi: tensor<1x70000x1xi8>, %x: tensor<1x70000x1xf32>, %i: tensor<1x1x1xf32>) -> (tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x1x1xf32>) {
  %zero = arith.constant 0.0 : f32
  %aq = quant.scast %ai : tensor<1x1x70000xi8> to tensor<1x1x70000x!qa>
  %bq = quant.scast %bi : tensor<1x70000x1xi8> to tensor<1x70000x1x!qb>
  %a = halftone.dequantize %aq : tensor<1x1x70000x!qa> to tensor<1x1x70000xf32>
  %b = halftone.dequantize %bq : tensor<1x70000x1x!qb> to tensor<1x70000x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%i : tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %c = linalg.batch_matmul ins(%a, %b : tensor<1x1x70000xf32>, tensor<1x70000x1xf32>) outs(%f : tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %d = linalg.batch_matmul ins(%a, %b : tensor<1x1x70000xf32>, tensor<1x70000x1xf32>) outs(%i : tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  %e = linalg.batch_matmul ins(%a, %x : tensor<1x1x70000xf32>, tensor<1x70000x1xf32>) outs(%f : tensor<1x1x1xf32>) -> tensor<1x1x1xf32>
  return %c, %d, %e : tensor<1x1x1xf32>, tensor<1x1x1xf32>, tensor<1x1x1xf32>
}
