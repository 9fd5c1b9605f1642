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
