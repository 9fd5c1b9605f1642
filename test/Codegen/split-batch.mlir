// RUN: halftone-opt %s --split-input-file --halftone-split-batch=target=avx512vnni --canonicalize | FileCheck %s
#id = affine_map<(i, j) -> (i, j)>

// 8 samples of 256 KiB leave the second cache, one does not.
// CHECK: module attributes {halftone.samples = array<i64: -9223372036854775808, 1, 8>}
// CHECK-LABEL: func @main(%{{.*}}: tensor<1x65536xf32> {halftone.name = "x"}) -> (tensor<1x65536xf32> {halftone.name = "y"})
// CHECK: tensor.empty() : tensor<1x65536xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<1x65536xf32>) outs(%{{.*}} : tensor<1x65536xf32>)
func.func @main(%x: tensor<?x65536xf32> {halftone.name = "x", halftone.dims = [#halftone.dim<"batch", 1, 8>, unit]})
    -> (tensor<?x65536xf32> {halftone.name = "y"}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x65536xf32>
  %e = tensor.empty(%n) : tensor<?x65536xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x65536xf32>) outs(%e : tensor<?x65536xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<?x65536xf32>
  return %y : tensor<?x65536xf32>
}

// -----
#id = affine_map<(i, j) -> (i, j)>
// A batch of one size.
// CHECK: module attributes {halftone.samples = array<i64: 8, 8, 8>}
// CHECK-LABEL: func @main(%{{.*}}: tensor<1x65536xf32>) -> tensor<1x65536xf32>
func.func @main(%x: tensor<8x65536xf32>) -> tensor<8x65536xf32> {
  %e = tensor.empty() : tensor<8x65536xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x65536xf32>) outs(%e : tensor<8x65536xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<8x65536xf32>
  return %y : tensor<8x65536xf32>
}

// -----
// Weights of 4 MB are read once for all rows.
// CHECK: module {
// CHECK-LABEL: func @main(%{{.*}}: tensor<8x1024xf32>) -> tensor<8x1024xf32>
func.func @main(%x: tensor<8x1024xf32>) -> tensor<8x1024xf32> {
  %w = arith.constant dense<0.5> : tensor<1024x1024xf32>
  %e = tensor.empty() : tensor<8x1024xf32>
  %y = halftone.contract ins(%x, %w : tensor<8x1024xf32>, tensor<1024x1024xf32>) outs(%e : tensor<8x1024xf32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = []} {
  ^bb0(%acc: f32):
    halftone.yield %acc : f32
  } -> tensor<8x1024xf32>
  return %y : tensor<8x1024xf32>
}

// -----
#id = affine_map<(i, j) -> (i, j)>
#column = affine_map<(i, j) -> (j)>
// The samples are summed.
// CHECK: module {
// CHECK-LABEL: func @main(%{{.*}}: tensor<8x65536xf32>) -> tensor<8x65536xf32>
func.func @main(%x: tensor<8x65536xf32>) -> tensor<8x65536xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<65536xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<65536xf32>) -> tensor<65536xf32>
  %t = linalg.generic {indexing_maps = [#id, #column], iterator_types = ["reduction", "parallel"]}
      ins(%x : tensor<8x65536xf32>) outs(%f : tensor<65536xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<65536xf32>
  %d = tensor.empty() : tensor<8x65536xf32>
  %y = linalg.generic {indexing_maps = [#id, #column, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %t : tensor<8x65536xf32>, tensor<65536xf32>) outs(%d : tensor<8x65536xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<8x65536xf32>
  return %y : tensor<8x65536xf32>
}

// -----
#id = affine_map<(i, j) -> (i, j)>
// A sample's number is data.
// CHECK: module {
// CHECK-LABEL: func @main(%{{.*}}: tensor<8x65536xi64>) -> tensor<8x65536xi64>
func.func @main(%x: tensor<8x65536xi64>) -> tensor<8x65536xi64> {
  %e = tensor.empty() : tensor<8x65536xi64>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x65536xi64>) outs(%e : tensor<8x65536xi64>) {
  ^bb0(%a: i64, %o: i64):
    %i = linalg.index 0 : index
    %n = arith.index_cast %i : index to i64
    %s = arith.addi %a, %n : i64
    linalg.yield %s : i64
  } -> tensor<8x65536xi64>
  return %y : tensor<8x65536xi64>
}

// -----
#id = affine_map<(i, j) -> (i, j)>
// An output that is the same for all samples, and does not lead with them.
// CHECK: module {
// CHECK-LABEL: func @main(%{{.*}}: tensor<8x65536xf32>) -> (tensor<8x65536xf32>, tensor<3xf32>)
func.func @main(%x: tensor<8x65536xf32>) -> (tensor<8x65536xf32>, tensor<3xf32>) {
  %c = arith.constant dense<1.0> : tensor<3xf32>
  %e = tensor.empty() : tensor<8x65536xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<8x65536xf32>) outs(%e : tensor<8x65536xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %a, %a : f32
    linalg.yield %s : f32
  } -> tensor<8x65536xf32>
  return %y, %c : tensor<8x65536xf32>, tensor<3xf32>
}

// -----
// One sample.
// CHECK: module {
// CHECK-LABEL: func @main(%{{.*}}: tensor<1x65536xf32>) -> tensor<1x65536xf32>
func.func @main(%x: tensor<1x65536xf32>) -> tensor<1x65536xf32> {
  return %x : tensor<1x65536xf32>
}
