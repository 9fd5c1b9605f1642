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
