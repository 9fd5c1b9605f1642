// RUN: halftone-opt %s --halftone-precision-pipeline --split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-precision-pipeline --halftone-quantization-pipeline --split-input-file | FileCheck %s --check-prefix=CASTS

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// x clamp(x + 3, 0, 6) belongs to the product's sandwich: one range, and one rounding behind it. The range of x itself, which
// something may have measured, plays no part.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"}
// CHECK-COUNT-3: linalg.generic {{.*}}halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"

// CASTS-LABEL: @main
// CASTS: linalg.matmul
// CASTS-NOT: halftone.quantize
// CASTS: arith.mulf
// CASTS: halftone.quantize
// CASTS: linalg.matmul
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %three = arith.constant 3.0 : f32
  %six = arith.constant 6.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<4x2xf32>
  %e1 = tensor.empty() : tensor<2x4xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g1 = linalg.matmul ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e1 : tensor<2x4xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.addf %u, %three : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<2x4xf32>) outs(%e1 : tensor<2x4xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.maximumf %u, %zero : f32
    %1 = arith.minimumf %0, %six : f32
    linalg.yield %1 : f32
  } -> tensor<2x4xf32>
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1, %c : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e1 : tensor<2x4xf32>)
      attrs = {halftone.range = array<f32: -1.0, 4.0>} {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %e2 = tensor.empty() : tensor<2x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g2 = linalg.matmul ins(%p, %w2 : tensor<2x4xf32>, tensor<4x2xf32>) outs(%f2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %g2 : tensor<2x2xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// A post-normalized layer. What is computed from the mean is computed from floats; only the product reads codes of it. The
// sum of product and normalized value is read by floats: the product's result is floats, and the sum reads the normalized
// value as it is, not its codes.
// CHECK-LABEL: @main
// CHECK: linalg.generic {{.*}}"reduction"]} {{.*}}halftone.reason = "linalg.generic has no integer form"
// CHECK: linalg.generic {{.*}}halftone.precision = "float", halftone.range = {{.*}}, halftone.reason = "it computes from floats, of 'mean'"
// CHECK: arith.subf
// CHECK: linalg.matmul {halftone.precision = "int8"}
// CHECK: linalg.generic {{.*}}halftone.precision = "float", halftone.range = {{.*}}, halftone.reason = "its result is used in float only"
// CHECK: arith.addf

// CASTS-LABEL: @main
// CASTS: %[[D:.*]] = linalg.generic {{.*}}"it computes from floats, of 'mean'"
// CASTS: %[[Q:.*]] = halftone.quantize %[[D]]
// CASTS: %[[R:.*]] = halftone.dequantize %[[Q]]
// CASTS: %[[P:.*]] = linalg.matmul {halftone.precision = "int8"} ins(%[[R]]
// CASTS: linalg.generic {{.*}} ins(%[[P]], %[[D]] :
// CASTS-NOT: halftone.quantize
func.func @main(%x: tensor<2x4xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %i = tensor.empty() : tensor<2xf32>
  %z = linalg.fill ins(%zero : f32) outs(%i : tensor<2xf32>) -> tensor<2xf32>
  %mean = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<2x4xf32>) outs(%z : tensor<2xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.addf %o, %u : f32
    linalg.yield %0 : f32
  } -> tensor<2xf32> loc("mean")
  %e = tensor.empty() : tensor<2x4xf32>
  %d = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %mean : tensor<2x4xf32>, tensor<2xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -2.0, 2.0>} {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.subf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g = linalg.matmul ins(%d, %w : tensor<2x4xf32>, tensor<4x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g, %d : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -3.0, 3.0>} {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %y = halftone.composite "softmax"(%s) {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    halftone.yield %a : tensor<2x4xf32>
  }
  return %y : tensor<2x4xf32>
}

// -----

#id = affine_map<(m, n) -> (m, n)>

// A pre-normalized network: the sum s is read by floats and by the next sum, whose result only floats read. Both are floats.
// CHECK-LABEL: @main
// CHECK-COUNT-2: linalg.matmul {halftone.precision = "int8"}
// CHECK-NOT: halftone.precision = "int8"

// CASTS-LABEL: @main
// CASTS: halftone.quantize %arg0
// CASTS: %[[S:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %arg0 :
// CASTS: %[[P:.*]] = halftone.composite "softmax"(%[[S]])
// CASTS: halftone.quantize %[[P]]
// CASTS: %[[G:.*]] = linalg.matmul
// CASTS: linalg.generic {{.*}} ins(%[[G]], %[[S]] :
// CASTS-NOT: halftone.quantize
func.func @main(%x: tensor<2x4xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g1 = linalg.matmul ins(%x, %w : tensor<2x4xf32>, tensor<4x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1, %x : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -3.0, 3.0>} {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %p = halftone.composite "softmax"(%s) {axis = 1 : i64} attributes {halftone.range = array<f32: 0.0, 1.0>} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    halftone.yield %a : tensor<2x4xf32>
  }
  %g2 = linalg.matmul ins(%p, %w : tensor<2x4xf32>, tensor<4x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g2, %s : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -3.0, 3.0>} {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %y = halftone.composite "softmax"(%t) {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    halftone.yield %a : tensor<2x4xf32>
  }
  return %y : tensor<2x4xf32>
}
