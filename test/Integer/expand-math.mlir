// RUN: halftone-opt %s --halftone-expand-math | FileCheck %s

// CHECK-LABEL: @functions
// CHECK-NOT: math.{{exp|log|tanh|erf|sin|cos|pow|rsqrt|round }}
// CHECK: return
func.func @functions(%x: f32, %y: f32) -> f32 {
  %0 = math.exp %x : f32
  %1 = math.log %0 : f32
  %2 = math.tanh %1 : f32
  %3 = math.erf %2 : f32
  %4 = math.sin %3 : f32
  %5 = math.cos %4 : f32
  %6 = math.rsqrt %5 : f32
  %7 = math.powf %6, %y : f32
  %8 = math.exp2 %7 : f32
  %9 = math.log1p %8 : f32
  %10 = math.expm1 %9 : f32
  %11 = math.round %10 : f32
  return %11 : f32
}

// The host's library must not see the constant.
// CHECK-LABEL: @constant
// CHECK: math.fma
func.func @constant() -> f32 {
  %c = arith.constant 1.5 : f32
  %0 = math.exp %c : f32
  return %0 : f32
}

// Exact functions stay.
// CHECK-LABEL: @exact
// CHECK-NEXT: math.sqrt
// CHECK-NEXT: math.floor
// CHECK-NEXT: math.roundeven
// CHECK-NEXT: math.absf
// CHECK-NEXT: math.fma
// CHECK-NEXT: return
func.func @exact(%x: f32) -> f32 {
  %0 = math.sqrt %x : f32
  %1 = math.floor %0 : f32
  %2 = math.roundeven %1 : f32
  %3 = math.absf %2 : f32
  %4 = math.fma %3, %x, %x : f32
  return %4 : f32
}

// Inside the region of a generic in a composite.
// CHECK-LABEL: @composite
// CHECK-NOT: math.exp
// CHECK: return
#id = affine_map<(d0) -> (d0)>
func.func @composite(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = halftone.composite "exp"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
  ^bb0(%a: tensor<4xf32>):
    %e = tensor.empty() : tensor<4xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel"]}
        ins(%a : tensor<4xf32>) outs(%e : tensor<4xf32>) {
    ^bb0(%v: f32, %o: f32):
      %0 = math.exp %v : f32
      linalg.yield %0 : f32
    } -> tensor<4xf32>
    halftone.yield %r : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
