// RUN: halftone-opt %s --halftone-guard-divisions | FileCheck %s

// A quotient, of signed and of unsigned integers: 0 where the divisor is 0, the negative where it is -1.
// CHECK-LABEL: @quotients
// CHECK: %[[Z:.*]] = arith.cmpi eq, %[[Y:.*]], %{{.*}} : i32
// CHECK: %[[M:.*]] = arith.cmpi eq, %[[Y]], %{{.*}} : i32
// CHECK: %[[G:.*]] = arith.ori %[[Z]], %[[M]] : i1
// CHECK: %[[D:.*]] = arith.select %[[G]], %{{.*}}, %[[Y]] : i32
// CHECK: %[[P:.*]] = arith.divsi %[[X:.*]], %[[D]] : i32
// CHECK: %[[N:.*]] = arith.subi %{{.*}}, %[[X]] : i32
// CHECK: %[[R:.*]] = arith.select %[[M]], %[[N]], %[[P]] : i32
// CHECK: %[[Q:.*]] = arith.select %[[Z]], %{{.*}}, %[[R]] : i32
// CHECK: %[[UZ:.*]] = arith.cmpi eq
// CHECK: %[[UD:.*]] = arith.select %[[UZ]]
// CHECK: %[[UP:.*]] = arith.divui %{{.*}}, %[[UD]] : i32
// CHECK: %[[UQ:.*]] = arith.select %[[UZ]], %{{.*}}, %[[UP]] : i32
// CHECK: arith.xori %[[Q]], %[[UQ]] : i32
func.func @quotients(%x: tensor<4xi32>, %y: tensor<4xi32>, %e: tensor<4xi32>) -> tensor<4xi32> {
  %r = linalg.map ins(%x, %y : tensor<4xi32>, tensor<4xi32>) outs(%e : tensor<4xi32>) (%a: i32, %b: i32, %o: i32) {
    %q = arith.divsi %a, %b : i32
    %u = arith.divui %a, %b : i32
    %s = arith.xori %q, %u : i32
    linalg.yield %s : i32
  }
  return %r : tensor<4xi32>
}

// A remainder by 1 is 0 already. Constants that do no harm and indices stay.
// CHECK-LABEL: @others
// CHECK: %[[S:.*]] = arith.select
// CHECK: %[[REST:.*]] = arith.remsi %{{.*}}, %[[S]] : i64
// CHECK-NEXT: %[[C:.*]] = arith.constant 7 : i64
// CHECK-NEXT: arith.divsi %[[REST]], %[[C]] : i64
// CHECK-NEXT: arith.divui %{{.*}}, %{{.*}} : index
func.func @others(%x: i64, %y: i64, %i: index, %j: index) -> (i64, index) {
  %r = arith.remsi %x, %y : i64
  %c = arith.constant 7 : i64
  %q = arith.divsi %r, %c : i64
  %k = arith.divui %i, %j : index
  return %q, %k : i64, index
}
