// RUN: halftone-opt %s --halftone-assign-formats | FileCheck %s --check-prefix=DEFAULT
// RUN: halftone-opt %s --halftone-assign-formats="weights=int4 granularity=group:32" | FileCheck %s --check-prefix=GROUP
// RUN: halftone-opt %s --halftone-assign-formats="weights=int4 recipe=%S/Inputs/recipe.yaml" | FileCheck %s --check-prefix=RECIPE
// RUN: halftone-opt %s --halftone-assign-formats=recipe=%S/Inputs/recipe.yaml --halftone-select-precision | FileCheck %s --check-prefix=SELECT
// RUN: halftone-opt %s --halftone-assign-formats=weights=float --halftone-select-precision | FileCheck %s --check-prefix=FLOAT
// RUN: echo "- {kind: matmul, sparsity: 0.75}" > %t.yaml && halftone-opt %s --halftone-assign-formats=recipe=%t.yaml --halftone-select-precision | FileCheck %s --check-prefix=SPARSE
// RUN: echo "- {kind: matmul, rounding: diffused}" > %t.yaml && halftone-opt %s --halftone-assign-formats=recipe=%t.yaml --halftone-select-precision | FileCheck %s --check-prefix=ROUNDING

// ROUNDING-NOT: without_hessian
// ROUNDING: linalg.matmul {{{.*}}halftone.without_hessian}

// int8 by channel is what contractions without attributes have.
// DEFAULT-NOT: halftone.weights
// DEFAULT-NOT: halftone.granularity

// The convolution of the model's input and the depthwise one keep int8.
// GROUP: linalg.conv_2d_nhwc_hwcf {halftone.range = {{[^"]*}}} ins
// GROUP: linalg.depthwise_conv_2d_nhwc_hwc {halftone.range = {{[^"]*}}} ins
// GROUP: linalg.conv_2d_nhwc_hwcf {halftone.granularity = "group:32", {{.*}}halftone.weights = "int4"}
// GROUP: linalg.matmul {halftone.granularity = "group:32", {{.*}}halftone.weights = "int4"}

// The last rule that matches decides alone: 'second' has the granularity of its own rule, not that of 'conv'.
// RECIPE: linalg.conv_2d_nhwc_hwcf {halftone.granularity = "tensor", {{.*}}halftone.weights = "codebook3"}
// RECIPE: linalg.depthwise_conv_2d_nhwc_hwc {{.*}}halftone.weights = "int6"}
// RECIPE: linalg.conv_2d_nhwc_hwcf {{.*}}halftone.weights = array<i8: -127, 0, 127>}
// RECIPE: linalg.matmul {halftone.precision = "float", halftone.reason = "the recipe asks for it (name 'product')"}

// What is float stays float.
// SELECT: linalg.conv_2d_nhwc_hwcf {halftone.granularity = "tensor", halftone.precision = "int8", {{.*}}halftone.weights = "codebook3"}
// SELECT: linalg.matmul {halftone.precision = "float", halftone.reason = "the recipe asks for it (name 'product')"}

// FLOAT-COUNT-3: {halftone.precision = "float", halftone.range = {{[^"]*}}, halftone.reason = "--weights=float asks for it"}
// FLOAT: linalg.matmul {halftone.precision = "float", halftone.reason = "--weights=float asks for it"}

// SPARSE: linalg.matmul {{{.*}}halftone.sparsity = 7.500000e-01 : f64}
func.func @main(%x: tensor<1x4x4x3xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<16x4xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<1x1x3x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<1x1x8xf32>
  %w3 = arith.constant dense<1.0> : tensor<1x1x8x8xf32>
  %w4 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e = tensor.empty() : tensor<1x4x4x8xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  %1 = linalg.conv_2d_nhwc_hwcf {halftone.range = array<f32: -1.0, 1.0>} ins(%x, %w1 : tensor<1x4x4x3xf32>, tensor<1x1x3x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> loc("first")
  %2 = linalg.depthwise_conv_2d_nhwc_hwc {halftone.range = array<f32: -1.0, 1.0>} ins(%1, %w2 : tensor<1x4x4x8xf32>, tensor<1x1x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> loc("depth")
  %3 = linalg.conv_2d_nhwc_hwcf {halftone.range = array<f32: -1.0, 1.0>} ins(%2, %w3 : tensor<1x4x4x8xf32>, tensor<1x1x8x8xf32>) outs(%f : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> loc("second")
  %m = tensor.collapse_shape %3 [[0, 1, 2], [3]] : tensor<1x4x4x8xf32> into tensor<16x8xf32>
  %e4 = tensor.empty() : tensor<16x4xf32>
  %f4 = linalg.fill ins(%zero : f32) outs(%e4 : tensor<16x4xf32>) -> tensor<16x4xf32>
  %4 = linalg.matmul ins(%m, %w4 : tensor<16x8xf32>, tensor<8x4xf32>) outs(%f4 : tensor<16x4xf32>) -> tensor<16x4xf32> loc("product")
  return %4 : tensor<16x4xf32>
}
