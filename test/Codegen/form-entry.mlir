// RUN: halftone-opt %s --halftone-form-entry --split-input-file | FileCheck %s

// CHECK: halftone.batch = array<i64: 2, 8>
// CHECK-SAME: halftone.inputs = [{name = "x", preprocess = "u8", type = tensor<?x4xf32>}, {name = "counts", preprocess = "", type = memref<1x65536xi64>}]
// CHECK-SAME: halftone.outputs = [{name = "y", preprocess = "", type = tensor<?x4xf32>}, {name = "output1", preprocess = "", type = tensor<2xi64>}]
// CHECK: func.func @main(%[[X:.*]]: memref<?x4xf32> {{.*}}, %{{.*}}: memref<1x65536xi64> {{.*}}, %[[Y:.*]]: memref<?x4xf32> {halftone.name = "y"}, %[[Z:.*]]: memref<2xi64>)
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict : memref<?x4xf32> to tensor<?x4xf32>
// CHECK: bufferization.materialize_in_destination %[[T]] in restrict writable %[[Y]]
// CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[Z]]
// CHECK: return{{$}}
func.func @main(%x: tensor<?x4xf32> {halftone.name = "x", halftone.preprocess = "u8",
                                     halftone.dims = [#halftone.dim<"batch", 2, 8>, unit]},
                %c: memref<1x65536xi64> {halftone.name = "counts"})
    -> (tensor<?x4xf32> {halftone.name = "y"}, tensor<2xi64>) {
  %k = arith.constant dense<[1, 2]> : tensor<2xi64>
  return %x, %k : tensor<?x4xf32>, tensor<2xi64>
}

// -----

// The kernels of 8-bit contractions read past a row, which a caller's buffer does not allow: what one reads is copied,
// be it an argument, seen through a view, or a result. Others are not: %z, and floats.

// CHECK: func.func @main(%[[X:.*]]: memref<2x3x5xi8>, %[[F:.*]]: memref<6x5xf32>, %[[Z:.*]]: memref<6x5xi8>, %[[R:.*]]: memref<6x7xi8>, %[[S:.*]]: memref<6x9xi8>
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]]
// CHECK: %[[EMPTY:.*]] = tensor.empty() : tensor<2x3x5xi8>
// CHECK: %[[COPY:.*]] = linalg.copy ins(%[[T]] : tensor<2x3x5xi8>) outs(%[[EMPTY]] : tensor<2x3x5xi8>)
// CHECK: %[[TF:.*]] = bufferization.to_tensor %[[F]]
// CHECK: %[[TZ:.*]] = bufferization.to_tensor %[[Z]]
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[COPY]]
// CHECK: %[[ONE:.*]] = halftone.contract ins(%[[ROWS]],
// CHECK: halftone.contract ins(%[[ONE]],
// CHECK: halftone.contract ins(%[[TF]],
// CHECK: %[[RESULT:.*]] = linalg.copy ins(%[[ONE]] : tensor<6x7xi8>)
// CHECK: bufferization.materialize_in_destination %[[RESULT]] in restrict writable %[[R]]
// CHECK: bufferization.materialize_in_destination %{{.*}} in restrict writable %[[S]]
// CHECK: bufferization.materialize_in_destination %[[TZ]] in
#id = affine_map<(i, j) -> (i, j)>
func.func @main(%x: tensor<2x3x5xi8>, %f: tensor<6x5xf32>, %z: tensor<6x5xi8>)
    -> (tensor<6x7xi8>, tensor<6x9xi8>, tensor<6x7xf32>, tensor<6x5xi8>) {
  %w = arith.constant dense<1> : tensor<5x7xi8>
  %v = arith.constant dense<2> : tensor<7x9xi8>
  %u = arith.constant dense<2.0> : tensor<5x7xf32>
  %codes = tensor.empty() : tensor<6x7xi8>
  %more = tensor.empty() : tensor<6x9xi8>
  %floats = tensor.empty() : tensor<6x7xf32>
  %rows = tensor.collapse_shape %x [[0, 1], [2]] : tensor<2x3x5xi8> into tensor<6x5xi8>
  %one = halftone.contract ins(%rows, %w : tensor<6x5xi8>, tensor<5x7xi8>) outs(%codes : tensor<6x7xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  } -> tensor<6x7xi8>
  %two = halftone.contract ins(%one, %v : tensor<6x7xi8>, tensor<7x9xi8>) outs(%more : tensor<6x9xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: i32):
    %t = arith.trunci %acc : i32 to i8
    halftone.yield %t : i8
  } -> tensor<6x9xi8>
  %three = halftone.contract ins(%f, %u : tensor<6x5xf32>, tensor<5x7xf32>) outs(%floats : tensor<6x7xf32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: f32):
    halftone.yield %acc : f32
  } -> tensor<6x7xf32>
  return %one, %two, %three, %z : tensor<6x7xi8>, tensor<6x9xi8>, tensor<6x7xf32>, tensor<6x5xi8>
}
