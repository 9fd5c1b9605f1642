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

// A serial loop becomes a function that run calls; one that uses a loaded value stays.

// CHECK-LABEL: func.func @halftone_run
// CHECK: call @step_0(
// CHECK: memref.load
// CHECK-NEXT: scf.for
// CHECK-LABEL: func.func private @step_0
// CHECK-SAME: (%[[CTX:.*]]: !llvm.ptr)
// CHECK-SAME: passthrough = ["noinline"]
// CHECK: scf.for
module attributes {halftone.inputs = [{}], halftone.outputs = [{}], halftone.batch = array<i64: 1, 1>} {
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
    return
  }
}

// -----

// expected-error @below {{has no recorded signature; run halftone-form-entry before}}
module {
  func.func @main() { return }
}
