// RUN: halftone-opt %s --halftone-fold-constants -split-input-file | FileCheck %s

#id = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// A weight less its rows' mean, and with a function of them: one constant. What is as large as no constant behind it (the fill) goes with it.
// CHECK-LABEL: @standardized(
// CHECK-NOT: "reduction"
// CHECK: %[[W:.*]] = arith.constant dense<{{\[\[}}-1.000000e+00, 1.000000e+00], [-2.000000e+00, 2.000000e+00]]> : tensor<2x2xf32>
// CHECK-NEXT: linalg.generic {{.*}} ins(%arg0, %[[W]]
func.func @standardized(%x: tensor<2x2xf32>) -> tensor<2x2xf32> {
  %w = arith.constant dense<[[1.0, 3.0], [2.0, 6.0]]> : tensor<2x2xf32>
  %zero = arith.constant 0.0 : f32
  %r = tensor.empty() : tensor<2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%r : tensor<2xf32>) -> tensor<2xf32>
  %s = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%w : tensor<2x2xf32>) outs(%f : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %o, %a : f32
    linalg.yield %t : f32
  } -> tensor<2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %c = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %half = arith.constant 0.5 : f32
    %m = arith.mulf %b, %half : f32
    %t = arith.subf %a, %m : f32
    linalg.yield %t : f32
  } -> tensor<2x2xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %c : tensor<2x2xf32>, tensor<2x2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %t = arith.addf %a, %b : f32
    linalg.yield %t : f32
  } -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

// Functions are those of the compiled model. A result of the function is a constant, too.
// CHECK-LABEL: @exponential(
// CHECK-NEXT: %[[C:.*]] = arith.constant dense<[1.000000e+00, 2.71828{{.*}}]> : tensor<2xf32>
// CHECK-NEXT: return %[[C]]
#one = affine_map<(d0) -> (d0)>
func.func @exponential() -> tensor<2xf32> {
  %w = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%w : tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = math.exp %a : f32
    linalg.yield %t : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// A broadcast would take more room than what it repeats; what is computed behind it stays as well.
// CHECK-LABEL: @broadcast(
// CHECK: linalg.generic
// CHECK: linalg.generic
#to = affine_map<(d0, d1) -> (d1)>
#all = affine_map<(d0, d1) -> (d0, d1)>
func.func @broadcast(%x: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<4x2xf32>
  %b = linalg.generic {indexing_maps = [#to, #all], iterator_types = ["parallel", "parallel"]} ins(%w : tensor<2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    linalg.yield %a : f32
  } -> tensor<4x2xf32>
  %y = linalg.generic {indexing_maps = [#all, #all, #all], iterator_types = ["parallel", "parallel"]}
      ins(%x, %b : tensor<4x2xf32>, tensor<4x2xf32>) outs(%e : tensor<4x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %t = arith.addf %a, %c : f32
    linalg.yield %t : f32
  } -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// An assertion stays, with what it is in.
// CHECK-LABEL: @asserted(
// CHECK: cf.assert
#vector = affine_map<(d0) -> (d0)>
func.func @asserted() -> tensor<2xf32> {
  %w = arith.constant dense<[1.0, 3.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [#vector, #vector], iterator_types = ["parallel"]} ins(%w : tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %zero = arith.constant 0.0 : f32
    %positive = arith.cmpf ogt, %a, %zero : f32
    cf.assert %positive, "not positive"
    linalg.yield %a : f32
  } -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// Codes of a quantized source keep their casts: they are the model's weights.
// CHECK-LABEL: @codes(
// CHECK: halftone.dequantize
!codes = !quant.uniform<i8:f32, 0.5>
func.func @codes() -> tensor<2xf32> {
  %w = arith.constant dense<[1, 3]> : tensor<2xi8>
  %q = quant.scast %w : tensor<2xi8> to tensor<2x!codes>
  %y = halftone.dequantize %q : tensor<2x!codes> to tensor<2xf32>
  return %y : tensor<2xf32>
}
