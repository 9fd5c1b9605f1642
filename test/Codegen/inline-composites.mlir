// RUN: halftone-opt %s --halftone-inline-composites | FileCheck %s

// A composite inside of a composite, and one that yields its argument, leave no trace.

// CHECK-LABEL: @nested
// CHECK-SAME: %[[X:.*]]: tensor<4xf32>
// CHECK-NOT: halftone
// CHECK: %[[S:.*]] = arith.addf %[[X]], %[[X]]
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[S]], %[[X]]
// CHECK-NEXT: return %[[P]], %[[X]]
func.func @nested(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %y = halftone.composite "outer"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %i = halftone.composite "inner"(%a) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%b: tensor<4xf32>):
      %s = arith.addf %b, %b : tensor<4xf32>
      halftone.yield %s : tensor<4xf32>
    }
    %p = arith.mulf %i, %a : tensor<4xf32>
    halftone.yield %p : tensor<4xf32>
  }
  %z = halftone.composite "identity"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    halftone.yield %a : tensor<4xf32>
  }
  return %y, %z : tensor<4xf32>, tensor<4xf32>
}
