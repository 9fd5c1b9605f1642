// RUN: halftone-opt %s --halftone-materialize-padding --split-input-file | FileCheck %s

#id = affine_map<(n, h, w, c) -> (n, h, w, c)>

// The producer writes into the interior; the four sides are filled once.

// CHECK-LABEL: @in_place
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x6x7x8xi8>
// CHECK: %[[Z:.*]] = arith.constant -3 : i8
// CHECK: tensor.extract_slice %[[E]][0, 0, 0, 0] [1, 1, 7, 8]
// CHECK: linalg.fill ins(%[[Z]]
// CHECK: tensor.extract_slice %{{.*}}[0, 5, 0, 0] [1, 1, 7, 8]
// CHECK: linalg.fill
// CHECK: tensor.extract_slice %{{.*}}[0, 1, 0, 0] [1, 4, 1, 8]
// CHECK: linalg.fill
// CHECK: tensor.extract_slice %{{.*}}[0, 1, 5, 0] [1, 4, 2, 8]
// CHECK: linalg.fill
// CHECK: %[[B:.*]] = tensor.insert_slice %{{.*}}[0, 1, 5, 0] [1, 4, 2, 8]
// CHECK: %[[I:.*]] = tensor.extract_slice %[[B]][0, 1, 1, 0] [1, 4, 4, 8]
// CHECK: %[[R:.*]] = linalg.generic
// CHECK-SAME: outs(%[[I]] : tensor<1x4x4x8xi8>)
// CHECK: %[[P:.*]] = tensor.insert_slice %[[R]] into %[[B]][0, 1, 1, 0] [1, 4, 4, 8]
// CHECK: return %[[P]]
func.func @in_place(%x: tensor<1x4x4x8xi8>) -> tensor<1x6x7x8xi8> {
  %e = tensor.empty() : tensor<1x4x4x8xi8>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x4x4x8xi8>) outs(%e : tensor<1x4x4x8xi8>) {
  ^bb0(%a: i8, %o: i8):
    %s = arith.addi %a, %a : i8
    linalg.yield %s : i8
  } -> tensor<1x4x4x8xi8>
  %z = arith.constant -3 : i8
  %p = tensor.pad %r low[0, 1, 1, 0] high[0, 1, 2, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %z : i8
  } : tensor<1x4x4x8xi8> to tensor<1x6x7x8xi8>
  return %p : tensor<1x6x7x8xi8>
}

// -----

#id = affine_map<(n, h) -> (n, h)>

// Two pads by one value share the widest border; a third value is a copy; the unpadded reader takes the interior.

// CHECK-LABEL: @shared
// CHECK: %[[R:.*]] = linalg.generic
// CHECK: %[[W:.*]] = tensor.insert_slice %[[R]] into %{{.*}}[0, 2] [4, 4]
// CHECK-DAG: %[[X:.*]] = tensor.extract_slice %[[W]][0, 2] [4, 4]
// CHECK-DAG: %[[N:.*]] = tensor.extract_slice %[[W]][0, 1] [4, 6]
// CHECK-DAG: %[[C:.*]] = tensor.insert_slice %[[X]] into %{{.*}}[0, 1] [4, 4]
// CHECK: return %[[W]], %[[N]], %[[C]], %[[X]]
func.func @shared(%x: tensor<4x4xf32>)
    -> (tensor<4x7xf32>, tensor<4x6xf32>, tensor<4x5xf32>, tensor<4x4xf32>) {
  %e = tensor.empty() : tensor<4x4xf32>
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<4x4xf32>) outs(%e : tensor<4x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<4x4xf32>
  %p = tensor.pad %r low[0, 2] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x4xf32> to tensor<4x7xf32>
  %q = tensor.pad %r low[0, 1] high[0, 1] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<4x4xf32> to tensor<4x6xf32>
  %m = tensor.pad %r low[0, 1] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %low : f32
  } : tensor<4x4xf32> to tensor<4x5xf32>
  return %p, %q, %m, %r : tensor<4x7xf32>, tensor<4x6xf32>, tensor<4x5xf32>, tensor<4x4xf32>
}

// -----

// An argument is copied. A value that is not constant, and a dynamic width, are left alone.

// CHECK-LABEL: @others
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]]
// CHECK: tensor.insert_slice %[[X]] into %{{.*}}[0, 1] [%{{.*}}, 4]
// CHECK: tensor.pad %[[X]] low[0, 1]
// CHECK: tensor.pad %[[X]] low[0, %
func.func @others(%x: tensor<?x4xf32>, %v: f32, %n: index)
    -> (tensor<?x5xf32>, tensor<?x5xf32>, tensor<?x?xf32>) {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 1] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<?x4xf32> to tensor<?x5xf32>
  %q = tensor.pad %x low[0, 1] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %v : f32
  } : tensor<?x4xf32> to tensor<?x5xf32>
  %r = tensor.pad %x low[0, %n] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<?x4xf32> to tensor<?x?xf32>
  return %p, %q, %r : tensor<?x5xf32>, tensor<?x5xf32>, tensor<?x?xf32>
}

// -----

// A pad of what another pad makes, with another value: the second border is around the first one's tensor.

// CHECK-LABEL: @twice
// CHECK-SAME: %[[X:.*]]: tensor<4x4xf32>
// CHECK: %[[FIRST:.*]] = tensor.insert_slice %[[X]] into %{{.*}}[1, 0] [4, 4] [1, 1] : tensor<4x4xf32> into tensor<5x4xf32>
// CHECK: tensor.insert_slice %[[FIRST]] into %{{.*}}[0, 2] [5, 4] [1, 1] : tensor<5x4xf32> into tensor<5x6xf32>
// CHECK-NOT: tensor.pad
func.func @twice(%x: tensor<4x4xf32>) -> tensor<5x6xf32> {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %p = tensor.pad %x low[1, 0] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %one : f32
  } : tensor<4x4xf32> to tensor<5x4xf32>
  %q = tensor.pad %p low[0, 2] high[0, 0] {
  ^bb0(%i: index, %j: index):
    tensor.yield %zero : f32
  } : tensor<5x4xf32> to tensor<5x6xf32>
  return %q : tensor<5x6xf32>
}
