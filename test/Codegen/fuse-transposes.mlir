// RUN: halftone-opt %s --halftone-fuse-transposes | FileCheck %s

#id = affine_map<(n, c, h, w) -> (n, c, h, w)>
#channel = affine_map<(n, c, h, w) -> (c)>

// A picture's codes are written with the channels last; what belongs to the channels follows them.
// CHECK-DAG: #[[BEFORE:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d1, d2)>
// CHECK-DAG: #[[CHANNEL:.*]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-DAG: #[[AFTER:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
// CHECK-LABEL: func @picture
// CHECK-SAME: %[[X:.*]]: tensor<?x3x8x9xf32>, %[[S:.*]]: tensor<3xf32>, %[[E:.*]]: tensor<?x3x8x9xi8>, %[[T:.*]]: tensor<?x8x9x3xi8>
// CHECK-NEXT: %[[R:.*]] = linalg.generic {indexing_maps = [#[[BEFORE]], #[[CHANNEL]], #[[AFTER]]]
// CHECK-SAME: ins(%[[X]], %[[S]] : {{.*}}) outs(%[[T]] : tensor<?x8x9x3xi8>)
// CHECK-NOT: linalg.transpose
// CHECK: return %[[R]]
func.func @picture(%x: tensor<?x3x8x9xf32>, %s: tensor<3xf32>, %e: tensor<?x3x8x9xi8>, %t: tensor<?x8x9x3xi8>) -> tensor<?x8x9x3xi8> {
  %q = linalg.generic {indexing_maps = [#id, #channel, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x, %s : tensor<?x3x8x9xf32>, tensor<3xf32>) outs(%e : tensor<?x3x8x9xi8>) {
  ^bb0(%v: f32, %m: f32, %o: i8):
    %p = arith.mulf %v, %m : f32
    %c = arith.fptosi %p : f32 to i8
    linalg.yield %c : i8
  } -> tensor<?x3x8x9xi8>
  %r = linalg.transpose ins(%q : tensor<?x3x8x9xi8>) outs(%t : tensor<?x8x9x3xi8>) permutation = [0, 2, 3, 1]
  return %r : tensor<?x8x9x3xi8>
}

// Two channels of a signal.
// CHECK-LABEL: func @signal
// CHECK-NOT: linalg.transpose
func.func @signal(%x: tensor<2x40xf32>, %e: tensor<2x40xi8>, %t: tensor<40x2xi8>) -> tensor<40x2xi8> {
  %q = linalg.map { arith.fptosi } ins(%x : tensor<2x40xf32>) outs(%e : tensor<2x40xi8>)
  %g = linalg.generic {indexing_maps = [affine_map<(a, b) -> (a, b)>, affine_map<(a, b) -> (a, b)>], iterator_types = ["parallel", "parallel"]}
      ins(%q : tensor<2x40xi8>) outs(%e : tensor<2x40xi8>) {
  ^bb0(%v: i8, %o: i8):
    %c = arith.addi %v, %v : i8
    linalg.yield %c : i8
  } -> tensor<2x40xi8>
  %r = linalg.transpose ins(%g : tensor<2x40xi8>) outs(%t : tensor<40x2xi8>) permutation = [1, 0]
  return %r : tensor<40x2xi8>
}

// Left alone: 5 channels, another reader of the codes, positions that do not follow one another.
// CHECK-LABEL: func @left
// CHECK-COUNT-3: linalg.transpose
func.func @left(%x: tensor<1x5x8x9xf32>, %y: tensor<1x3x8x9xf32>, %e5: tensor<1x5x8x9xi8>, %e3: tensor<1x3x8x9xi8>, %t5: tensor<1x8x9x5xi8>,
                %t3: tensor<1x8x9x3xi8>, %u3: tensor<1x9x8x3xi8>)
    -> (tensor<1x8x9x5xi8>, tensor<1x3x8x9xi8>, tensor<1x8x9x3xi8>, tensor<1x9x8x3xi8>) {
  %many = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x5x8x9xf32>) outs(%e5 : tensor<1x5x8x9xi8>) {
  ^bb0(%v: f32, %o: i8):
    %c = arith.fptosi %v : f32 to i8
    linalg.yield %c : i8
  } -> tensor<1x5x8x9xi8>
  %read = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x3x8x9xf32>) outs(%e3 : tensor<1x3x8x9xi8>) {
  ^bb0(%v: f32, %o: i8):
    %c = arith.fptosi %v : f32 to i8
    linalg.yield %c : i8
  } -> tensor<1x3x8x9xi8>
  %turned = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x3x8x9xf32>) outs(%e3 : tensor<1x3x8x9xi8>) {
  ^bb0(%v: f32, %o: i8):
    %c = arith.fptosi %v : f32 to i8
    linalg.yield %c : i8
  } -> tensor<1x3x8x9xi8>
  %a = linalg.transpose ins(%many : tensor<1x5x8x9xi8>) outs(%t5 : tensor<1x8x9x5xi8>) permutation = [0, 2, 3, 1]
  %b = linalg.transpose ins(%read : tensor<1x3x8x9xi8>) outs(%t3 : tensor<1x8x9x3xi8>) permutation = [0, 2, 3, 1]
  %c = linalg.transpose ins(%turned : tensor<1x3x8x9xi8>) outs(%u3 : tensor<1x9x8x3xi8>) permutation = [0, 3, 2, 1]
  return %a, %read, %b, %c : tensor<1x8x9x5xi8>, tensor<1x3x8x9xi8>, tensor<1x8x9x3xi8>, tensor<1x9x8x3xi8>
}

// The result of a product of two activations is written with its heads inside, however many there are; what was innermost stays so.
// CHECK-LABEL: func @heads
// CHECK: %[[P:.*]] = linalg.generic {{.*}} attrs = {halftone.product = "vpdpbusd_512"}
// CHECK: linalg.generic {{.*}} ins(%[[P]] : tensor<2x12x4x16xi32>) outs(%{{.*}} : tensor<2x4x12x16xi8>)
// CHECK-NOT: linalg.transpose
func.func @heads(%a: tensor<2x12x4x8xi8>, %b: tensor<2x12x8x16xi8>, %s: tensor<2x12x4x16xi32>, %e: tensor<2x12x4x16xi8>, %t: tensor<2x4x12x16xi8>) -> tensor<2x4x12x16xi8> {
  %p = linalg.generic {indexing_maps = [affine_map<(b, h, m, n, k) -> (b, h, m, k)>, affine_map<(b, h, m, n, k) -> (b, h, k, n)>, affine_map<(b, h, m, n, k) -> (b, h, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<2x12x4x8xi8>, tensor<2x12x8x16xi8>) outs(%s : tensor<2x12x4x16xi32>) attrs = {halftone.product = "vpdpbusd_512"} {
  ^bb0(%x: i8, %y: i8, %o: i32):
    %u = arith.extsi %x : i8 to i32
    %w = arith.extsi %y : i8 to i32
    %m = arith.muli %u, %w : i32
    %r = arith.addi %o, %m : i32
    linalg.yield %r : i32
  } -> tensor<2x12x4x16xi32>
  %q = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%p : tensor<2x12x4x16xi32>) outs(%e : tensor<2x12x4x16xi8>) {
  ^bb0(%v: i32, %o: i8):
    %c = arith.trunci %v : i32 to i8
    linalg.yield %c : i8
  } -> tensor<2x12x4x16xi8>
  %r = linalg.transpose ins(%q : tensor<2x12x4x16xi8>) outs(%t : tensor<2x4x12x16xi8>) permutation = [0, 2, 1, 3]
  return %r : tensor<2x4x12x16xi8>
}
