// RUN: halftone-opt %s --halftone-annotate-layers --halftone-share-layers | FileCheck %s
// RUN: halftone-opt %s --halftone-annotate-layers --halftone-share-layers --convert-linalg-to-loops --halftone-lower-observers --halftone-plan-memory --halftone-outline-parallel --halftone-verify-codegen | FileCheck %s --check-prefix=OUTLINED

// Two additions of the node "step" differ in the places of their operands: one function without offsets. What has another name, computes something else, or is
// alone stays.

// CHECK-LABEL: func.func @main
// CHECK: %[[CAST:.*]] = builtin.unrealized_conversion_cast %{{.*}} : memref<4xf32, strided<[1], offset: 4>> to memref<4xf32>
// CHECK: call @shared_0(%[[CAST]], %[[A:.*]], %[[B:.*]]) :
// CHECK: call @shared_0(%{{.*}}, %[[B]], %[[C:.*]]) :
// CHECK: linalg.generic
// CHECK: arith.mulf
// CHECK: linalg.generic
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
// CHECK: call @shared_1(%{{.*}}, %{{.*}}, %{{.*}}) : (memref<4xf32>, memref<1x65536xi64>, memref<1x2xf32>) -> ()
// CHECK: call @shared_1(
// CHECK-LABEL: func.func private @shared_0(%{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>, %{{.*}}: memref<4xf32>)
// CHECK: %[[TWO:.*]] = arith.constant 2.0
// CHECK: linalg.generic
// CHECK: arith.addf %{{.*}}, %[[TWO]]
// CHECK-LABEL: func.func private @shared_1
// CHECK: halftone.observe {{.*}} {index = 0 : i64}

// The layer is one function, called with pointers to its arguments' first elements, and counts its calls.
// OUTLINED: halftone.layers = [
// OUTLINED-SAME: body = "layer_0_step", calls = 2 : i64
// OUTLINED-SAME: body = "layer_1_step",
// OUTLINED-NOT: calls
// OUTLINED-SAME: body = "layer_2_other",
// OUTLINED-SAME: body = "layer_3_seen", calls = 2 : i64
// OUTLINED-LABEL: func.func @halftone_run
// OUTLINED: call @steps_0(%[[CONTEXT:.*]], %[[FOR:.*]], %{{.*}}) : (!llvm.ptr, !llvm.ptr, !llvm.ptr) -> ()
// OUTLINED: llvm.call %[[FOR]](
// OUTLINED: call @steps_1(%[[CONTEXT]], %[[FOR]], %{{.*}})
// OUTLINED-LABEL: func.func private @steps_0(
// OUTLINED: %[[SLOTS:.*]] = llvm.alloca %{{.*}} x !llvm.ptr
// OUTLINED-COUNT-3: llvm.store %{{.*}}, %{{.*}} : !llvm.ptr, !llvm.ptr
// OUTLINED: call @call_shared_0(%[[SLOTS]], %{{.*}}, %{{.*}})
// OUTLINED-COUNT-3: llvm.store %{{.*}}, %{{.*}} : !llvm.ptr, !llvm.ptr
// OUTLINED: call @call_shared_0(%[[SLOTS]], %{{.*}}, %{{.*}})
// OUTLINED: return
// OUTLINED-NOT: @shared_0

#map = affine_map<(d) -> (d)>
module attributes {halftone.inputs = [{}, {}, {}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 1>} {
  func.func @main(%x: memref<8xf32>, %counts: memref<2x65536xi64>, %extrema: memref<2x2xf32>, %y: memref<4xf32>) {
    %two = arith.constant 2.0 : f32
    %a = memref.alloc() : memref<4xf32>
    %b = memref.alloc() : memref<4xf32>
    %c = memref.alloc() : memref<4xf32>
    %d = memref.alloc() : memref<4xf32>
    %second = memref.subview %x[4] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1], offset: 4>>
    %first = memref.subview %x[0] [4] [1] : memref<8xf32> to memref<4xf32, strided<[1]>>
    linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
        ins(%second, %a : memref<4xf32, strided<[1], offset: 4>>, memref<4xf32>) outs(%b : memref<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      %t = arith.addf %s, %two : f32
      linalg.yield %t : f32
    } loc("step")
    linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
        ins(%first, %b : memref<4xf32, strided<[1]>>, memref<4xf32>) outs(%c : memref<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      %t = arith.addf %s, %two : f32
      linalg.yield %t : f32
    } loc("step")
    linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
        ins(%first, %c : memref<4xf32, strided<[1]>>, memref<4xf32>) outs(%d : memref<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.mulf %p, %q : f32
      linalg.yield %s : f32
    } loc("step")
    linalg.generic {indexing_maps = [#map, #map, #map], iterator_types = ["parallel"]}
        ins(%c, %d : memref<4xf32>, memref<4xf32>) outs(%y : memref<4xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      %t = arith.addf %s, %two : f32
      linalg.yield %t : f32
    } loc("other")
    halftone.observe %c into %counts, %extrema {index = 0 : i64} : memref<4xf32>, memref<2x65536xi64>, memref<2x2xf32> loc("seen")
    halftone.observe %d into %counts, %extrema {index = 1 : i64} : memref<4xf32>, memref<2x65536xi64>, memref<2x2xf32> loc("seen")
    return
  }
}
