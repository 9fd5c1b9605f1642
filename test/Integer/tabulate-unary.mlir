// RUN: halftone-opt %s --halftone-expand-math --halftone-tabulate-unary --halftone-convert-boundaries --canonicalize --cse | FileCheck %s
// RUN: halftone-opt %s --mlir-disable-threading --halftone-expand-math --halftone-tabulate-unary --halftone-convert-boundaries --canonicalize \
// RUN:   --halftone-evaluate -o /dev/null | FileCheck %s --check-prefix=VALUES

#id = affine_map<(d0) -> (d0)>
#first = affine_map<(d0) -> (0)>
!qx = !quant.uniform<i8:f32, 0.0625:0>
!qy = !quant.uniform<i8:f32, 0.00390625:-128>

// sigmoid(-8), sigmoid(-1/16) = 0.48438, sigmoid(0), sigmoid(1/16) = 0.51562, sigmoid(127/16) = 0.99964: times 256 minus 128.
// CHECK-LABEL: @sigmoid
// CHECK-NOT: linalg.generic
// CHECK: halftone.lookup ins(%{{.*}}, %{{.*}} : tensor<5xi8>, tensor<256xi8>)
// CHECK-NEXT: return
// VALUES: sigmoid#0: 5xi8 = -128 -4 0 4 127
func.func @sigmoid() -> tensor<5xi8> {
  %xi = arith.constant dense<[-128, -1, 0, 1, 127]> : tensor<5xi8>
  %xq = quant.scast %xi : tensor<5xi8> to tensor<5x!qx>
  %x = halftone.dequantize %xq : tensor<5x!qx> to tensor<5xf32>
  %y = halftone.composite "sigmoid"(%x) {} : (tensor<5xf32>) -> tensor<5xf32> {
  ^bb0(%a: tensor<5xf32>):
    %one = arith.constant 1.0 : f32
    %e = tensor.empty() : tensor<5xf32>
    %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%a : tensor<5xf32>) outs(%e : tensor<5xf32>) {
    ^bb0(%v: f32, %o: f32):
      %n = arith.negf %v : f32
      %p = math.exp %n : f32
      %d = arith.addf %p, %one : f32
      %q = arith.divf %one, %d : f32
      linalg.yield %q : f32
    } -> tensor<5xf32>
    halftone.yield %s : tensor<5xf32>
  }
  %yq = halftone.quantize %y : tensor<5xf32> to tensor<5x!qy>
  %yi = quant.scast %yq : tensor<5x!qy> to tensor<5xi8>
  return %yi : tensor<5xi8>
}

// A chain that reads its source twice (x * (x + 2)), behind a Relu, with a dynamic size.
// CHECK-LABEL: @chain
// CHECK: halftone.lookup ins(%{{.*}}, %{{.*}} : tensor<?xi8>, tensor<256xi8>)
// CHECK-NEXT: return
func.func @chain(%xi: tensor<?xi8>, %n: index) -> tensor<?xi8> {
  %zero = arith.constant 0.0 : f32
  %two = arith.constant dense<2.0> : tensor<1xf32>
  %xq = quant.scast %xi : tensor<?xi8> to tensor<?x!qx>
  %x = halftone.dequantize %xq : tensor<?x!qx> to tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]} ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %m = arith.maximumf %v, %zero : f32
    linalg.yield %m : f32
  } -> tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #first, #id], iterator_types = ["parallel"]}
      ins(%x, %r, %two : tensor<?xf32>, tensor<?xf32>, tensor<1xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%v: f32, %w: f32, %t: f32, %o: f32):
    %s = arith.addf %v, %t : f32
    %p = arith.mulf %w, %s : f32
    linalg.yield %p : f32
  } -> tensor<?xf32>
  %yq = halftone.quantize %y : tensor<?xf32> to tensor<?x!qy>
  %yi = quant.scast %yq : tensor<?x!qy> to tensor<?xi8>
  return %yi : tensor<?xi8>
}

// A change of type is a table as well; the same type is nothing.
// CHECK-LABEL: @retype
// CHECK: halftone.lookup
// CHECK-LABEL: @same_type
// CHECK-NOT: halftone.lookup
func.func @retype(%xi: tensor<4xi8>) -> tensor<4xi8> {
  %xq = quant.scast %xi : tensor<4xi8> to tensor<4x!qx>
  %x = halftone.dequantize %xq : tensor<4x!qx> to tensor<4xf32>
  %yq = halftone.quantize %x : tensor<4xf32> to tensor<4x!qy>
  %yi = quant.scast %yq : tensor<4x!qy> to tensor<4xi8>
  return %yi : tensor<4xi8>
}
func.func @same_type(%xi: tensor<4xi8>) -> tensor<4xi8> {
  %xq = quant.scast %xi : tensor<4xi8> to tensor<4x!qx>
  %x = halftone.dequantize %xq : tensor<4x!qx> to tensor<4xf32>
  %yq = halftone.quantize %x : tensor<4xf32> to tensor<4x!qx>
  %yi = quant.scast %yq : tensor<4x!qx> to tensor<4xi8>
  return %yi : tensor<4xi8>
}

// Left alone: constants by channel, two sources, another shape.
// CHECK-LABEL: @by_channel
// CHECK-NOT: halftone.lookup
func.func @by_channel(%xi: tensor<2xi8>) -> tensor<2xi8> {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %xq = quant.scast %xi : tensor<2xi8> to tensor<2x!qx>
  %x = halftone.dequantize %xq : tensor<2x!qx> to tensor<2xf32>
  %e = tensor.empty() : tensor<2xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]} ins(%x, %c : tensor<2xf32>, tensor<2xf32>) outs(%e : tensor<2xf32>) {
  ^bb0(%v: f32, %w: f32, %o: f32):
    %p = arith.mulf %v, %w : f32
    linalg.yield %p : f32
  } -> tensor<2xf32>
  %yq = halftone.quantize %y : tensor<2xf32> to tensor<2x!qy>
  %yi = quant.scast %yq : tensor<2x!qy> to tensor<2xi8>
  return %yi : tensor<2xi8>
}

// CHECK-LABEL: @broadcast
// CHECK-NOT: halftone.lookup
func.func @broadcast(%xi: tensor<1xi8>) -> tensor<4xi8> {
  %xq = quant.scast %xi : tensor<1xi8> to tensor<1x!qx>
  %x = halftone.dequantize %xq : tensor<1x!qx> to tensor<1xf32>
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#first, #id], iterator_types = ["parallel"]} ins(%x : tensor<1xf32>) outs(%e : tensor<4xf32>) {
  ^bb0(%v: f32, %o: f32):
    %p = arith.negf %v : f32
    linalg.yield %p : f32
  } -> tensor<4xf32>
  %yq = halftone.quantize %y : tensor<4xf32> to tensor<4x!qy>
  %yi = quant.scast %yq : tensor<4x!qy> to tensor<4xi8>
  return %yi : tensor<4xi8>
}
