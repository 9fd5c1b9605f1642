// RUN: halftone-opt %s --halftone-convert-data-movement --canonicalize --cse | FileCheck %s

!qx = !quant.uniform<i8:f32, 0.5:-3>
!qy = !quant.uniform<i8:f32, 0.25:7>

// CHECK-LABEL: @reshapes
// CHECK: %[[C:.*]] = tensor.collapse_shape %{{.*}} : tensor<?x2x2xi8> into tensor<?x4xi8>
// CHECK: tensor.extract_slice %[[C]][0, 1] [%{{.*}}, 2] [1, 1] : tensor<?x4xi8> to tensor<?x2xi8>
// CHECK: linalg.transpose ins(%{{.*}} : tensor<?x2xi8>) outs(%{{.*}} : tensor<2x?xi8>)
// CHECK: halftone.dequantize
// CHECK-NEXT: return
func.func @reshapes(%xi: tensor<?x2x2xi8>, %n: index) -> tensor<2x?xf32> {
  %xq = quant.scast %xi : tensor<?x2x2xi8> to tensor<?x2x2x!qx>
  %x = halftone.dequantize %xq : tensor<?x2x2x!qx> to tensor<?x2x2xf32>
  %c = tensor.collapse_shape %x [[0], [1, 2]] : tensor<?x2x2xf32> into tensor<?x4xf32>
  %s = tensor.extract_slice %c[0, 1] [%n, 2] [1, 1] : tensor<?x4xf32> to tensor<?x2xf32>
  %e = tensor.empty(%n) : tensor<2x?xf32>
  %t = linalg.transpose ins(%s : tensor<?x2xf32>) outs(%e : tensor<2x?xf32>) permutation = [1, 0]
  return %t : tensor<2x?xf32>
}

// A quantized tensor moves as codes too.
// CHECK-LABEL: @quantized
// CHECK: tensor.collapse_shape %{{.*}} : tensor<2x2xi8> into tensor<4xi8>
func.func @quantized(%xi: tensor<2x2xi8>) -> tensor<4xi8> {
  %xq = quant.scast %xi : tensor<2x2xi8> to tensor<2x2x!qx>
  %c = tensor.collapse_shape %xq [[0, 1]] : tensor<2x2x!qx> into tensor<4x!qx>
  %ci = quant.scast %c : tensor<4x!qx> to tensor<4xi8>
  return %ci : tensor<4xi8>
}

// CHECK-LABEL: @same_types
// CHECK-NOT: linalg.generic
// CHECK: tensor.concat dim(1) %{{.*}}, %{{.*}} : (tensor<2x2xi8>, tensor<2x3xi8>) -> tensor<2x5xi8>
// CHECK-NEXT: return
func.func @same_types(%ai: tensor<2x2xi8>, %bi: tensor<2x3xi8>) -> tensor<2x5xi8> {
  %aq = quant.scast %ai : tensor<2x2xi8> to tensor<2x2x!qx>
  %bq = quant.scast %bi : tensor<2x3xi8> to tensor<2x3x!qx>
  %a = halftone.dequantize %aq : tensor<2x2x!qx> to tensor<2x2xf32>
  %b = halftone.dequantize %bq : tensor<2x3x!qx> to tensor<2x3xf32>
  %c = tensor.concat dim(1) %a, %b : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x5xf32>
  %yq = halftone.quantize %c : tensor<2x5xf32> to tensor<2x5x!qx>
  %yi = quant.scast %yq : tensor<2x5x!qx> to tensor<2x5xi8>
  return %yi : tensor<2x5xi8>
}

// With an input that is float it stays float, and as it is.
// CHECK-LABEL: @floats_beside
// CHECK: tensor.concat dim(1) %{{.*}}, %{{.*}} : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x5xf32>
func.func @floats_beside(%x: tensor<2x2xf32>, %b: tensor<2x3xf32>) -> tensor<2x5xf32> {
  %aq = halftone.quantize %x : tensor<2x2xf32> to tensor<2x2x!qx>
  %a = halftone.dequantize %aq : tensor<2x2x!qx> to tensor<2x2xf32>
  %c = tensor.concat dim(1) %a, %b : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x5xf32>
  return %c : tensor<2x5xf32>
}

// The second input requantizes by 0.25 / 0.5.
// CHECK-LABEL: @different_types
// CHECK-DAG: arith.constant 5.000000e-01 : f32
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x3xi8>) outs(%{{.*}} : tensor<2x3xi8>)
// CHECK: tensor.concat dim(1) %{{.*}}, %[[B]] : (tensor<2x2xi8>, tensor<2x3xi8>) -> tensor<2x5xi8>
func.func @different_types(%ai: tensor<2x2xi8>, %bi: tensor<2x3xi8>) -> tensor<2x5xi8> {
  %aq = quant.scast %ai : tensor<2x2xi8> to tensor<2x2x!qx>
  %bq = quant.scast %bi : tensor<2x3xi8> to tensor<2x3x!qy>
  %a = halftone.dequantize %aq : tensor<2x2x!qx> to tensor<2x2xf32>
  %b = halftone.dequantize %bq : tensor<2x3x!qy> to tensor<2x3xf32>
  %c = tensor.concat dim(1) %a, %b : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x5xf32>
  %yq = halftone.quantize %c : tensor<2x5xf32> to tensor<2x5x!qx>
  %yi = quant.scast %yq : tensor<2x5x!qx> to tensor<2x5xi8>
  return %yi : tensor<2x5xi8>
}

// The quantization comes next to what computes the value.
// CHECK-LABEL: @quantize_first
// CHECK: halftone.quantize %{{.*}} : tensor<2x2xf32>
// CHECK: tensor.collapse_shape %{{.*}} : tensor<2x2xi8> into tensor<4xi8>
func.func @quantize_first(%x: tensor<2x2xf32>) -> tensor<4xi8> {
  %c = tensor.collapse_shape %x [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  %yq = halftone.quantize %c : tensor<4xf32> to tensor<4x!qx>
  %yi = quant.scast %yq : tensor<4x!qx> to tensor<4xi8>
  return %yi : tensor<4xi8>
}

// A nearest resize copies: its body on codes.
// CHECK-LABEL: @resize
// CHECK: %[[G:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2xi8>) outs(%{{.*}} : tensor<2x2xi8>)
// CHECK-NEXT: ^bb0(%[[IN:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: linalg.yield %[[IN]] : i8
// CHECK: tensor.collapse_shape %[[G]] {{.*}} : tensor<2x2xi8> into tensor<4xi8>
func.func @resize(%xi: tensor<2xi8>) -> tensor<4xi8> {
  %xq = quant.scast %xi : tensor<2xi8> to tensor<2x!qx>
  %x = halftone.dequantize %xq : tensor<2x!qx> to tensor<2xf32>
  %y = halftone.composite "resize"(%x) {} : (tensor<2xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<2xf32>):
    %e = tensor.empty() : tensor<2x2xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
        ins(%a : tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
    ^bb0(%u: f32, %o: f32):
      linalg.yield %u : f32
    } -> tensor<2x2xf32>
    %c = tensor.collapse_shape %r [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
    halftone.yield %c : tensor<4xf32>
  }
  %yq = halftone.quantize %y : tensor<4xf32> to tensor<4x!qx>
  %yi = quant.scast %yq : tensor<4x!qx> to tensor<4xi8>
  return %yi : tensor<4xi8>
}

// Left alone: other numbers as padding, -inf that something else than a max pool reads, scales by channel.
// CHECK-LABEL: @left_alone
// CHECK: tensor.pad {{.*}}
// CHECK: tensor<2xf32> to tensor<3xf32>
// CHECK: tensor.pad {{.*}}
// CHECK: tensor<2xf32> to tensor<3xf32>
// CHECK: tensor.collapse_shape %{{.*}} : tensor<2x1xf32> into tensor<2xf32>
func.func @left_alone(%xi: tensor<2xi8>, %wi: tensor<2x1xi8>) -> (tensor<3xf32>, tensor<3xf32>, tensor<2xf32>) {
  %one = arith.constant 1.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %xq = quant.scast %xi : tensor<2xi8> to tensor<2x!qx>
  %x = halftone.dequantize %xq : tensor<2x!qx> to tensor<2xf32>
  %p = tensor.pad %x low[0] high[1] {
  ^bb0(%i: index):
    tensor.yield %one : f32
  } : tensor<2xf32> to tensor<3xf32>
  %q = tensor.pad %x low[0] high[1] {
  ^bb0(%i: index):
    tensor.yield %low : f32
  } : tensor<2xf32> to tensor<3xf32>
  %wq = quant.scast %wi : tensor<2x1xi8> to tensor<2x1x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>>
  %w = halftone.dequantize %wq : tensor<2x1x!quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25}>> to tensor<2x1xf32>
  %c = tensor.collapse_shape %w [[0, 1]] : tensor<2x1xf32> into tensor<2xf32>
  return %p, %q, %c : tensor<3xf32>, tensor<3xf32>, tensor<2xf32>
}
