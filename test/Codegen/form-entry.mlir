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
