// RUN: halftone-opt %s --split-input-file --halftone-loop-samples --canonicalize --verify-diagnostics | FileCheck %s

// CHECK: module attributes {halftone.batch = array<i64: 2, 8>, halftone.inputs = [{name = "x", type = tensor<?x3xf32>}],
// CHECK-SAME: halftone.layers = [{{.*}}calls = -1 : i64{{.*}}halftone.outputs = [{name = "y", type = tensor<?x2xi8>}], halftone.sample_calls = -1 : i64}
// CHECK: func.func private @halftone_run_sample
// CHECK: func.func @halftone_run(%[[IN:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr, %[[BATCH:.*]]: i64, %[[WS:.*]]: !llvm.ptr, %[[PF:.*]]: !llvm.ptr, %[[POOL:.*]]: !llvm.ptr) -> i32
// CHECK-DAG: %[[ONE:.*]] = arith.constant 1 : i64
// CHECK-DAG: %[[SPAN:.*]] = arith.constant 6 : i64
// CHECK: arith.cmpi ule, %{{.*}}, %[[SPAN]]
// CHECK: %[[INS:.*]] = llvm.alloca
// CHECK: %[[OUTS:.*]] = llvm.alloca
// CHECK: ^{{.*}}(%[[I:.*]]: i64):
// CHECK: call @halftone_run_sample(%[[INS]], %[[OUTS]], %[[ONE]], %[[WS]], %[[PF]], %[[POOL]])
// CHECK: llvm.getelementptr %{{.*}}[12] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: llvm.getelementptr %{{.*}}[2] : (!llvm.ptr) -> !llvm.ptr, i8
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %[[ONE]]
// CHECK: arith.cmpi ult, %[[NEXT]], %[[BATCH]]
module attributes {halftone.samples = array<i64: -9223372036854775808, 2, 8>, halftone.batch = array<i64: 1, 1>,
    halftone.inputs = [{name = "x", type = tensor<1x3xf32>}], halftone.outputs = [{name = "y", type = tensor<1x2xi8>}],
    halftone.layers = [{name = "a"}]} {
  func.func @halftone_run(%in: !llvm.ptr, %out: !llvm.ptr, %batch: i64, %workspace: !llvm.ptr, %for: !llvm.ptr, %pool: !llvm.ptr) -> i32 {
    %ok = arith.constant 0 : i32
    return %ok : i32
  }
}

// -----
// A fixed number of samples: the caller's batch is 1.
// CHECK: module attributes {halftone.batch = array<i64: 1, 1>, halftone.inputs = [{type = tensor<8x3xf32>}]
// CHECK-SAME: halftone.sample_calls = 8 : i64
// CHECK: %[[COUNT:.*]] = arith.constant 8 : i64
// CHECK: arith.cmpi ult, %{{.*}}, %[[COUNT]]
module attributes {halftone.samples = array<i64: 8, 8, 8>, halftone.batch = array<i64: 1, 1>,
    halftone.inputs = [{type = tensor<1x3xf32>}], halftone.outputs = [{type = tensor<1x2xi8>}]} {
  func.func @halftone_run(%in: !llvm.ptr, %out: !llvm.ptr, %batch: i64, %workspace: !llvm.ptr, %for: !llvm.ptr, %pool: !llvm.ptr) -> i32 {
    %ok = arith.constant 0 : i32
    return %ok : i32
  }
}

// -----
// expected-error @below {{has no @halftone_run; run halftone-outline-parallel before}}
module attributes {halftone.samples = array<i64: 8, 8, 8>} {
}
