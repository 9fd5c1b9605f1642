// RUN: halftone-opt %s --halftone-verify-precision --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{has no halftone.precision}}
  %y = halftone.composite "tanh"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{has halftone.precision 'int9', expected 'int8', 'float', 'dynamic' or 'weights'}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int9"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{stays float without a halftone.reason}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "float"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{is int8, but operand 0 has no calibrated range}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int8"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<4xf32> {
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int8"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  // expected-error@+1 {{has another precision than the anchor of its sandwich}}
  %z = halftone.composite "exp"(%y) {} attributes {halftone.precision = "float", halftone.reason = ""} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %z : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{has halftone.precision 'dynamic', which is for contractions}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "dynamic"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// A contraction may end in floats, but not with int8 between.
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x4xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<4x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g = linalg.matmul {halftone.precision = "int8"} ins(%x, %w : tensor<2x4xf32>, tensor<4x4xf32>) outs(%f : tensor<2x4xf32>) -> tensor<2x4xf32>
  // expected-error@+1 {{has another precision than the anchor of its sandwich}}
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g : tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) attrs = {halftone.precision = "int8"} {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.maximumf %u, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %y = halftone.composite "exp"(%r) {} attributes {halftone.precision = "float", halftone.reason = ""} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    halftone.yield %a : tensor<2x4xf32>
  }
  return %y : tensor<2x4xf32>
}
