// RUN: halftone-opt %s --halftone-differentiate --split-input-file --verify-diagnostics

// expected-error @+1 {{has no argument with halftone.trainable; run halftone-promote-constants}}
func.func @main(%x: tensor<f32>) -> tensor<f32> {
  return %x : tensor<f32>
}

// -----

// expected-error @+1 {{the first result must be one float, tensor<f32>: the loss}}
func.func @main(%x: tensor<2xf32> {halftone.trainable}) -> tensor<2xf32> {
  return %x : tensor<2xf32>
}

// -----

// expected-error @+1 {{argument 0 is trained, but is no tensor of floats}}
func.func @main(%x: tensor<2xi8> {halftone.trainable}, %l: tensor<f32>) -> tensor<f32> {
  return %l : tensor<f32>
}

// -----

func.func @main(%w: tensor<f32> {halftone.trainable}, %x: tensor<?xf32>) -> tensor<f32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  // expected-error @+1 {{has a dynamic shape: gradients are cut into parts by shape; fix the batch}}
  %e = tensor.empty(%n) : tensor<?xf32>
  return %w : tensor<f32>
}

// -----

// What the bits of a float become has no derivative: a logarithm's polynomial, for one.
func.func @main(%v: tensor<f32> {halftone.trainable}) -> tensor<f32> {
  %e = tensor.empty() : tensor<f32>
  %q = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%v : tensor<f32>) outs(%e : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    // expected-error @+1 {{has no derivative}}
    %b = arith.bitcast %a : f32 to i32
    %c = arith.sitofp %b : i32 to f32
    linalg.yield %c : f32
  } -> tensor<f32>
  return %q : tensor<f32>
}

// -----

// All that is in the way is named at once: an operation, a scalar, and a product as a reduction.
func.func @main(%w: tensor<4xf32> {halftone.trainable}, %v: tensor<f32> {halftone.trainable}) -> tensor<f32> {
  %e = tensor.empty() : tensor<f32>
  // expected-error @+1 {{has no derivative: only elementwise operations, sums and maxima have}}
  %p = linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> ()>], iterator_types = ["reduction"]}
      ins(%w : tensor<4xf32>) outs(%e : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %m = arith.mulf %a, %o : f32
    linalg.yield %m : f32
  } -> tensor<f32>
  %q = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%v : tensor<f32>) outs(%e : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    // expected-error @+1 {{has no derivative}}
    %m = math.atan %a : f32
    linalg.yield %m : f32
  } -> tensor<f32>
  %s = arith.constant dense<> : tensor<0xindex>
  // expected-error @+1 {{'tensor.reshape' has no derivative}}
  %r = tensor.reshape %v(%s) : (tensor<f32>, tensor<0xindex>) -> tensor<f32>
  %t = linalg.add ins(%p, %r : tensor<f32>, tensor<f32>) outs(%e : tensor<f32>) -> tensor<f32>
  %u = linalg.add ins(%t, %q : tensor<f32>, tensor<f32>) outs(%e : tensor<f32>) -> tensor<f32>
  return %u : tensor<f32>
}
