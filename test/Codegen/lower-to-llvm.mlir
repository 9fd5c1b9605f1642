// RUN: halftone-opt %s --halftone-lower-to-llvm --split-input-file --verify-diagnostics | FileCheck %s

// CHECK-LABEL: llvm.func @instructions
// CHECK: llvm.intr.fma(%{{.*}}) : (f32, f32, f32) -> f32
// CHECK: llvm.intr.roundeven(%{{.*}}) : (f32) -> f32
// CHECK: llvm.fmul %{{.*}} : f32
// CHECK-NOT: fastmath
func.func @instructions(%a: f32, %b: f32, %c: f32) -> f32 {
  %0 = math.fma %a, %b, %c : f32
  %1 = math.roundeven %0 : f32
  %2 = arith.mulf %1, %a : f32
  return %2 : f32
}

// -----

// CHECK-LABEL: llvm.func @division
// CHECK-NOT: arith
func.func @division(%a: index, %b: index) -> index {
  %0 = arith.ceildivsi %a, %b : index
  return %0 : index
}

// -----

func.func @library(%a: f32) -> f32 {
  // expected-error @below {{would become a call into a library that an artefact does not have; run halftone-expand-math before}}
  %0 = math.exp %a : f32
  return %0 : f32
}

// -----

// Elements of one bit have a byte each.
// CHECK-LABEL: llvm.func @masks
// CHECK: %[[BYTES:.*]] = llvm.load %{{.*}} {alignment = 1 : i64} : !llvm.ptr -> vector<16xi8>
// CHECK: %[[BITS:.*]] = llvm.icmp "ne" %[[BYTES]], %{{.*}} : vector<16xi8>
// CHECK: %[[WIDE:.*]] = llvm.zext %[[BITS]] : vector<16xi1> to vector<16xi8>
// CHECK: llvm.store %[[WIDE]], %{{.*}} {alignment = 1 : i64} : vector<16xi8>, !llvm.ptr
func.func @masks(%from: memref<64xi1>, %to: memref<64xi1>, %i: index) {
  %0 = vector.load %from[%i] : memref<64xi1>, vector<16xi1>
  vector.store %0, %to[%i] : memref<64xi1>, vector<16xi1>
  return
}
