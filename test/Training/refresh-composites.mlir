// RUN: halftone-opt %s --halftone-refresh-composites | FileCheck %s
// RUN: halftone-opt %s --halftone-expand-math --halftone-refresh-composites | FileCheck %s

// The body is what the importer makes of the name; a name without functions keeps its body.
// CHECK-LABEL: @main
// CHECK: halftone.composite "sigmoid"
// CHECK: math.exp
// CHECK: halftone.composite "softmax"
// CHECK-SAME: axis = 1
// CHECK: math.exp
// CHECK: halftone.composite "other"
// CHECK-NEXT: ^bb0
// CHECK-NEXT: halftone.yield
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %a = halftone.composite "sigmoid"(%x) {} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%i: tensor<2x4xf32>):
    halftone.yield %i : tensor<2x4xf32>
  }
  %b = halftone.composite "softmax"(%a) {axis = 1 : i64} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%i: tensor<2x4xf32>):
    halftone.yield %i : tensor<2x4xf32>
  }
  %c = halftone.composite "other"(%b) {} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%i: tensor<2x4xf32>):
    halftone.yield %i : tensor<2x4xf32>
  }
  return %c : tensor<2x4xf32>
}
