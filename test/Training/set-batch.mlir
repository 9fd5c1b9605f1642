// RUN: halftone-opt %s --halftone-set-batch=size=8 --canonicalize --cse --split-input-file | FileCheck %s

// A network with casts, a padding, a composite, a flattening and a bias written first; weights stay.
// CHECK-LABEL: func @main(%arg0: tensor<8x4x4x2xf32>
// CHECK-SAME: -> tensor<8x3xf32>
// CHECK: halftone.quantize %arg0 : tensor<8x4x4x2xf32> to tensor<8x4x4x2x!quant.uniform<i8:f32, 5.000000e-01>>
// CHECK: tensor.pad {{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: tensor<8x4x4x2xf32> to tensor<8x6x6x2xf32>
// CHECK: linalg.conv_2d_nhwc_hwcf ins({{.*}} : tensor<8x6x6x2xf32>, tensor<3x3x2x5xf32>) outs({{.*}} : tensor<8x4x4x5xf32>)
// CHECK: halftone.composite "relu"
// CHECK-NEXT: ^bb0(%{{.*}}: tensor<8x4x4x5xf32>):
// CHECK: tensor.empty() : tensor<8x4x4x5xf32>
// CHECK: tensor.collapse_shape {{.*}} {{\[\[0\], \[1, 2, 3\]\]}} : tensor<8x4x4x5xf32> into tensor<8x80xf32>
// CHECK: linalg.broadcast ins({{.*}} : tensor<3xf32>) outs({{.*}} : tensor<8x3xf32>) dimensions = [0]
// CHECK: linalg.matmul ins({{.*}} : tensor<8x80xf32>, tensor<80x3xf32>)
#id = affine_map<(a, b, c, d) -> (a, b, c, d)>
func.func @main(%x: tensor<1x4x4x2xf32> {halftone.name = "x"}) -> tensor<1x3xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<0.5> : tensor<3x3x2x5xf32>
  %v = arith.constant dense<0.25> : tensor<80x3xf32>
  %bias = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %q = halftone.quantize %x : tensor<1x4x4x2xf32> to tensor<1x4x4x2x!quant.uniform<i8:f32, 0.5>>
  %d = halftone.dequantize %q : tensor<1x4x4x2x!quant.uniform<i8:f32, 0.5>> to tensor<1x4x4x2xf32>
  %p = tensor.pad %d low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %e = tensor.empty() : tensor<1x4x4x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  %c = linalg.conv_2d_nhwc_hwcf ins(%p, %w : tensor<1x6x6x2xf32>, tensor<3x3x2x5xf32>) outs(%f : tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32>
  %r = halftone.composite "relu"(%c) {} : (tensor<1x4x4x5xf32>) -> tensor<1x4x4x5xf32> {
  ^bb0(%in: tensor<1x4x4x5xf32>):
    %n = arith.constant 0.0 : f32
    %o = tensor.empty() : tensor<1x4x4x5xf32>
    %g = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
        ins(%in : tensor<1x4x4x5xf32>) outs(%o : tensor<1x4x4x5xf32>) {
    ^bb1(%a: f32, %b: f32):
      %m = arith.maximumf %a, %n : f32
      linalg.yield %m : f32
    } -> tensor<1x4x4x5xf32>
    halftone.yield %g : tensor<1x4x4x5xf32>
  }
  %flat = tensor.collapse_shape %r [[0, 1, 2, 3]] : tensor<1x4x4x5xf32> into tensor<80xf32>
  %rows = tensor.expand_shape %flat [[0, 1]] output_shape [1, 80] : tensor<80xf32> into tensor<1x80xf32>
  %e1 = tensor.empty() : tensor<1x3xf32>
  %init = linalg.broadcast ins(%bias : tensor<3xf32>) outs(%e1 : tensor<1x3xf32>) dimensions = [0]
  %y = linalg.matmul ins(%rows, %v : tensor<1x80xf32>, tensor<80x3xf32>) outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  return %y : tensor<1x3xf32>
}

// -----

// A dynamic batch becomes one number.
// CHECK-LABEL: func @main(%arg0: tensor<8x2xf32>) -> tensor<8x2xf32>
// CHECK-NOT: ?
func.func @main(%x: tensor<?x2xf32> {halftone.dims = [#halftone.dim<"batch", 1, 32>, unit]}) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x2xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %y = linalg.exp ins(%x : tensor<?x2xf32>) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
