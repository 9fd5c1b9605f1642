// RUN: halftone-opt %s --halftone-add-optimizer=decay=0.5 --split-input-file --verify-diagnostics | FileCheck %s
// RUN: halftone-opt %s --halftone-add-optimizer="optimizer=adam decay=0.5" --split-input-file --verify-diagnostics | FileCheck %s --check-prefix=ADAM
// RUN: not halftone-opt %s --halftone-add-optimizer=optimizer=newton --split-input-file 2>&1 | FileCheck %s --check-prefix=NAME

// NAME: error: there is no optimizer 'newton': it is sgd or adam

// The matrix decays, the bias does not.
// CHECK-LABEL: @main
// CHECK-SAME: %[[W:[a-z0-9]*]]: tensor<2x3xf32> {{{.*}}}, %[[B:[a-z0-9]*]]: tensor<3xf32> {{{.*}}}, %[[GW:[a-z0-9]*]]: tensor<2x3xf32>, %[[GB:[a-z0-9]*]]: tensor<3xf32>
// CHECK-SAME: %[[RATE:[a-z0-9]*]]: tensor<f32> {halftone.name = "halftone.rate"}
// CHECK-SAME: %[[MW:[a-z0-9]*]]: tensor<2x3xf32> {halftone.name = "w.momentum"}, %[[MB:[a-z0-9]*]]: tensor<3xf32> {halftone.name = "b.momentum"}
// CHECK-SAME: -> (tensor<f32>, tensor<2x3xf32> {halftone.name = "w"}, tensor<3xf32> {halftone.name = "b"}, tensor<2x3xf32> {halftone.name = "w.momentum"}, tensor<3xf32> {halftone.name = "b.momentum"})
// CHECK: %[[NMW:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[GW]], %[[MW]]
// CHECK: arith.constant 0.89
// CHECK: arith.constant 5.0
// CHECK: %[[NW:.*]] = linalg.generic {{.*}} ins(%[[W]], %[[GW]], %[[RATE]], %[[NMW]]
// CHECK: arith.subf
// CHECK: %[[NMB:.*]] = linalg.generic {{.*}} ins(%[[B]], %[[GB]], %[[MB]]
// CHECK-NOT: arith.constant 5.0
// CHECK: %[[NB:.*]] = linalg.generic
// CHECK: return %{{.*}}, %[[NW]], %[[NB]], %[[NMW]], %[[NMB]]

// ADAM-LABEL: @main
// ADAM-SAME: "halftone.rate"}, %{{.*}}: tensor<f32> {halftone.name = "halftone.first_correction"}, %{{.*}}: tensor<f32> {halftone.name = "halftone.second_correction"}
// ADAM-SAME: {halftone.name = "w.first"}, %{{.*}}: tensor<2x3xf32> {halftone.name = "w.second"}, %{{.*}}: tensor<3xf32> {halftone.name = "b.first"}
// ADAM: math.sqrt
func.func @main(%w: tensor<2x3xf32> {halftone.name = "w", halftone.trainable}, %b: tensor<3xf32> {halftone.name = "b", halftone.trainable},
                %gw: tensor<2x3xf32>, %gb: tensor<3xf32>, %loss: tensor<f32>) -> (tensor<f32>, tensor<2x3xf32>, tensor<3xf32>) {
  return %loss, %gw, %gb : tensor<f32>, tensor<2x3xf32>, tensor<3xf32>
}

// -----

// Zeros of a pruned weight stay zero, whatever momentum and gradient say; other weights have no such choice.
// CHECK-LABEL: @pruned
// CHECK-LABEL: @main
// CHECK-SAME: %[[W:[a-z0-9]*]]: tensor<2x3xf32> {halftone.name = "w", halftone.pruned = "blocks", halftone.trainable}, %[[V:[a-z0-9]*]]: tensor<2x3xf32>
// CHECK: %[[MW:.*]] = linalg.generic
// CHECK-NOT: arith.select
// CHECK: linalg.generic {{.*}} ins(%[[W]], %{{.*}}, %{{.*}}, %[[MW]]
// CHECK-NEXT: ^bb0(%[[OLD:[a-z0-9_]*]]: f32
// CHECK: %[[NEW:.*]] = arith.subf %[[OLD]]
// CHECK: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: %[[STAYS:.*]] = arith.cmpf oeq, %[[OLD]], %[[ZERO]]
// CHECK: arith.select %[[STAYS]], %[[ZERO]], %[[NEW]]
// CHECK-NOT: arith.select
// CHECK: return

// ADAM-LABEL: @pruned
// ADAM: arith.cmpf oeq
// ADAM-NEXT: arith.select
// ADAM-NOT: arith.select
// ADAM: return
func.func private @pruned()
func.func @main(%w: tensor<2x3xf32> {halftone.name = "w", halftone.pruned = "blocks", halftone.trainable},
                %v: tensor<2x3xf32> {halftone.name = "v", halftone.trainable},
                %gw: tensor<2x3xf32>, %gv: tensor<2x3xf32>, %loss: tensor<f32>) -> (tensor<f32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  return %loss, %gw, %gv : tensor<f32>, tensor<2x3xf32>, tensor<2x3xf32>
}

// -----

// expected-error @+1 {{has no gradient of 'w' among its results; run halftone-differentiate}}
func.func @main(%w: tensor<2x3xf32> {halftone.name = "w", halftone.trainable}, %loss: tensor<f32>) -> tensor<f32> {
  return %loss : tensor<f32>
}

// -----

// The gradient of a scale has its factor, and half of it is left at least.
// CHECK-LABEL: @scale
// CHECK-LABEL: @main
// CHECK-SAME: %[[S:[a-z0-9]*]]: tensor<f32> {{{[^}]*}}halftone.trainable}, %[[G:[a-z0-9]*]]: tensor<f32>
// CHECK: linalg.generic {{.*}} ins(%[[G]]
// CHECK: arith.constant 2.500000e-01
// CHECK: arith.mulf
// CHECK: arith.subf
// CHECK: arith.constant 5.000000e-01
// CHECK: %[[HALF:.*]] = arith.mulf
// CHECK: arith.maximumf %{{.*}}, %[[HALF]]
func.func private @scale()
func.func @main(%s: tensor<f32> {halftone.gradient_factor = 0.25 : f64, halftone.name = "s", halftone.positive, halftone.trainable},
                %gs: tensor<f32>, %loss: tensor<f32>) -> (tensor<f32>, tensor<f32>) {
  return %loss, %gs : tensor<f32>, tensor<f32>
}
