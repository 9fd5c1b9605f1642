// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline --halftone-write-target="target-cpu=reference output=%t-reference.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=x86-64-v3 --halftone-target-pipeline --halftone-write-target="target-cpu=x86-64-v3 output=%t-v3.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline --halftone-target-pipeline --halftone-write-target="output=%t-native.so" -o /dev/null
// RUN: python3 %S/Inputs/artefact.py info %t-native.so | FileCheck %s --check-prefix=INFO
// RUN: python3 %S/Inputs/artefact.py run %t-native.so 2 | FileCheck %s --check-prefix=VALUES
// RUN: python3 %S/Inputs/artefact.py same %t-reference.so %t-v3.so %t-native.so | FileCheck %s --check-prefix=SAME

// All element types of the table, a scalar, an input that is an output, several inputs and outputs, a dynamic batch.

// INFO: input ids i64 [-1, 5]
// INFO: input mask bool [-1, 5]
// INFO: input scalar i32 []
// INFO: input bytes u8 [3]
// INFO: output sum i64 [-1, 5]
// INFO: output positive bool [-1, 5]
// INFO: output codes i8 [-1, 5]
// INFO: output same i32 []
// INFO: output bytes_out u8 [3]

// VALUES: status 0
// VALUES-NEXT: 0 0 0 0 481 158 268 383 0 400
// VALUES-NEXT: 0 0 0 0 0 1 1 1 0 0
// VALUES-NEXT: 0 0 0 0 0 1 1 1 0 0
// VALUES-NEXT: -9

// SAME: same bits: 3 artefacts

#id = affine_map<(n, c) -> (n, c)>
module {
func.func @main(%a: tensor<?x5xi64> {halftone.name = "ids", halftone.dims = [#halftone.dim<"batch", 1, 3>, unit]},
                %m: tensor<?x5xi1> {halftone.name = "mask", halftone.dims = [#halftone.dim<"batch", 1, 3>, unit]},
                %s: tensor<i32> {halftone.name = "scalar"}, %raw: tensor<3xi8> {halftone.name = "bytes", halftone.unsigned})
    -> (tensor<?x5xi64> {halftone.name = "sum"}, tensor<?x5xi1> {halftone.name = "positive"}, tensor<?x5xi8> {halftone.name = "codes"}, tensor<i32> {halftone.name = "same"},
        tensor<3xi8> {halftone.name = "bytes_out", halftone.unsigned}) {
  %c0 = arith.constant 0 : index
  %z = arith.constant 0 : i64
  %n = tensor.dim %a, %c0 : tensor<?x5xi64>
  %e = tensor.empty(%n) : tensor<?x5xi64>
  %k = arith.constant dense<[100, 200, 300, 400, 500]> : tensor<5xi64>
  %r = linalg.generic {indexing_maps = [#id, #id, affine_map<(n, c) -> (c)>, affine_map<(n, c) -> ()>, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %m, %k, %s : tensor<?x5xi64>, tensor<?x5xi1>, tensor<5xi64>, tensor<i32>) outs(%e : tensor<?x5xi64>) {
  ^bb0(%x: i64, %b: i1, %d: i64, %sc: i32, %o: i64):
    %w = arith.extsi %sc : i32 to i64
    %t = arith.addi %x, %d : i64
    %u = arith.addi %t, %w : i64
    %v = arith.select %b, %u, %z : i64
    linalg.yield %v : i64
  } -> tensor<?x5xi64>
  %e2 = tensor.empty(%n) : tensor<?x5xi1>
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : tensor<?x5xi64>) outs(%e2 : tensor<?x5xi1>) {
  ^bb0(%x: i64, %o: i1):
    %v = arith.cmpi sgt, %x, %z : i64
    linalg.yield %v : i1
  } -> tensor<?x5xi1>
  %e3 = tensor.empty(%n) : tensor<?x5xi8>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%p : tensor<?x5xi1>) outs(%e3 : tensor<?x5xi8>) {
  ^bb0(%x: i1, %o: i8):
    %v = arith.extui %x : i1 to i8
    linalg.yield %v : i8
  } -> tensor<?x5xi8>
  return %r, %p, %q, %s, %raw : tensor<?x5xi64>, tensor<?x5xi1>, tensor<?x5xi8>, tensor<i32>, tensor<3xi8>
}
}
