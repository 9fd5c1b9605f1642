// RUN: halftone-opt %s --halftone-precision-pipeline --halftone-insert-casts --halftone-unify-scales --halftone-propagate-casts | FileCheck %s
// RUN: halftone-opt %s --canonicalize --cse --halftone-precision-pipeline --canonicalize --cse \
// RUN:   --halftone-insert-casts --canonicalize --cse --linalg-fuse-elementwise-ops \
// RUN:   --halftone-unify-scales --canonicalize --cse --linalg-fuse-elementwise-ops \
// RUN:   --halftone-propagate-casts --canonicalize --cse --linalg-fuse-elementwise-ops | FileCheck %s

// Upstream's canonicalization, CSE and fusion between the steps delete no cast: each of the three values that int8
// operations read is rounded, and seen rounded by all of them. Upstream's quant.qcast and quant.dcast would cancel here.

// CHECK-COUNT-3: halftone.quantize
// CHECK-NOT: halftone.quantize

// RUN: halftone-opt %s --halftone-precision-pipeline --halftone-insert-casts --canonicalize --cse --linalg-fuse-elementwise-ops \
// RUN:   | grep -c halftone.dequantize | FileCheck %s --check-prefix=DEQUANTIZE
// Three activations, two weights.
// DEQUANTIZE: 5

#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>
#c = affine_map<(n, h, w, c) -> (c)>
#parallel = ["parallel", "parallel", "parallel", "parallel"]
func.func @main(%x: tensor<1x4x4x2xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> (tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[[[1.27, 0.5], [-0.64, 0.1]]]]> : tensor<1x1x2x2xf32>
  %w2 = arith.constant dense<[[[[1.0, 0.5], [-0.5, 0.1]]]]> : tensor<1x1x2x2xf32>
  %b1 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %empty = tensor.empty() : tensor<1x4x4x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %conv = linalg.conv_2d_nhwc_hwcf ins(%x, %w1 : tensor<1x4x4x2xf32>, tensor<1x1x2x2xf32>)
      outs(%init : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %biased = linalg.generic {indexing_maps = [#nhwc, #c, #nhwc], iterator_types = #parallel}
      ins(%conv, %b1 : tensor<1x4x4x2xf32>, tensor<2xf32>) outs(%empty : tensor<1x4x4x2xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x2xf32>
  %relu = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = #parallel}
      ins(%biased : tensor<1x4x4x2xf32>) outs(%empty : tensor<1x4x4x2xf32>) attrs = {halftone.range = array<f32: 0.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x4x4x2xf32>
  %conv2 = linalg.conv_2d_nhwc_hwcf ins(%relu, %w2 : tensor<1x4x4x2xf32>, tensor<1x1x2x2xf32>)
      outs(%init : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %sum = linalg.generic {indexing_maps = [#nhwc, #nhwc, #nhwc], iterator_types = #parallel}
      ins(%conv2, %relu : tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>) outs(%empty : tensor<1x4x4x2xf32>) attrs = {halftone.range = array<f32: -2.0, 4.0>} {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x2xf32>
  %conv3 = linalg.conv_2d_nhwc_hwcf ins(%sum, %w2 : tensor<1x4x4x2xf32>, tensor<1x1x2x2xf32>)
      outs(%init : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  return %conv3, %relu : tensor<1x4x4x2xf32>, tensor<1x4x4x2xf32>
}
