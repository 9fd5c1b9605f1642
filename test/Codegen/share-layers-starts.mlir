// RUN: halftone-opt %s --halftone-annotate-layers --halftone-share-layers | FileCheck %s

// What a sum starts from is no layer to share: the kernel of the sum takes the place of both. Other fills of one name are.

// CHECK-LABEL: func.func @main
// CHECK: linalg.fill
// CHECK-NEXT: linalg.generic
// CHECK: linalg.fill
// CHECK-NEXT: linalg.generic
// CHECK: call @shared_0(%{{.*}}) : (memref<4xf32>) -> ()
// CHECK: call @shared_0(%{{.*}}) : (memref<4xf32>) -> ()
// CHECK-LABEL: func.func private @shared_0
// CHECK: linalg.fill

#rows = affine_map<(r, c) -> (r, c)>
#row = affine_map<(r, c) -> (r)>
module attributes {halftone.inputs = [{}], halftone.outputs = [{}, {}, {}, {}], halftone.batch = array<i64: 1, 1>} {
  func.func @main(%x: memref<4x8xf32>, %a: memref<4xf32>, %b: memref<4xf32>, %c: memref<4xf32>, %d: memref<4xf32>) {
    %zero = arith.constant 0.0 : f32
    linalg.fill ins(%zero : f32) outs(%a : memref<4xf32>) loc("start")
    linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]} ins(%x : memref<4x8xf32>) outs(%a : memref<4xf32>) {
    ^bb0(%p: f32, %o: f32):
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    } loc("first")
    linalg.fill ins(%zero : f32) outs(%b : memref<4xf32>) loc("start")
    linalg.generic {indexing_maps = [#rows, #row], iterator_types = ["parallel", "reduction"]} ins(%x : memref<4x8xf32>) outs(%b : memref<4xf32>) {
    ^bb0(%p: f32, %o: f32):
      %s = arith.addf %o, %p : f32
      linalg.yield %s : f32
    } loc("second")
    linalg.fill ins(%zero : f32) outs(%c : memref<4xf32>) loc("start")
    linalg.fill ins(%zero : f32) outs(%d : memref<4xf32>) loc("start")
    return
  }
}
