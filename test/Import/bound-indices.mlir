// RUN: halftone-opt %s --halftone-bound-indices -split-input-file | FileCheck %s

// Rows that identifiers choose, as torch-mlir writes an embedding.
// CHECK-LABEL: @rows
// CHECK-NOT: cf.assert
// CHECK: %[[Y:.*]] = halftone.composite "gather"(%arg0, %arg1) {axis = 0 : i64}
// CHECK: return %[[Y]]
#ids = affine_map<(b, s, c) -> (b, s)>
#all = affine_map<(b, s, c) -> (b, s, c)>
func.func @rows(%table: tensor<10x4xf32>, %ids: tensor<2x3xi64>) -> tensor<2x3x4xf32> {
  %zero = arith.constant 0 : i64
  %e = tensor.empty() : tensor<2x3x4xf32>
  %y = linalg.generic {indexing_maps = [#ids, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<2x3xi64>) outs(%e : tensor<2x3x4xf32>) {
  ^bb0(%id: i64, %o: f32):
    %row = arith.index_cast %id : i64 to index
    %column = linalg.index 2 : index
    %inside = arith.cmpi sge, %id, %zero : i64
    cf.assert %inside, "index must be larger or equal to 0"
    %x = tensor.extract %table[%row, %column] : tensor<10x4xf32>
    linalg.yield %x : f32
  } -> tensor<2x3x4xf32>
  return %y : tensor<2x3x4xf32>
}

// -----

// Along the last dimension; a table read by its transposed coordinates is no gather, its index from data is bounded where it is.
// CHECK-LABEL: @columns
// CHECK: halftone.composite "gather"(%arg0, %arg1) {axis = 1 : i64}
// CHECK: ^bb0(%[[ID:.*]]: i32,
// CHECK: %[[I:.*]] = arith.index_cast %[[ID]]
// CHECK: %[[POSITION:.*]] = linalg.index 1
// CHECK: %[[ABOVE:.*]] = arith.maxsi %[[I]], %{{.*}} : index
// CHECK: %[[INSIDE:.*]] = arith.minsi %[[ABOVE]], %{{.*}} : index
// CHECK: tensor.extract %arg0[%[[POSITION]], %[[INSIDE]]]
#first = affine_map<(i, j) -> (i)>
#second = affine_map<(i, j) -> (j)>
#both = affine_map<(i, j) -> (i, j)>
func.func @columns(%table: tensor<3x3xf32>, %ids: tensor<3xi32>) -> (tensor<3x3xf32>, tensor<3x3xf32>) {
  %e = tensor.empty() : tensor<3x3xf32>
  %y = linalg.generic {indexing_maps = [#second, #both], iterator_types = ["parallel", "parallel"]} ins(%ids : tensor<3xi32>) outs(%e : tensor<3x3xf32>) {
  ^bb0(%id: i32, %o: f32):
    %column = arith.index_cast %id : i32 to index
    %row = linalg.index 0 : index
    %x = tensor.extract %table[%row, %column] : tensor<3x3xf32>
    linalg.yield %x : f32
  } -> tensor<3x3xf32>
  %z = linalg.generic {indexing_maps = [#first, #both], iterator_types = ["parallel", "parallel"]} ins(%ids : tensor<3xi32>) outs(%e : tensor<3x3xf32>) {
  ^bb0(%id: i32, %o: f32):
    %column = arith.index_cast %id : i32 to index
    %row = linalg.index 1 : index
    %x = tensor.extract %table[%row, %column] : tensor<3x3xf32>
    linalg.yield %x : f32
  } -> tensor<3x3xf32>
  return %y, %z : tensor<3x3xf32>, tensor<3x3xf32>
}

// -----

// Positions need no bounds.
// CHECK-LABEL: @reversed
// CHECK-NOT: arith.maxsi
// CHECK: return
func.func @reversed(%x: tensor<4xf32>) -> tensor<4xf32> {
  %last = arith.constant 3 : index
  %e = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]} outs(%e : tensor<4xf32>) {
  ^bb0(%o: f32):
    %i = linalg.index 0 : index
    %j = arith.subi %last, %i : index
    %v = tensor.extract %x[%j] : tensor<4xf32>
    linalg.yield %v : f32
  } -> tensor<4xf32>
  return %y : tensor<4xf32>
}
