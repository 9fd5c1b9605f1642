// RUN: halftone-opt %s --halftone-fuse-predicates --canonicalize | FileCheck %s
#map = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d1)>

// A mask that two operations and the caller read: computed in each, and once for the caller.
// CHECK-LABEL: func @mask
// CHECK: %[[MASK:.*]] = linalg.generic {{.*}} ins(%arg1 : tensor<64xi64>)
// CHECK: arith.cmpi
// CHECK: %[[A:.*]] = linalg.generic {{.*}} ins(%arg1, %arg0 : tensor<64xi64>, tensor<4x64xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.cmpi ne
// CHECK-NEXT: arith.select
// CHECK: %[[B:.*]] = linalg.generic {{.*}} ins(%arg1, %arg0, %[[A]] : tensor<64xi64>, tensor<4x64xf32>, tensor<4x64xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.cmpi ne
// CHECK-NEXT: arith.select
// CHECK: return %[[A]], %[[B]], %[[MASK]]
func.func @mask(%x: tensor<4x64xf32>, %m: tensor<64xi64>) -> (tensor<4x64xf32>, tensor<4x64xf32>, tensor<64xi1>) {
  %zero = arith.constant 0 : i64
  %low = arith.constant -1.0 : f32
  %e1 = tensor.empty() : tensor<64xi1>
  %p = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%m : tensor<64xi64>) outs(%e1 : tensor<64xi1>) {
  ^bb0(%a: i64, %o: i1):
    %c = arith.cmpi ne, %a, %zero : i64
    linalg.yield %c : i1
  } -> tensor<64xi1>
  %e = tensor.empty() : tensor<4x64xf32>
  %y = linalg.generic {indexing_maps = [#row, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%p, %x : tensor<64xi1>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%c: i1, %a: f32, %o: f32):
    %s = arith.select %c, %a, %low : f32
    linalg.yield %s : f32
  } -> tensor<4x64xf32>
  %z = linalg.generic {indexing_maps = [#row, #map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%p, %x, %y : tensor<64xi1>, tensor<4x64xf32>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%c: i1, %a: f32, %b: f32, %o: f32):
    %s = arith.select %c, %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<4x64xf32>
  return %y, %z, %p : tensor<4x64xf32>, tensor<4x64xf32>, tensor<64xi1>
}

// CHECK-LABEL: func @nan
// CHECK: linalg.generic {{.*}} ins(%arg0 : tensor<4x64xf32>)
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.cmpf uno
// CHECK-NEXT: arith.select
// CHECK-NOT: linalg.generic
func.func @nan(%x: tensor<4x64xf32>) -> tensor<4x64xf32> {
  %zero = arith.constant 0.0 : f32
  %ep = tensor.empty() : tensor<4x64xi1>
  %p = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x64xf32>) outs(%ep : tensor<4x64xi1>) {
  ^bb0(%a: f32, %o: i1):
    %c = arith.cmpf uno, %a, %a : f32
    linalg.yield %c : i1
  } -> tensor<4x64xi1>
  %e = tensor.empty() : tensor<4x64xf32>
  %y = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel", "parallel"]} ins(%p, %x : tensor<4x64xi1>, tensor<4x64xf32>) outs(%e : tensor<4x64xf32>) {
  ^bb0(%c: i1, %a: f32, %o: f32):
    %s = arith.select %c, %zero, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x64xf32>
  return %y : tensor<4x64xf32>
}
