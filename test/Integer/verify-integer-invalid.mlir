// RUN: halftone-opt %s --halftone-verify-integer --split-input-file --verify-diagnostics

!qx = !quant.uniform<i8:f32, 0.5:-3>
module {
  func.func @cast(%x: tensor<4xf32>) -> tensor<4xi8> {
    // expected-error @+1 {{has the quantized type 'tensor<4x!quant.uniform<i8:f32, 5.000000e-01:-3>>' behind the integer stage}}
    %q = halftone.quantize %x : tensor<4xf32> to tensor<4x!qx>
    %i = quant.scast %q : tensor<4x!qx> to tensor<4xi8>
    return %i : tensor<4xi8>
  }
}

// -----

module {
  // expected-error @+1 {{has the quantized type}}
  func.func @argument(%x: tensor<4x!halftone.codebook<2, axis = 0>>) {
    return
  }
}

// -----

// 140000 * 127 * 128 is more than 2^31.
module {
  func.func @weights(%x: tensor<1x140000xi8>, %i: tensor<1x1xi32>) -> tensor<1x1xi32> {
    %w = arith.constant dense<127> : tensor<140000x1xi8>
    // expected-error @+1 {{its accumulator of channel 0 can reach 2275840000, beyond 32 bits (rule A18)}}
    %y = linalg.matmul ins(%x, %w : tensor<1x140000xi8>, tensor<140000x1xi8>) outs(%i : tensor<1x1xi32>) -> tensor<1x1xi32>
    return %y : tensor<1x1xi32>
  }
}

// -----

// The sum alone fits; with the bias of channel 1 it does not.
#id = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
module {
  func.func @bias(%x: tensor<1x4xi8>, %i: tensor<1x2xi32>) -> tensor<1x2xi32> {
    %w = arith.constant dense<1> : tensor<4x2xi8>
    %b = arith.constant dense<[0, 2147483640]> : tensor<2xi32>
    // expected-error @+1 {{its accumulator of channel 1 can reach 2147484152, beyond 32 bits (rule A18)}}
    %y = linalg.matmul ins(%x, %w : tensor<1x4xi8>, tensor<4x2xi8>) outs(%i : tensor<1x2xi32>) -> tensor<1x2xi32>
    %z = linalg.generic {indexing_maps = [#id, #n, #id], iterator_types = ["parallel", "parallel"]}
        ins(%y, %b : tensor<1x2xi32>, tensor<2xi32>) outs(%i : tensor<1x2xi32>) {
    ^bb0(%u: i32, %v: i32, %o: i32):
      %0 = arith.addi %u, %v : i32
      linalg.yield %0 : i32
    } -> tensor<1x2xi32>
    return %z : tensor<1x2xi32>
  }
}

// -----

module {
  func.func @window(%x: tensor<1x3000x3000x1xi8>, %i: tensor<1x1x1x1xi32>) -> tensor<1x1x1x1xi32> {
    %k = tensor.empty() : tensor<3000x3000xi8>
    // expected-error @+1 {{its accumulator can reach 2304000000, beyond 32 bits (rule A18)}}
    %y = linalg.pooling_nhwc_sum ins(%x, %k : tensor<1x3000x3000x1xi8>, tensor<3000x3000xi8>) outs(%i : tensor<1x1x1x1xi32>) -> tensor<1x1x1x1xi32>
    return %y : tensor<1x1x1x1xi32>
  }
}

// -----

// Zero points count: 40000 * (128 + 128) * (128 + 127).
module {
  func.func @product(%x: tensor<1x1x40000xi8>, %y: tensor<1x40000x1xi8>, %i: tensor<1x1x1xi32>) -> tensor<1x1x1xi32> {
    %a = arith.constant -128 : i32
    %b = arith.constant 127 : i32
    // expected-error @+1 {{its accumulator can reach 2611200000, beyond 32 bits (rule A18)}}
    %z = linalg.quantized_batch_matmul ins(%x, %y, %a, %b : tensor<1x1x40000xi8>, tensor<1x40000x1xi8>, i32, i32) outs(%i : tensor<1x1x1xi32>) -> tensor<1x1x1xi32>
    return %z : tensor<1x1x1xi32>
  }
}

// -----

// Half of the products are float; each float operation says why.
#map = affine_map<(m, n) -> (m, n)>
// expected-remark @+1 {{50.00 % of 16 multiply-accumulates run in integers}}
module {
  func.func @float(%x: tensor<1x4xi8>, %f: tensor<1x4xf32>, %i: tensor<1x2xi32>, %j: tensor<1x2xf32>) -> (tensor<1x2xi32>, tensor<1x2xf32>) {
    %w = arith.constant dense<1> : tensor<4x2xi8>
    %v = arith.constant dense<1.0> : tensor<4x2xf32>
    %y = linalg.matmul ins(%x, %w : tensor<1x4xi8>, tensor<4x2xi8>) outs(%i : tensor<1x2xi32>) -> tensor<1x2xi32>
    // expected-remark @+1 {{stays float: asked for}}
    %z = linalg.matmul {halftone.reason = "asked for"} ins(%f, %v : tensor<1x4xf32>, tensor<4x2xf32>) outs(%j : tensor<1x2xf32>) -> tensor<1x2xf32>
    // expected-remark @+1 {{stays float (exp): not between quantized tensors}}
    %e = halftone.composite "exp"(%z) {} : (tensor<1x2xf32>) -> tensor<1x2xf32> {
    ^bb0(%a: tensor<1x2xf32>):
      halftone.yield %a : tensor<1x2xf32>
    }
    return %y, %e : tensor<1x2xi32>, tensor<1x2xf32>
  }
}
