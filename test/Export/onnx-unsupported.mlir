// Everything that ONNX has no operator for, in one message with the places.

// RUN: not halftone-translate --export-onnx %s -o %t.onnx 2>&1 | FileCheck %s
// CHECK: error: the model has what ONNX cannot express:
// CHECK-NEXT: linalg.generic: a comparison that ONNX has not; in 'ordered'
// CHECK-NEXT: linalg.generic: the scalar operation arith.bitcast; in 'bits', 'again'
// CHECK-NEXT: tensor.insert_slice: there is no operator for it; in 'insert'

#map = affine_map<(i) -> (i)>
func.func @main(%x: tensor<4xf32> {halftone.name = "x"}) -> (tensor<4xf32> {halftone.name = "y"}, tensor<4xi1> {halftone.name = "z"}) {
  %e = tensor.empty() : tensor<4xf32>
  %i = tensor.empty() : tensor<4xi32>
  %t = tensor.empty() : tensor<4xi1>
  %bits = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%x : tensor<4xf32>) outs(%i : tensor<4xi32>) {
  ^bb0(%a: f32, %o: i32):
    %b = arith.bitcast %a : f32 to i32
    linalg.yield %b : i32
  } -> tensor<4xi32> loc("bits")
  %real = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]} ins(%bits : tensor<4xi32>) outs(%e : tensor<4xf32>) {
  ^bb0(%a: i32, %o: f32):
    %b = arith.bitcast %a : i32 to f32
    linalg.yield %b : f32
  } -> tensor<4xf32> loc("again")
  %part = tensor.extract_slice %real[0] [2] [1] : tensor<4xf32> to tensor<2xf32>
  %y = tensor.insert_slice %part into %real[2] [2] [1] : tensor<2xf32> into tensor<4xf32> loc("insert")
  %z = linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]} ins(%x, %y : tensor<4xf32>, tensor<4xf32>) outs(%t : tensor<4xi1>) {
  ^bb0(%a: f32, %c: f32, %o: i1):
    %b = arith.cmpf ord, %a, %c : f32
    linalg.yield %b : i1
  } -> tensor<4xi1> loc("ordered")
  return %y, %z : tensor<4xf32>, tensor<4xi1>
}
