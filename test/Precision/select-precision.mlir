// RUN: halftone-opt %s --halftone-precision-pipeline | FileCheck %s
// RUN: halftone-opt %s --halftone-precision-pipeline="float-ops=gemm_1" | FileCheck %s --check-prefix=NAME
// RUN: halftone-opt %s --halftone-precision-pipeline="activations=dynamic" | FileCheck %s --check-prefix=DYNAMIC
// RUN: halftone-opt %s --halftone-precision-pipeline="activations=float" | FileCheck %s --check-prefix=WEIGHTS
// DYNAMIC: linalg.matmul {halftone.precision = "dynamic"}
// DYNAMIC: "sigmoid"
// DYNAMIC-SAME: halftone.reason = "activations are floats"
// WEIGHTS: linalg.matmul {halftone.precision = "weights", halftone.reason = "its weights are codes, its activations floats"}
// RUN: halftone-opt %s --halftone-precision-pipeline="float-ops=kind:contr.*,kind:concat" | FileCheck %s --check-prefix=KIND
// RUN: not halftone-opt %s --halftone-select-precision="float-ops=gemm(" 2>&1 | FileCheck %s --check-prefix=REGEX

// REGEX: float-ops 'gemm(' is no regular expression
// RUN: not halftone-opt %s --halftone-select-precision="float-ops=kind:gemm" 2>&1 | FileCheck %s --check-prefix=NOKIND
// NOKIND: float-ops 'kind:gemm' is no kind of operation: contraction, max_pool, avg_pool, elementwise, unary, concat, table, other
// RUN: not halftone-opt %s --halftone-select-precision="float-ops=gemm_1,gem,kind:max_pool" 2>&1 | FileCheck %s --check-prefix=IDLE
// Each name is said once, as that of all without one is.
// IDLE: float-ops: no operation matches 'gem', 'kind:max_pool'; there are 'gemm_1', ''{{$}}

// CHECK: linalg.matmul {halftone.precision = "int8"
// CHECK: arith.maximumf
// CHECK: -> tensor<2x4xf32>
// CHECK: "sigmoid"
// CHECK-SAME: halftone.precision = "int8"
// CHECK: tensor.concat
// CHECK-SAME: halftone.precision = "int8"
// CHECK: linalg.matmul {halftone.precision = "int8"
// The last activation feeds only float: rounding it would gain nothing.
// CHECK: "tanh"
// CHECK-SAME: halftone.precision = "float"
// CHECK-SAME: halftone.reason = "its result is used in float only"
// CHECK: "softmax"
// CHECK-SAME: halftone.reason = "softmax has no integer form"

// The whole sandwich stays float, and so does what is computed elementwise from it; its other readers keep their own decision.
// NAME: linalg.matmul {halftone.precision = "float", halftone.reason = "float-ops 'gemm_1' asks for it"}
// NAME: linalg.generic
// NAME-SAME: halftone.precision = "float", halftone.range = {{.*}}, halftone.reason = "float-ops 'gemm_1' asks for it"
// NAME: "sigmoid"
// NAME-SAME: halftone.reason = "it computes from floats, of 'gemm_1'"
// NAME: tensor.concat
// NAME-SAME: halftone.precision = "int8"

// KIND: linalg.matmul {halftone.precision = "float", halftone.reason = "float-ops 'kind:contr.*' asks for it"}
// KIND: "sigmoid"
// KIND-SAME: halftone.reason = "it computes from floats, of 'gemm_1'"
// KIND: tensor.concat
// KIND-SAME: halftone.reason = "float-ops 'kind:concat' asks for it"

#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<2x8xf32> {halftone.range = array<f32: -1.0, 1.0>}) -> tensor<2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %w1 = arith.constant dense<1.0> : tensor<8x4xf32>
  %e1 = tensor.empty() : tensor<2x4xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %g1 = linalg.matmul ins(%x, %w1 : tensor<2x8xf32>, tensor<8x4xf32>) outs(%f1 : tensor<2x4xf32>) -> tensor<2x4xf32> loc("gemm_1")
  %r1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%g1 : tensor<2x4xf32>) outs(%e1 : tensor<2x4xf32>)
      attrs = {halftone.range = array<f32: 0.0, 4.0>} {
  ^bb0(%a: f32, %o: f32):
    %m = arith.maximumf %a, %zero : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %s = halftone.composite "sigmoid"(%r1) {} attributes {halftone.range = array<f32: 0.0, 1.0>} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%a: tensor<2x4xf32>):
    halftone.yield %a : tensor<2x4xf32>
  }
  %c = tensor.concat dim(1) %r1, %s {halftone.range = array<f32: 0.0, 4.0>} : (tensor<2x4xf32>, tensor<2x4xf32>) -> tensor<2x8xf32>
  %w2 = arith.constant dense<1.0> : tensor<8x2xf32>
  %e2 = tensor.empty() : tensor<2x2xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %g2 = linalg.matmul {halftone.range = array<f32: 0.0, 9.0>} ins(%c, %w2 : tensor<2x8xf32>, tensor<8x2xf32>) outs(%f2 : tensor<2x2xf32>) -> tensor<2x2xf32>
  %t = halftone.composite "tanh"(%g2) {} attributes {halftone.range = array<f32: 0.0, 1.0>} : (tensor<2x2xf32>) -> tensor<2x2xf32> {
  ^bb0(%a: tensor<2x2xf32>):
    halftone.yield %a : tensor<2x2xf32>
  }
  %p = halftone.composite "softmax"(%t) {axis = 1 : i64} attributes {halftone.range = array<f32: 0.0, 1.0>} : (tensor<2x2xf32>) -> tensor<2x2xf32> {
  ^bb0(%a: tensor<2x2xf32>):
    halftone.yield %a : tensor<2x2xf32>
  }
  return %p : tensor<2x2xf32>
}
