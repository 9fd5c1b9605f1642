// RUN: halftone-opt %s --halftone-fuse-elementwise | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#rows = affine_map<(m, n) -> (m)>
#one = affine_map<(m) -> (m)>
#parallel = ["parallel", "parallel"]

// The end of a softmax and its rounding are one pass.
// CHECK-LABEL: func @softmax
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<4x8xf32>, tensor<4xf32>) outs(%{{.*}} : tensor<4x8xi8>)
// CHECK: arith.divf
// CHECK: arith.fptosi
// CHECK-NOT: linalg.generic
func.func @softmax(%e: tensor<4x8xf32>, %sum: tensor<4xf32>, %i: tensor<4x8xf32>, %o: tensor<4x8xi8>) -> tensor<4x8xi8> {
  %p = linalg.generic {indexing_maps = [#id, #rows, #id], iterator_types = #parallel} ins(%e, %sum : tensor<4x8xf32>, tensor<4xf32>) outs(%i : tensor<4x8xf32>) {
  ^bb0(%x: f32, %s: f32, %out: f32):
    %y = arith.divf %x, %s : f32
    linalg.yield %y : f32
  } -> tensor<4x8xf32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = #parallel} ins(%p : tensor<4x8xf32>) outs(%o : tensor<4x8xi8>) {
  ^bb0(%x: f32, %out: i8):
    %y = arith.fptosi %x : f32 to i8
    linalg.yield %y : i8
  } -> tensor<4x8xi8>
  return %q : tensor<4x8xi8>
}

// A value of each row would be computed again for each of its elements; a value that is read twice, twice; and in a reduction a product
// and a sum round once.
// CHECK-LABEL: func @left_alone
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4x8xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<4xf32>)
func.func @left_alone(%x: tensor<4x8xf32>, %v: tensor<4xf32>, %i: tensor<4x8xf32>, %r: tensor<4xf32>) -> (tensor<4xf32>, tensor<4x8xf32>) {
  %root = linalg.generic {indexing_maps = [#one, #one], iterator_types = ["parallel"]} ins(%v : tensor<4xf32>) outs(%r : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %y = math.sqrt %a : f32
    linalg.yield %y : f32
  } -> tensor<4xf32>
  %p = linalg.generic {indexing_maps = [#id, #rows, #id], iterator_types = #parallel} ins(%x, %root : tensor<4x8xf32>, tensor<4xf32>) outs(%i : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %y = arith.mulf %a, %b : f32
    linalg.yield %y : f32
  } -> tensor<4x8xf32>
  %s = linalg.generic {indexing_maps = [#id, #rows], iterator_types = ["parallel", "reduction"]} ins(%p : tensor<4x8xf32>) outs(%r : tensor<4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %y = arith.addf %out, %a : f32
    linalg.yield %y : f32
  } -> tensor<4xf32>
  return %s, %p : tensor<4xf32>, tensor<4x8xf32>
}
