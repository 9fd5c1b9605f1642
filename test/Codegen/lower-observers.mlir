// RUN: halftone-opt %s --halftone-lower-observers --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: @observe
// CHECK-SAME: (%[[X:.*]]: memref<2x4xf32>, %[[C:.*]]: memref<3x65536xi64>, %[[M:.*]]: memref<3x2xf32>)
// CHECK: %[[ROW:.*]] = arith.constant 2 : index
// CHECK: scf.for
// CHECK: scf.for
// CHECK: %[[V:.*]] = memref.load %[[X]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[V]] : f32 to i32
// CHECK: %[[HIGH:.*]] = arith.shrui %[[BITS]], %{{.*}} : i32
// CHECK: %[[BIN:.*]] = arith.index_castui %[[HIGH]] : i32 to index
// CHECK: memref.store %{{.*}}, %[[C]][%[[ROW]], %[[BIN]]]
// CHECK: arith.cmpf olt, %[[V]]
// CHECK: memref.store %{{.*}}, %[[M]][%[[ROW]], %{{.*}}]
// CHECK: arith.cmpf ogt, %[[V]]
// CHECK: memref.store %{{.*}}, %[[M]][%[[ROW]], %{{.*}}]
func.func @observe(%x: memref<2x4xf32>, %c: memref<3x65536xi64>, %m: memref<3x2xf32>) {
  halftone.observe %x into %c, %m {index = 2 : i64} : memref<2x4xf32>, memref<3x65536xi64>, memref<3x2xf32>
  return
}

// -----

func.func @tensor(%x: tensor<4xf32>, %c: memref<3x65536xi64>, %m: memref<3x2xf32>) {
  // expected-error @below {{must be bufferized before it is lowered}}
  halftone.observe %x into %c, %m {index = 2 : i64} : tensor<4xf32>, memref<3x65536xi64>, memref<3x2xf32>
  return
}
