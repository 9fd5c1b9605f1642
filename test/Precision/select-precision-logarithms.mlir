// RUN: halftone-opt %s --split-input-file --halftone-expand-math --halftone-select-precision | FileCheck %s
// RUN: halftone-opt %s --split-input-file --halftone-expand-math --halftone-select-precision=activations=dynamic | FileCheck %s --check-prefix=DYNAMIC
// RUN: halftone-opt %s --split-input-file --halftone-expand-math --halftone-select-precision=activations=float | FileCheck %s --check-prefix=WEIGHTS
// RUN: sed '/%g1 = .*"spectrum"/s/halftone.range/halftone.precision = "dynamic", halftone.range/' %s | halftone-opt --split-input-file --halftone-expand-math --halftone-select-precision | FileCheck %s --check-prefix=AUTO
// RUN: echo "- {name: spectrum, precision: int8}" > %t.yaml
// RUN: halftone-opt %s --halftone-expand-math --halftone-assign-formats=recipe=%t.yaml --halftone-select-precision --split-input-file | FileCheck %s --check-prefix=RECIPE

// The logarithm of a spectrum's power shows small values as well as large ones: the contraction that makes it is floats, 20 % of the
// multiply-accumulates here. A recipe takes it back.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "float", {{.*}}halftone.reason = "a logarithm behind it shows the rounding of small values"
// CHECK: linalg.matmul {halftone.precision = "int8"
// Ranges of its rows, that halftone-choose-activations would give it, are no way around that.
// AUTO-LABEL: @main
// AUTO: linalg.matmul {halftone.precision = "float", {{.*}}halftone.reason = "a logarithm behind it shows the rounding of small values"
// AUTO: linalg.matmul {halftone.precision = "int8"
// DYNAMIC-LABEL: @main
// DYNAMIC: linalg.matmul {halftone.precision = "float"
// DYNAMIC: linalg.matmul {halftone.precision = "dynamic"
// WEIGHTS-LABEL: @main
// WEIGHTS: linalg.matmul {halftone.precision = "weights"
// RECIPE-LABEL: @main
// RECIPE: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x64xf32> {
  %zero = arith.constant 0.0 : f32
  %least = arith.constant 1.0e-6 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x8xf32>
  %e1 = tensor.empty() : tensor<2x8xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f1 : tensor<2x8xf32>) -> tensor<2x8xf32> loc("spectrum")
  %re = tensor.extract_slice %g1[0, 0] [2, 4] [1, 1] : tensor<2x8xf32> to tensor<2x4xf32>
  %im = tensor.extract_slice %g1[0, 4] [2, 4] [1, 1] : tensor<2x8xf32> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %power = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%re, %im : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 32.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %a2 = arith.mulf %a, %a : f32
    %b2 = arith.mulf %b, %b : f32
    %s = arith.addf %a2, %b2 : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  %log = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%power : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -14.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %c = arith.maximumf %a, %least : f32
    %l = math.log %c : f32
    linalg.yield %l : f32
  } -> tensor<2x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<4x64xf32>
  %e2 = tensor.empty() : tensor<2x64xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x64xf32>) -> tensor<2x64xf32>
  %g2 = linalg.matmul ins(%log, %w2 : tensor<2x4xf32>, tensor<4x64xf32>) outs(%f2 : tensor<2x64xf32>) -> tensor<2x64xf32>
  return %g2 : tensor<2x64xf32>
}

// -----

// The magnitude of a value and of what another contraction makes of it has degree 1: no small value grows.
// CHECK-LABEL: @main
// CHECK-COUNT-3: linalg.matmul {halftone.precision = "int8"
// RECIPE-LABEL: @main
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x256xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g0 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32> loc("spectrum")
  %w0 = arith.constant dense<1.0> : tensor<4x4xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%g0, %w0 : tensor<2x4xf32>, tensor<4x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  %magnitude = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: 0.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = arith.mulf %a, %a : f32
    %r = math.sqrt %s : f32
    linalg.yield %r : f32
  } -> tensor<2x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<4x256xf32>
  %e2 = tensor.empty() : tensor<2x256xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x256xf32>) -> tensor<2x256xf32>
  %g2 = linalg.matmul ins(%magnitude, %w2 : tensor<2x4xf32>, tensor<4x256xf32>) outs(%f2 : tensor<2x256xf32>) -> tensor<2x256xf32>
  return %g2 : tensor<2x256xf32>
}

// -----

// A root is seen through a sum, a reshape and a composite. What something else reads, too, stays int8.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "float"
// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"
// RECIPE-LABEL: @main
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> (tensor<2x256xf32>, tensor<2x4xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g0 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32> loc("spectrum")
  %g1 = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  %v = tensor.empty() : tensor<2xf32>
  %fv = linalg.fill ins(%zero : f32) outs(%v : tensor<2xf32>) -> tensor<2xf32>
  %sum = linalg.generic {indexing_maps = [#id, affine_map<(m, n) -> (m)>], iterator_types = ["parallel", "reduction"]}
      ins(%g0 : tensor<2x4xf32>) outs(%fv : tensor<2xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<2xf32>
  %c = tensor.expand_shape %sum [[0, 1]] output_shape [2, 1] : tensor<2xf32> into tensor<2x1xf32>
  %root = halftone.composite "sqrt"(%c) {} attributes {halftone.range = array<f32: 0.0, 4.0>} : (tensor<2x1xf32>) -> tensor<2x1xf32> {
  ^bb0(%a: tensor<2x1xf32>):
    halftone.yield %a : tensor<2x1xf32>
  }
  %log = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -14.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %l = math.log %a : f32
    linalg.yield %l : f32
  } -> tensor<2x4xf32>
  %w2 = arith.constant dense<1.0> : tensor<1x256xf32>
  %e2 = tensor.empty() : tensor<2x256xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x256xf32>) -> tensor<2x256xf32>
  %g2 = linalg.matmul ins(%root, %w2 : tensor<2x1xf32>, tensor<1x256xf32>) outs(%f2 : tensor<2x256xf32>) -> tensor<2x256xf32>
  %both = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%log, %g1 : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -14.0, 4.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %g2, %both : tensor<2x256xf32>, tensor<2x4xf32>
}

// -----

// All of a network in front of a logarithm is too much: more than a third.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"
// RECIPE-LABEL: @main
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g = linalg.matmul {halftone.range = array<f32: -4.0, 4.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32> loc("spectrum")
  %log = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.range = array<f32: -14.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %l = math.log %a : f32
    linalg.yield %l : f32
  } -> tensor<2x4xf32>
  return %log : tensor<2x4xf32>
}
