// RUN: halftone-opt %s --halftone-outline-parallel --canonicalize --cse --split-input-file --verify-diagnostics | FileCheck %s

// The loop of 4 x ceil(6 / 2) iterations becomes a layer, named by its location, that finds its buffers again.

// CHECK-NOT: @main
// CHECK-LABEL: func.func @halftone_run
// CHECK-SAME: (%[[IN:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr, %[[BATCH:.*]]: i64, %[[WS:.*]]: !llvm.ptr, %[[PF:.*]]: !llvm.ptr, %[[POOL:.*]]: !llvm.ptr) -> i32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : i32
// CHECK-DAG: %[[COUNT:.*]] = arith.constant 12 : i64
// CHECK: cf.cond_br
// CHECK: return %[[ONE]]
// CHECK: llvm.x86.sse.stmxcsr
// CHECK: llvm.x86.sse.ldmxcsr
// CHECK: %[[CONTEXT:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(ptr, ptr, i64, ptr)>
// CHECK: %[[FOR:.*]] = llvm.select
// CHECK: llvm.call %[[FOR]](%[[POOL]], %{{.*}}, %[[CONTEXT]], %[[COUNT]]) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK: llvm.x86.sse.ldmxcsr
// CHECK: return
// CHECK-LABEL: func.func private @serial_for
// CHECK-LABEL: func.func private @layer_0_conv_1
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr, %[[BEGIN:.*]]: i64, %[[END:.*]]: i64)
// CHECK: memref.view %{{.*}} : memref<?xi8> to memref<4x6xf32>
// CHECK: scf.for
// CHECK: memref.load
// CHECK: memref.store
// CHECK: llvm.x86.sse.ldmxcsr
module attributes {halftone.inputs = [{}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 1>} {
  func.func @main(%x: memref<4x6xf32>, %y: memref<4x6xf32>, %arena: memref<?xi8>) {
    %c64 = arith.constant 64 : index
    %a = memref.view %arena[%c64][] : memref<?xi8> to memref<4x6xf32>
    scf.forall (%i, %j) = (0, 0) to (4, 6) step (1, 2) {
      %v = memref.load %x[%i, %j] : memref<4x6xf32>
      memref.store %v, %a[%i, %j] : memref<4x6xf32>
    } loc("conv/1"("model.onnx":1:1))
    return
  }
}

// -----

module attributes {halftone.inputs = [{}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 1>} {
  func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<?xi8>) {
    %c0 = arith.constant 0 : index
    // expected-note @below {{computed by 'memref.load'}}
    %v = memref.load %x[%c0] : memref<4xf32>
    // expected-error @below {{uses a value that a layer cannot compute again}}
    scf.forall (%i) in (4) {
      memref.store %v, %y[%i] : memref<4xf32>
    }
    return
  }
}

// -----

// What is not parallel: a loop becomes a layer of one iteration; a loaded value that no layer knows, and what uses it, stay.
// Neighbours of one halftone.layer are one layer, loads included; what comes of it before the last time counts nothing. The list of
// layers is that of the calls.

// CHECK: module attributes {{.*}}halftone.layers = [
// CHECK-SAME: {body = "layer_0", constant_bytes = 0 : i64, kernel = "scalar", kind = "loop", multiply_accumulates = 0 : i64
// CHECK-SAME: {body = "layer_1_relu_1", constant_bytes = 0 : i64, kernel = "vector_512", kind = "elementwise", multiply_accumulates = 0 : i64, name = "relu/1", per_sample, read_bytes = 0
// CHECK-SAME: {body = "layer_2_relu_1", constant_bytes = 0 : i64, kernel = "vector_512", kind = "elementwise", multiply_accumulates = 7 : i64, name = "relu/1", per_sample, read_bytes = 16
// CHECK-LABEL: func.func @halftone_run
// CHECK-DAG: %[[F0:.*]] = constant @layer_0 :
// CHECK-DAG: %[[F1:.*]] = constant @layer_1_relu_1 :
// CHECK-DAG: %[[F2:.*]] = constant @layer_2_relu_1 :
// CHECK: %[[P0:.*]] = builtin.unrealized_conversion_cast %[[F0]]
// CHECK: llvm.call %[[FOR:.*]](%{{.*}}, %[[P0]], %{{.*}}, %c1_i64)
// CHECK: memref.load
// CHECK-NEXT: scf.for
// CHECK: %[[P1:.*]] = builtin.unrealized_conversion_cast %[[F1]]
// CHECK: llvm.call %[[FOR]](%{{.*}}, %[[P1]], %{{.*}}, %c1_i64)
// CHECK: %[[P2:.*]] = builtin.unrealized_conversion_cast %[[F2]]
// CHECK: llvm.call %[[FOR]](%{{.*}}, %[[P2]], %{{.*}}, %c4_i64)
// CHECK-LABEL: func.func private @layer_0
// CHECK: scf.for
// CHECK-LABEL: func.func private @layer_1_relu_1
// CHECK-SAME: (%{{.*}}: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64)
// CHECK: memref.load
// CHECK: memref.load
// CHECK: memref.store
// CHECK-LABEL: func.func private @layer_2_relu_1
// CHECK: scf.for
module attributes {halftone.inputs = [{}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 1>,
                   halftone.layers = [{name = "relu/1", kind = "elementwise", kernel = "vector_512", shapes = "4 -> 4", per_sample,
                                       multiply_accumulates = 7, read_bytes = 16, written_bytes = 16, constant_bytes = 0}]} {
  func.func @main(%x: memref<4xf32>, %y: memref<4xf32>, %arena: memref<?xi8>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c4 = arith.constant 4 : index
    scf.for %i = %c0 to %c4 step %c1 {
      %v = memref.load %x[%i] : memref<4xf32>
      memref.store %v, %y[%i] : memref<4xf32>
    }
    %v = memref.load %x[%c0] : memref<4xf32>
    scf.for %i = %c0 to %c4 step %c1 {
      memref.store %v, %y[%i] : memref<4xf32>
    }
    %a = memref.load %x[%c0] : memref<4xf32> loc(#layer)
    %b = memref.load %x[%c1] : memref<4xf32> loc(#layer)
    %sum = arith.addf %a, %b : f32
    memref.store %sum, %y[%c1] : memref<4xf32> loc(#layer)
    scf.forall (%i) in (4) {
      %w = memref.load %x[%i] : memref<4xf32>
      memref.store %w, %y[%i] : memref<4xf32>
    } loc(#layer)
    return
  }
}
#layer = loc(fused<{halftone.layer = 0 : i64}>["relu/1"])

// -----

// expected-error @below {{has no recorded signature; run halftone-form-entry before}}
module {
  func.func @main() { return }
}
