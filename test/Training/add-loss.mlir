// RUN: halftone-opt %s --halftone-add-loss=target=label --split-input-file | FileCheck %s
// RUN: halftone-opt %s --halftone-add-loss="loss=mse target=wanted" --split-input-file | FileCheck %s --check-prefix=MSE
// RUN: halftone-opt %s --halftone-add-loss=teacher=big --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=TEACHER

// The row's maximum counts as a constant; the label picks a logit; the second result counts labels that have the maximum.
// CHECK-LABEL: @main
// CHECK-SAME: (%[[Z:.*]]: tensor<8x3xf32>, %[[LABEL:.*]]: tensor<8xi64> {halftone.name = "label"})
// CHECK-SAME: -> (tensor<f32> {halftone.name = "loss"}, tensor<f32> {halftone.name = "correct"})
// CHECK: %[[MAX:.*]] = linalg.reduce ins(%[[Z]] {{.*}} {halftone.stop_gradient}
// CHECK: %[[CHOSEN:.*]] = linalg.generic {{.*}} ins(%[[LABEL]], %[[Z]]
// CHECK: linalg.index 1
// CHECK: math.exp
// CHECK: math.log
// CHECK: arith.constant 1.250000e-01
// CHECK: linalg.generic {{.*}} ins(%[[CHOSEN]], %[[MAX]]
// CHECK: arith.cmpf oge

// MSE-LABEL: @main
// MSE-SAME: (%[[Z:.*]]: tensor<8x3xf32>, %[[T:.*]]: tensor<8x3xf32> {halftone.name = "wanted"}) -> (tensor<f32> {halftone.name = "loss"})
// MSE: %[[D:.*]] = linalg.generic {{.*}} ins(%[[Z]], %[[T]]
// MSE: arith.subf
// MSE: linalg.generic {{.*}} ins(%[[D]]
// MSE: arith.mulf

// The teacher's body stands in @main.
// TEACHER-NOT: @big
// TEACHER-LABEL: @main
// TEACHER-SAME: (%[[Z:.*]]: tensor<8x3xf32>) ->
// TEACHER: %[[TAUGHT:.*]] = linalg.exp ins(%[[Z]]
// TEACHER: linalg.generic {{.*}} ins(%[[TAUGHT]]
// TEACHER: math.exp
func.func @main(%z: tensor<8x3xf32>) -> tensor<8x3xf32> {
  return %z : tensor<8x3xf32>
}
func.func @big(%z: tensor<8x3xf32>) -> tensor<8x3xf32> {
  %e = tensor.empty() : tensor<8x3xf32>
  %y = linalg.exp ins(%z : tensor<8x3xf32>) outs(%e : tensor<8x3xf32>) -> tensor<8x3xf32>
  return %y : tensor<8x3xf32>
}
