// RUN: halftone-opt %s --halftone-plant-fault=store=1 -split-input-file | FileCheck %s
// RUN: not halftone-opt %s --halftone-plant-fault=store=2 -split-input-file 2>&1 | FileCheck %s --check-prefix=BEYOND
// BEYOND: there is no store 2, only 2

// CHECK-LABEL: @integers
// CHECK: memref.store %{{.*}}, %{{.*}}[%{{.*}}]
// CHECK: %[[MASK:.*]] = arith.constant dense<[1, 0, 0, 0]> : vector<4xi8>
// CHECK: %[[FLIPPED:.*]] = arith.xori %{{.*}}, %[[MASK]]
// CHECK: vector.store %[[FLIPPED]]
func.func @integers(%m: memref<8xi8>, %a: i8, %v: vector<4xi8>) {
  %c0 = arith.constant 0 : index
  memref.store %a, %m[%c0] : memref<8xi8>
  vector.store %v, %m[%c0] : memref<8xi8>, vector<4xi8>
  return
}

// -----

// CHECK-LABEL: @floats
// CHECK: vector.store
// CHECK: arith.bitcast %{{.*}} : f32 to i32
// CHECK: arith.xori
// CHECK: arith.bitcast %{{.*}} : i32 to f32
// CHECK: memref.store
func.func @floats(%m: memref<8xf32>, %a: f32, %v: vector<4xf32>) {
  %c0 = arith.constant 0 : index
  vector.store %v, %m[%c0] : memref<8xf32>, vector<4xf32>
  memref.store %a, %m[%c0] : memref<8xf32>
  return
}
