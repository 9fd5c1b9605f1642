// RUN: halftone-opt %s --halftone-verify-quantization --split-input-file --verify-diagnostics

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{is int8, but operand 0 is not dequantized}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int8"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
func.func @main(%q: tensor<4x!q>) -> tensor<4xf32> {
  %x = halftone.dequantize %q : tensor<4x!q> to tensor<4xf32>
  // expected-error@+1 {{is int8, but its result is not read by one halftone.quantize alone}}
  %y = halftone.composite "tanh"(%x) {} attributes {halftone.precision = "int8"} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.5}>
func.func @main(%q: tensor<1x2x!q>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %x = halftone.dequantize %q : tensor<1x2x!q> to tensor<1x2xf32>
  %codes = arith.constant dense<[[1, 2], [3, -128]]> : tensor<2x2xi8>
  %s = quant.scast %codes : tensor<2x2xi8> to tensor<2x2x!w>
  // expected-error@+1 {{has code -128 outside of the storage range}}
  %w = halftone.dequantize %s : tensor<2x2x!w> to tensor<2x2xf32>
  %y = linalg.matmul {halftone.precision = "int8"} ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
func.func @main(%q: tensor<1x2x!q>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %x = halftone.dequantize %q : tensor<1x2x!q> to tensor<1x2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  // expected-error@+1 {{is int8, but its weights are not dequantized}}
  %y = linalg.matmul {halftone.precision = "int8"} ins(%x, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
!r = !quant.uniform<i8:f32, 0.25>
func.func @main(%q: tensor<1x2x2x1x!q>) -> tensor<1x2x2x1x!r> {
  %zero = arith.constant 0xFF800000 : f32
  %e = tensor.empty() : tensor<1x2x2x1xf32>
  %window = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %x = halftone.dequantize %q : tensor<1x2x2x1x!q> to tensor<1x2x2x1xf32>
  // expected-error@+1 {{passes codes through, but its operand and its result differ in type}}
  %y = linalg.pooling_nhwc_max {halftone.precision = "int8"} ins(%x, %window : tensor<1x2x2x1xf32>, tensor<1x1xf32>) outs(%f : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  %r = halftone.quantize %y : tensor<1x2x2x1xf32> to tensor<1x2x2x1x!r>
  return %r : tensor<1x2x2x1x!r>
}

// -----

!q = !quant.uniform<i8:f32, 0.5>
func.func @main(%x: tensor<4xf32>, %q: tensor<4x!q>) {
  // expected-error@+1 {{may be folded away; use halftone.quantize and halftone.dequantize}}
  %y = quant.qcast %x : tensor<4xf32> to tensor<4x!q>
  // expected-error@+1 {{computes on quantized element types: dequantize its operands}}
  %z = halftone.composite "exp"(%q) {} : (tensor<4x!q>) -> tensor<4x!q> {
  ^bb0(%a: tensor<4x!q>):
    halftone.yield %a : tensor<4x!q>
  }
  return
}
