// RUN: halftone-opt %s --halftone-merge-constants --cse | FileCheck %s

// Equal bytes of one type are one constant, whatever their names; of another type or with other bytes they are not.
// CHECK-DAG: %[[B:.*]] = arith.constant dense_resource<b> : tensor<2xi32>
// CHECK-DAG: %[[C:.*]] = arith.constant dense_resource<c> : tensor<2xf32>
// CHECK-DAG: %[[A:.*]] = arith.constant dense_resource<a> : tensor<2xf32>
// CHECK: return %[[A]], %[[A]], %[[B]], %[[C]]
func.func @main() -> (tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>) {
  %c = arith.constant dense_resource<c> : tensor<2xf32>
  %b = arith.constant dense_resource<b> : tensor<2xi32>
  %a = arith.constant dense_resource<a> : tensor<2xf32>
  %same = arith.constant dense_resource<same> : tensor<2xf32>
  return %a, %same, %b, %c : tensor<2xf32>, tensor<2xf32>, tensor<2xi32>, tensor<2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      a: "0x040000000000803F00000040",
      same: "0x040000000000803F00000040",
      b: "0x040000000000803F00000040",
      c: "0x040000000000803F00000041"
    }
  }
#-}
