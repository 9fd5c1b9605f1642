// RUN: halftone-opt %s --halftone-keep-weights | FileCheck %s
// RUN: halftone-opt %s --halftone-keep-weights --halftone-assign-formats=weights=int4 --halftone-insert-casts=weight-scales=max --halftone-expose-weights --mlir-print-local-scope | FileCheck %s --check-prefix=EXPOSED

// Contractions whose weights are constants; %v is none.
// CHECK-LABEL: func @main
// CHECK: linalg.matmul {halftone.float_weights = dense<{{\[\[}}1.000000e+00, 6.000000e-01], [0.000000e+00, 2.000000e-02]]> : tensor<2x2xf32>, {{.*}}ins(%{{.*}}, %cst
// CHECK: linalg.matmul ins(

// Codes of 4 bits, scales 1/7 and 0.6/7: the largest weight stands where the clamp begins, the others stay as they are, and the
// zero of a pruned weight is 0 though its neighbour's code is 0 as well.
// EXPOSED-LABEL: func @main
// EXPOSED: arith.constant dense<{{\[\[}}1.000000e+00, 6.000000e-01], [0.000000e+00, 2.000000e-02]]> : tensor<2x2xf32>
// EXPOSED: halftone.quantize {{.*}} to tensor<2x2x!quant.uniform<i8<-7:7>:f32:1
// EXPOSED-NOT: halftone.float_weights
func.func @main(%x: tensor<4x2xf32> {halftone.range = array<f32: 0.0, 1.0>}, %v: tensor<2x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %w = arith.constant dense<[[1.0, 0.6], [0.0, 0.02]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x2xf32>) -> tensor<4x2xf32>
  %y = linalg.matmul {halftone.precision = "int8", halftone.pruned = "unstructured"} ins(%x, %w : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  %z = linalg.matmul ins(%x, %v : tensor<4x2xf32>, tensor<2x2xf32>) outs(%f : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y, %z : tensor<4x2xf32>, tensor<4x2xf32>
}
