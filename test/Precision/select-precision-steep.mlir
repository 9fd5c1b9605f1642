// RUN: halftone-opt %s --split-input-file --halftone-expand-math --halftone-select-precision | FileCheck %s
// RUN: echo "- {kind: contraction, precision: int8}" > %t.yaml
// RUN: halftone-opt %s --split-input-file --halftone-expand-math --halftone-assign-formats=recipe=%t.yaml --halftone-select-precision | FileCheck %s --check-prefix=RECIPE

// A position times frequencies, and the sine of that: one step of codes of [0, 800] is half a period. The sine, the product with a constant in front of it
// and the contraction in front of that, which has 20 % of the multiply-accumulates, are floats. A recipe takes the contraction back.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "float", {{.*}}halftone.reason = "codes of its result are too coarse for the function behind it"
// CHECK: linalg.generic {{.*}}halftone.precision = "float", {{.*}}halftone.reason = "codes of its result are too coarse for the function behind it"
// CHECK: linalg.generic {{.*}}halftone.precision = "float", {{.*}}halftone.reason = "codes of what it reads are too coarse for its function ({{.*}} dB)"
// CHECK: linalg.matmul {halftone.precision = "int8"
// RECIPE-LABEL: @main
// RECIPE: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: 0.0, 1.0>}) -> (tensor<2x32xf32>, tensor<2x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x8xf32>
  %e1 = tensor.empty() : tensor<2x8xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: 0.0, 8.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %turns = arith.constant dense<[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 100.0]> : tensor<8xf32>
  %angle = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1, %turns : tensor<2x8xf32>, tensor<8xf32>) outs(%e1 : tensor<2x8xf32>) attrs = {halftone.range = array<f32: 0.0, 800.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  } -> tensor<2x8xf32>
  %sin = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%angle : tensor<2x8xf32>) outs(%e1 : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.sin %a : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %cos = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%angle : tensor<2x8xf32>) outs(%e1 : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %o: f32):
    %c = math.cos %a : f32
    linalg.yield %c : f32
  } -> tensor<2x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<8x32xf32>
  %e2 = tensor.empty() : tensor<2x32xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x32xf32>) -> tensor<2x32xf32>
  %g2 = linalg.matmul ins(%sin, %w2 : tensor<2x8xf32>, tensor<8x32xf32>) outs(%f2 : tensor<2x32xf32>) -> tensor<2x32xf32>
  return %g2, %cos : tensor<2x32xf32>, tensor<2x8xf32>
}

// -----

// Of [0, 51188] with distances of codes that are nearly periods, which points at equal distances would take for exact.
// CHECK-LABEL: @main
// CHECK: linalg.generic {{.*}}halftone.precision = "float", {{.*}}too coarse for its function
// CHECK: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: 0.0, 51188.7148>}) -> tensor<2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<2x8xf32>
  %sin = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.sin %a : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g = linalg.matmul ins(%sin, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %g : tensor<2x8xf32>
}

// -----

// The sine of [-30, 30] is a function that codes are fine enough for, as between the layers of a network of sines.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: linalg.generic {{.*}}halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x32xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x8xf32>
  %e1 = tensor.empty() : tensor<2x8xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -30.0, 30.0>} ins(%x, %w1 : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sin = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x8xf32>) outs(%e1 : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.sin %a : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<8x32xf32>
  %e2 = tensor.empty() : tensor<2x32xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x32xf32>) -> tensor<2x32xf32>
  %g2 = linalg.matmul ins(%sin, %w2 : tensor<2x8xf32>, tensor<8x32xf32>) outs(%f2 : tensor<2x32xf32>) -> tensor<2x32xf32>
  return %g2 : tensor<2x32xf32>
}

// -----

// Half of the multiply-accumulates: that would be more time than a third of a network in floats takes, and the contraction stays int8.
// CHECK-LABEL: @main
// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %e = tensor.empty() : tensor<2x8xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g1 = linalg.matmul {halftone.range = array<f32: -800.0, 800.0>} ins(%x, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f1 : tensor<2x8xf32>) -> tensor<2x8xf32>
  %sin = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.sin %a : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g2 = linalg.matmul ins(%sin, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f2 : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %g2 : tensor<2x8xf32>
}

// -----

// The operand is the one that is no constant, wherever it stands.
// CHECK-LABEL: @main
// CHECK: linalg.generic {{.*}}halftone.precision = "float", {{.*}}too coarse for its function
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: 0.0, 800.0>}) -> tensor<2x8xf32> {
  %zero = arith.constant 0.0 : f32
  %turn = arith.constant dense<1.5> : tensor<2x8xf32>
  %e = tensor.empty() : tensor<2x8xf32>
  %sin = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%turn, %x : tensor<2x8xf32>, tensor<2x8xf32>) outs(%e : tensor<2x8xf32>) attrs = {halftone.range = array<f32: -1.0, 1.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %d = arith.subf %a, %b : f32
    %s = math.sin %d : f32
    linalg.yield %s : f32
  } -> tensor<2x8xf32>
  %w = arith.constant dense<1.0> : tensor<8x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x8xf32>) -> tensor<2x8xf32>
  %g = linalg.matmul ins(%sin, %w : tensor<2x8xf32>, tensor<8x8xf32>) outs(%f : tensor<2x8xf32>) -> tensor<2x8xf32>
  return %g : tensor<2x8xf32>
}
