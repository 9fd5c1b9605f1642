// RUN: halftone-opt %s --halftone-equalize-layers --split-input-file --canonicalize | FileCheck %s
// RUN: halftone-opt %s --halftone-equalize-layers --halftone-equalize-layers --split-input-file --canonicalize | FileCheck %s

#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Columns of the ranges 8 and 2, rows of the ranges 2 and 8: factors 2 and 0.5. The bias and the bound of the clamp follow; the
// lower bound 0 stays. A second time nothing moves.
// CHECK: halftone.source_hash = "ab+equalized"
// CHECK-LABEL: @main
// CHECK-DAG: dense<{{\[\[}}4.000000e+00, 4.000000e+00], [-5.000000e-01, 2.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}4.000000e+00], [-4.000000e+00]]>
// CHECK-DAG: %[[BIAS:.*]] = arith.constant dense<2.000000e+00> : tensor<2xf32>
// CHECK-DAG: %[[BOUND:.*]] = arith.constant dense<[3.000000e+00, 1.200000e+01]>
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %[[BIAS]] :
// CHECK: linalg.generic {indexing_maps = [#map, #map1, #map], {{.*}}} ins(%[[B]], %[[BOUND]] :
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[U:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[L:.*]] = arith.maximumf %[[X]], %[[ZERO]]
// CHECK-NEXT: arith.minimumf %[[L]], %[[U]]
module attributes {halftone.source_hash = "ab"} {
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %six = arith.constant 6.0 : f32
  %w1 = arith.constant dense<[[8.0, 2.0], [-1.0, 1.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[2.0], [-8.0]]> : tensor<2x1xf32>
  %bias = arith.constant dense<[4.0, 1.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%b : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %l = arith.maximumf %a, %zero : f32
    %s = arith.minimumf %l, %six : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
}

// -----

#mn = affine_map<(m, n) -> (m, n)>

// What a residual addition reads, too, keeps its range; so does what a function is between that does not commute.
// CHECK-LABEL: @main
// CHECK-DAG: dense<{{\[\[}}8.000000e+00, 2.000000e+00], [-1.000000e+00, 1.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}2.000000e+00, 1.000000e+00], [-8.000000e+00, 0.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}3.000000e+00], [-9.000000e+00]]>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[8.0, 2.0], [-1.0, 1.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[2.0, 1.0], [-8.0, 0.0]]> : tensor<2x2xf32>
  %w3 = arith.constant dense<[[3.0], [-9.0]]> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %n = linalg.matmul ins(%m, %w2 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %s = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %n : tensor<1x2xf32>, tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %t = arith.addf %a, %c : f32
    linalg.yield %t : f32
  } -> tensor<1x2xf32>
  %t = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %o: f32):
    %q = arith.mulf %a, %a : f32
    linalg.yield %q : f32
  } -> tensor<1x2xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul ins(%t, %w3 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

// Through padding and a depthwise convolution: all three have the range 2 = 8^(1/3) for channel 0, when the sweeps end. Channel 1 is not
// read by the second.
// CHECK-LABEL: @main
// CHECK-DAG: dense<{{\[\[\[\[(2.000|1.999)[0-9e+]*}}, 3.000000e+00]]]]> : tensor<1x1x1x2xf32>
// CHECK-DAG: dense<{{\[\[\[(2.000|1.999)[0-9e+]*}}, 0.000000e+00]]]> : tensor<1x1x2xf32>
// CHECK-DAG: dense<{{\[\[\[\[(2.000|1.999)[0-9e+]*}}], [5.000000e+00]]]]> : tensor<1x1x2x1xf32>
func.func @main(%x: tensor<1x2x2x1xf32>) -> tensor<1x4x4x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[[[1.0, 3.0]]]]> : tensor<1x1x1x2xf32>
  %w2 = arith.constant dense<[[[8.0, 0.0]]]> : tensor<1x1x2xf32>
  %w3 = arith.constant dense<[[[[1.0], [5.0]]]]> : tensor<1x1x2x1xf32>
  %e1 = tensor.empty() : tensor<1x2x2x2xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %a = linalg.conv_2d_nhwc_hwcf ins(%x, %w1 : tensor<1x2x2x1xf32>, tensor<1x1x1x2xf32>) outs(%f1 : tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %p = tensor.pad %a low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x2xf32> to tensor<1x4x4x2xf32>
  %e2 = tensor.empty() : tensor<1x4x4x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %b = linalg.depthwise_conv_2d_nhwc_hwc ins(%p, %w2 : tensor<1x4x4x2xf32>, tensor<1x1x2xf32>) outs(%f2 : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  %e3 = tensor.empty() : tensor<1x4x4x1xf32>
  %f3 = linalg.fill ins(%zero : f32) outs(%e3 : tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32>
  %c = linalg.conv_2d_nhwc_hwcf ins(%b, %w3 : tensor<1x4x4x2xf32>, tensor<1x1x2x1xf32>) outs(%f3 : tensor<1x4x4x1xf32>) -> tensor<1x4x4x1xf32>
  return %c : tensor<1x4x4x1xf32>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// As the first, but channel 1 has the largest bias: multiplied, it would rule the range of all activations, so the factor stays 1.
// CHECK-LABEL: @main
// CHECK-DAG: dense<{{\[\[}}4.000000e+00, 2.000000e+00], [-5.000000e-01, 1.000000e+00]]>
// CHECK-DAG: dense<{{\[\[}}4.000000e+00], [-8.000000e+00]]>
// CHECK-DAG: dense<[5.000000e-01, 4.000000e+00]>
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[8.0, 2.0], [-1.0, 1.0]]> : tensor<2x2xf32>
  %w2 = arith.constant dense<[[2.0], [-8.0]]> : tensor<2x1xf32>
  %bias = arith.constant dense<[1.0, 4.0]> : tensor<2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w1 : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %b = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%m, %bias : tensor<1x2xf32>, tensor<2xf32>) outs(%e : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul ins(%b, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
