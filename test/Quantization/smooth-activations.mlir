// RUN: halftone-opt %s --halftone-smooth-activations --split-input-file --canonicalize | FileCheck %s
// RUN: halftone-opt %s --halftone-smooth-activations=alpha=1 --split-input-file --canonicalize | FileCheck %s --check-prefix=ALL
// RUN: halftone-opt %s --halftone-smooth-activations=automatic --split-input-file --canonicalize | FileCheck %s --check-prefix=AUTO
// RUN: not halftone-opt %s --halftone-smooth-activations=alpha=1.5 --split-input-file 2>&1 | FileCheck %s --check-prefix=ALPHA
// RUN: halftone-opt %s --halftone-smooth-activations="automatic weights=int2" --split-input-file --canonicalize | FileCheck %s --check-prefix=FEW
// RUN: not halftone-opt %s --halftone-smooth-activations="weights=int9 granularity=group:32" --split-input-file 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: has no format of weights 'int9' by 'group:32'
// Weights of two bits have the larger error, which factors make larger: nothing is divided.
// FEW-NOT: halftone.channel_factors
// ALPHA: needs an alpha from 0 to 1, got 1.5

#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Behind a contraction. Channel 0 reaches 16 and is read by 1, channel 1 reaches 1 (negative) and is read by 1: factors 4 and 1. The bound
// follows, so does the range, and the mean of the input channel.
// CHECK-LABEL: @main
// CHECK-DAG: dense<{{\[\[}}2.500000e-01, 1.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG: dense<{{\[\[}}4.000000e+00], [1.000000e+00]]> : tensor<2x1xf32>
// CHECK-DAG: dense<[5.000000e+00, 2.000000e+01]> : tensor<2xf32>
// CHECK: linalg.generic {{.*}}halftone.range = array<f32: -1.000000e+00, 4.000000e+00>
// CHECK: arith.minimumf
// CHECK: linalg.matmul {halftone.channel_means = array<f32: 2.000000e+00, -5.000000e-01>}
// ALL-LABEL: @main
// ALL: dense<{{\[\[}}1.600000e+01], [1.000000e+00]]> : tensor<2x1xf32>
// ALL: halftone.range = array<f32: -1.000000e+00, 1.000000e+00>
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %twenty = arith.constant 20.0 : f32
  %w1 = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %w2 = arith.constant dense<1.0> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w1 : tensor<1x1xf32>, tensor<1x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>)
      attrs = {halftone.range = array<f32: -1.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = arith.minimumf %a, %twenty : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul {halftone.channel_lows = array<f32: 0.0, -1.0>, halftone.channel_highs = array<f32: 16.0, 0.5>, halftone.channel_means = array<f32: 8.0, -0.5>}
      ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Behind a normalization whose result a residual addition reads, too: the matrix product gets a copy of z * gamma + beta, divided by 4 and
// 1; the addition keeps its own. The reshape in front of the product is copied. Of a z that is codes it would be codes itself: left alone.
// CHECK-LABEL: @main
// CHECK-DAG: %[[F:.*]] = arith.constant dense<[2.500000e-01, 1.000000e+00]> : tensor<2xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[\[}}4.000000e+00, 4.000000e+00], [1.000000e+00, 1.000000e+00]]> : tensor<2x2xf32>
// CHECK: %[[B:.*]] = linalg.generic {{.*}}halftone.range = array<f32: -1.000000e+00, 1.600000e+01>
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[B]], %[[F]] :
// CHECK-SAME: halftone.channel_factors = array<f32: 4.000000e+00, 1.000000e+00>, halftone.range = array<f32: -1.000000e+00, 4.000000e+00>
// CHECK: arith.mulf
// CHECK: %[[C:.*]] = tensor.collapse_shape %[[S]]
// CHECK: linalg.matmul ins(%[[C]], %[[W]] :
func.func @main(%z: tensor<1x1x2xf32>) -> (tensor<1x2xf32>, tensor<1x1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %gamma = arith.constant dense<[8.0, 2.0]> : tensor<2xf32>
  %beta = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %e3 = tensor.empty() : tensor<1x1x2xf32>
  %t = halftone.composite "normalize"(%z) {} : (tensor<1x1x2xf32>) -> tensor<1x1x2xf32> {
  ^bb0(%a: tensor<1x1x2xf32>):
    halftone.yield %a : tensor<1x1x2xf32>
  }
  %g = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%t, %gamma : tensor<1x1x2xf32>, tensor<2xf32>) outs(%e3 : tensor<1x1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.mulf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x1x2xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g, %beta : tensor<1x1x2xf32>, tensor<2xf32>) outs(%e3 : tensor<1x1x2xf32>) attrs = {halftone.range = array<f32: -1.0, 16.0>} {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x1x2xf32>
  %c = tensor.collapse_shape %b [[0, 1], [2]] : tensor<1x1x2xf32> into tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.channel_lows = array<f32: 0.0, -1.0>, halftone.channel_highs = array<f32: 16.0, 0.5>}
      ins(%c, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %m, %b : tensor<1x2xf32>, tensor<1x1x2xf32>
}

// -----

// CHECK-LABEL: @main
// CHECK-NOT: channel_factors
// CHECK: return
func.func @main(%z: tensor<1x1x2xf32>) -> (tensor<1x2xf32>, tensor<1x1x2xf32>) {
  %zero = arith.constant 0.0 : f32
  %gamma = arith.constant dense<[8.0, 2.0]> : tensor<2xf32>
  %beta = arith.constant dense<[1.0, 1.0]> : tensor<2xf32>
  %w = arith.constant dense<1.0> : tensor<2x2xf32>
  %e3 = tensor.empty() : tensor<1x1x2xf32>
  %g = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%z, %gamma : tensor<1x1x2xf32>, tensor<2xf32>) outs(%e3 : tensor<1x1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.mulf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x1x2xf32>
  %b = linalg.generic {indexing_maps = [affine_map<(a, m, n) -> (a, m, n)>, affine_map<(a, m, n) -> (n)>, affine_map<(a, m, n) -> (a, m, n)>], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%g, %beta : tensor<1x1x2xf32>, tensor<2xf32>) outs(%e3 : tensor<1x1x2xf32>) attrs = {halftone.range = array<f32: -1.0, 16.0>} {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x1x2xf32>
  %c = tensor.collapse_shape %b [[0, 1], [2]] : tensor<1x1x2xf32> into tensor<1x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul {halftone.channel_lows = array<f32: 0.0, -1.0>, halftone.channel_highs = array<f32: 16.0, 0.5>}
      ins(%c, %w : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  return %m, %b : tensor<1x2xf32>, tensor<1x1x2xf32>
}

// -----

// Nothing makes the value that could take factors: the attributes go, the weights stay.
// CHECK-LABEL: @main
// CHECK: arith.constant dense<1.000000e+00> : tensor<2x1xf32>
// CHECK: linalg.matmul ins(
func.func @main(%x: tensor<1x2xf32> {halftone.range = array<f32: -1.0, 16.0>}) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %m = linalg.matmul {halftone.channel_lows = array<f32: 0.0, -1.0>, halftone.channel_highs = array<f32: 16.0, 0.5>}
      ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %m : tensor<1x1xf32>
}

// -----

#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Behind a function that is not homogeneous: a multiplication at the end of the sandwich, whose range moves there.
// Channel 0 reaches 16, channel 1 reaches 0.25; both are read by 1. With alpha = 1/2 their steps are divided by 4 and 1/2.
// CHECK-LABEL: @main
// CHECK-DAG: %[[F:.*]] = arith.constant dense<[2.500000e-01, 2.000000e+00]> : tensor<2xf32>
// CHECK-DAG: dense<{{\[\[}}4.000000e+00], [5.000000e-01]]> : tensor<2x1xf32>
// CHECK: %[[R:.*]] = linalg.generic
// CHECK-NOT: halftone.range
// CHECK: math.absf
// CHECK: linalg.generic {{.*}} ins(%[[R]], %[[F]] :
// CHECK-SAME: halftone.channel_factors = array<f32: 4.000000e+00, 5.000000e-01>, halftone.range = array<f32: 0.000000e+00, 4.000000e+00>
// The choice leaves the first case alone, a clamp. Here less than even steps are best, as the weights of the small channel would be rounded to little.
// AUTO-NOT: halftone.channel_factors
// AUTO: halftone.channel_factors = array<f32: 2.82842708, 1.000000e+00>
// AUTO: halftone.channel_factors = array<f32: 5.65685415, 0.420448214>
func.func @main(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %w2 = arith.constant dense<1.0> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %w1 : tensor<1x1xf32>, tensor<1x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]} ins(%m : tensor<1x2xf32>) outs(%e : tensor<1x2xf32>)
      attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %e1 = tensor.empty() : tensor<1x1xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  %y = linalg.matmul {halftone.channel_lows = array<f32: 0.0, 0.0>, halftone.channel_highs = array<f32: 16.0, 0.25>}
      ins(%r, %w2 : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f1 : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}

// -----

#bhwc = affine_map<(b, h, w, c) -> (b, h, w, c)>

// CHECK-LABEL: @main
// In front of a depthwise convolution each channel gets all codes: its weights have a scale of their own. So is the choice, whatever alpha is.
// AUTO: func.func @main(%{{.*}}: tensor<1x4x4x1xf32>)
// AUTO-DAG: arith.constant dense<[6.250000e-02, 4.000000e+00, 4.000000e+00, 4.000000e+00, 4.000000e+00, 4.000000e+00, 4.000000e+00, 4.000000e+00]> : tensor<8xf32>
// AUTO-DAG: dense<{{.*}}[1.600000e+01, 2.500000e-01, 2.500000e-01,
// AUTO: halftone.channel_factors = array<f32: 1.600000e+01, 2.500000e-01, {{.*}}>, halftone.range = array<f32: 0.000000e+00, 1.000000e+00>
func.func @main(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<1x1x1x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<1x1x8xf32>
  %e = tensor.empty() : tensor<1x4x4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %m = linalg.conv_2d_nhwc_hwcf ins(%x, %w1 : tensor<1x4x4x1xf32>, tensor<1x1x1x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %r = linalg.generic {indexing_maps = [#bhwc, #bhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%m : tensor<1x4x4x8xf32>) outs(%e : tensor<1x4x4x8xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x8xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc {halftone.channel_positions = 1024 : i64, halftone.channel_lows = array<f32: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0>, halftone.channel_highs = array<f32: 16.0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25>}
      ins(%r, %w2 : tensor<1x4x4x8xf32>, tensor<1x1x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// -----

#bhwc = affine_map<(b, h, w, c) -> (b, h, w, c)>

// The same, seen at too few positions to know how large its channels get: the choice leaves it alone.
// CHECK-LABEL: @main
// AUTO: func.func @main(%{{.*}}: tensor<1x4x4x1xf32>)
// AUTO-NOT: halftone.channel
// AUTO: linalg.depthwise_conv_2d_nhwc_hwc ins
func.func @main(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<1x1x1x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<1x1x8xf32>
  %e = tensor.empty() : tensor<1x4x4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %m = linalg.conv_2d_nhwc_hwcf ins(%x, %w1 : tensor<1x4x4x1xf32>, tensor<1x1x1x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %r = linalg.generic {indexing_maps = [#bhwc, #bhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%m : tensor<1x4x4x8xf32>) outs(%e : tensor<1x4x4x8xf32>) attrs = {halftone.range = array<f32: 0.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<1x4x4x8xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc {halftone.channel_positions = 1023 : i64, halftone.channel_lows = array<f32: 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0>, halftone.channel_highs = array<f32: 16.0, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25, 0.25>}
      ins(%r, %w2 : tensor<1x4x4x8xf32>, tensor<1x1x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// -----

// What a contraction makes is a scalar for its reader: a reshape that leaves no channels.
// CHECK-LABEL: @main
// CHECK: tensor.collapse_shape
func.func @main(%x: tensor<1x2xf32>) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<2x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %m = linalg.matmul ins(%x, %w : tensor<1x2xf32>, tensor<2x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  %s = tensor.collapse_shape %m [] : tensor<1x1xf32> into tensor<f32>
  return %s : tensor<f32>
}

// -----

// A product's one channel is a scalar before.
// CHECK-LABEL: @main
// CHECK: tensor.expand_shape
func.func @main(%x: tensor<2xf32>) -> tensor<1x1xf32> {
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<1.0> : tensor<1x1xf32>
  %e0 = tensor.empty() : tensor<f32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<f32>) -> tensor<f32>
  %r = linalg.generic {indexing_maps = [affine_map<(a) -> (a)>, affine_map<(a) -> ()>], iterator_types = ["reduction"]} ins(%x : tensor<2xf32>) outs(%f0 : tensor<f32>)
      attrs = {halftone.range = array<f32: -1.0, 16.0>} {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %o : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  %v = tensor.expand_shape %r [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
  %e = tensor.empty() : tensor<1x1xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x1xf32>) -> tensor<1x1xf32>
  %m = linalg.matmul {halftone.channel_lows = array<f32: -1.0>, halftone.channel_highs = array<f32: 16.0>}
      ins(%v, %w : tensor<1x1xf32>, tensor<1x1xf32>) outs(%f : tensor<1x1xf32>) -> tensor<1x1xf32>
  return %m : tensor<1x1xf32>
}
