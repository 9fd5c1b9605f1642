// RUN: halftone-opt --halftone-store-unsigned %s --canonicalize | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#nhwc = affine_map<(n, h, w, c) -> (n, h, w, c)>

// From one contraction to the next, through padding with its zero point: the zero point gets 128, and so does the padding.
// What the caller gave and what it gets stay codes.
// CHECK-LABEL: func @chain
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 125 : i32
// CHECK-DAG: %[[PAD:.*]] = arith.constant 125 : i8
// CHECK-DAG: %[[CODE:.*]] = arith.constant -3 : i32
// CHECK: %[[H:.*]] = halftone.contract ins(%arg0,
// CHECK-SAME: packing = {columns = 64 : i64, kernel = array<i64: 1, 1, 3>, kind = "vpdpbusd_512", lanes = 16 : i64, run = 3 : i64}
// CHECK: arith.addi %{{.*}}, %[[ZERO]] : i32
// CHECK: %[[P:.*]] = tensor.pad %[[H]]
// CHECK: tensor.yield %[[PAD]]
// CHECK: halftone.contract ins(%[[P]],
// CHECK-SAME: unsigned}
// CHECK: arith.addi %{{.*}}, %[[CODE]] : i32
func.func @chain(%x: tensor<1x3x3x3xi8>, %w0: tensor<512xi8>, %w1: tensor<1024xi8>, %e: tensor<1x3x3x4xi8>) -> tensor<1x3x3x2xi8> {
  %z = arith.constant -3 : i32
  %zc = arith.constant -3 : i8
  %e0 = tensor.empty() : tensor<1x3x3x4xi8>
  %h = halftone.contract ins(%x, %w0 : tensor<1x3x3x3xi8>, tensor<512xi8>) outs(%e0 : tensor<1x3x3x4xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 3>, run = 3 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.addi %acc, %z : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  } -> tensor<1x3x3x4xi8>
  %p = tensor.pad %h low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zc : i8
  } : tensor<1x3x3x4xi8> to tensor<1x5x5x4xi8>
  %e1 = tensor.empty() : tensor<1x3x3x2xi8>
  %y = halftone.contract ins(%p, %w1 : tensor<1x5x5x4xi8>, tensor<1024xi8>) outs(%e1 : tensor<1x3x3x2xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 3, 3, 4>, run = 12 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.addi %acc, %z : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  } -> tensor<1x3x3x2xi8>
  return %y : tensor<1x3x3x2xi8>
}

// Padding that is computed when the model runs is stored as it is.
// CHECK-LABEL: func @computed_padding
// CHECK-NOT: unsigned}
// CHECK: tensor.yield %arg4 : i8
// CHECK-NOT: unsigned}
// CHECK: return
func.func @computed_padding(%x: tensor<1x3x3x3xi8>, %w0: tensor<512xi8>, %w1: tensor<1024xi8>, %e: tensor<1x3x3x4xi8>, %zc: i8) -> tensor<1x3x3x2xi8> {
  %z = arith.constant -3 : i32
  %e0 = tensor.empty() : tensor<1x3x3x4xi8>
  %h = halftone.contract ins(%x, %w0 : tensor<1x3x3x3xi8>, tensor<512xi8>) outs(%e0 : tensor<1x3x3x4xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 3>, run = 3 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.addi %acc, %z : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  } -> tensor<1x3x3x4xi8>
  %p = tensor.pad %h low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zc : i8
  } : tensor<1x3x3x4xi8> to tensor<1x5x5x4xi8>
  %e1 = tensor.empty() : tensor<1x3x3x2xi8>
  %y = halftone.contract ins(%p, %w1 : tensor<1x5x5x4xi8>, tensor<1024xi8>) outs(%e1 : tensor<1x3x3x2xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 3, 3, 4>, run = 12 : i64}} {
  ^bb0(%acc: i32):
    %c = arith.addi %acc, %z : i32
    %t = arith.trunci %c : i32 to i8
    halftone.yield %t : i8
  } -> tensor<1x3x3x2xi8>
  return %y : tensor<1x3x3x2xi8>
}

// A lookup's table (code / 2) is read and written for stored bytes: its entry i stands at i xor 0x80, flipped;
// a residual subtracts 128 more; a generic without a zero point flips.
// CHECK-LABEL: func @readers
// CHECK-DAG: %[[SIGN:.*]] = arith.constant -128 : i8
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 133 : i32
// CHECK: %[[A:.*]] = linalg.generic
// CHECK: %[[F:.*]] = arith.xori %{{.*}}, %[[SIGN]]
// CHECK: linalg.yield %[[F]]
// CHECK: %[[T:.*]] = halftone.lookup ins(%[[A]], %{{.*}}
// CHECK: halftone.contract ins(%[[T]],
// CHECK-SAME: unsigned}
// CHECK: ^bb0(%[[ACC:.*]]: i32, %[[R:.*]]: i8):
// CHECK: %[[WIDE:.*]] = arith.extui %[[R]]
// CHECK: arith.subi %[[WIDE]], %[[ZERO]]
func.func @readers(%x: tensor<2x4xi8>, %w: tensor<512xi8>) -> tensor<2x4xi8> {
  %t = arith.constant dense<[-64, -64, -63, -63, -62, -62, -61, -61, -60, -60, -59, -59, -58, -58, -57, -57, -56, -56, -55, -55, -54, -54, -53, -53, -52, -52, -51, -51, -50, -50, -49, -49, -48, -48, -47, -47, -46, -46, -45, -45, -44, -44, -43, -43, -42, -42, -41, -41, -40, -40, -39, -39, -38, -38, -37, -37, -36, -36, -35, -35, -34, -34, -33, -33, -32, -32, -31, -31, -30, -30, -29, -29, -28, -28, -27, -27, -26, -26, -25, -25, -24, -24, -23, -23, -22, -22, -21, -21, -20, -20, -19, -19, -18, -18, -17, -17, -16, -16, -15, -15, -14, -14, -13, -13, -12, -12, -11, -11, -10, -10, -9, -9, -8, -8, -7, -7, -6, -6, -5, -5, -4, -4, -3, -3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 14, 14, 15, 15, 16, 16, 17, 17, 18, 18, 19, 19, 20, 20, 21, 21, 22, 22, 23, 23, 24, 24, 25, 25, 26, 26, 27, 27, 28, 28, 29, 29, 30, 30, 31, 31, 32, 32, 33, 33, 34, 34, 35, 35, 36, 36, 37, 37, 38, 38, 39, 39, 40, 40, 41, 41, 42, 42, 43, 43, 44, 44, 45, 45, 46, 46, 47, 47, 48, 48, 49, 49, 50, 50, 51, 51, 52, 52, 53, 53, 54, 54, 55, 55, 56, 56, 57, 57, 58, 58, 59, 59, 60, 60, 61, 61, 62, 62, 63, 63]> : tensor<256xi8>
  %z = arith.constant 5 : i32
  %e = tensor.empty() : tensor<2x4xi8>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x4xi8>) outs(%e : tensor<2x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %n = arith.maxsi %v, %v : i8
    linalg.yield %n : i8
  } -> tensor<2x4xi8>
  %l = halftone.lookup ins(%a, %t : tensor<2x4xi8>, tensor<256xi8>) outs(%e : tensor<2x4xi8>) -> tensor<2x4xi8>
  %c = halftone.contract ins(%l, %w : tensor<2x4xi8>, tensor<512xi8>) epilogue(%a : tensor<2x4xi8>) outs(%e : tensor<2x4xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32, %r: i8):
    %r1 = arith.extsi %r : i8 to i32
    %r2 = arith.subi %r1, %z : i32
    %s = arith.addi %acc, %r2 : i32
    %t8 = arith.trunci %s : i32 to i8
    halftone.yield %t8 : i8
  } -> tensor<2x4xi8>
  // What wants the generic's bytes unsigned, too.
  %d = halftone.contract ins(%a, %w : tensor<2x4xi8>, tensor<512xi8>) epilogue(%c : tensor<2x4xi8>) outs(%e : tensor<2x4xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [#id],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32, %r: i8):
    %r1 = arith.extsi %r : i8 to i32
    %s = arith.addi %acc, %r1 : i32
    %t8 = arith.trunci %s : i32 to i8
    halftone.yield %t8 : i8
  } -> tensor<2x4xi8>
  return %d : tensor<2x4xi8>
}

// Maximum pooling, its start included, compares unsigned.
// CHECK-LABEL: func @pool
// CHECK-DAG: %[[LEAST:.*]] = arith.constant 0 : i8
// CHECK: %[[FILL:.*]] = linalg.fill ins(%[[LEAST]] : i8)
// CHECK: linalg.pooling_nhwc_max_unsigned {{.*}} outs(%[[FILL]]
// CHECK: unsigned}
func.func @pool(%x: tensor<1x2x2x4xi8>, %w: tensor<512xi8>) -> tensor<1x1x1x4xi32> {
  %least = arith.constant -128 : i8
  %c1 = arith.constant 1 : i8
  %e = tensor.empty() : tensor<1x2x2x4xi8>
  %window = tensor.empty() : tensor<2x2xi8>
  %e1 = tensor.empty() : tensor<1x1x1x4xi8>
  %e2 = tensor.empty() : tensor<1x1x1x4xi32>
  %a = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %n = arith.addi %v, %c1 : i8
    linalg.yield %n : i8
  } -> tensor<1x2x2x4xi8>
  %f = linalg.fill ins(%least : i8) outs(%e1 : tensor<1x1x1x4xi8>) -> tensor<1x1x1x4xi8>
  %p = linalg.pooling_nhwc_max {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%a, %window : tensor<1x2x2x4xi8>, tensor<2x2xi8>) outs(%f : tensor<1x1x1x4xi8>) -> tensor<1x1x1x4xi8>
  %y = halftone.contract ins(%p, %w : tensor<1x1x1x4xi8>, tensor<512xi8>) outs(%e2 : tensor<1x1x1x4xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x1x1x4xi32>
  return %y : tensor<1x1x1x4xi32>
}

// Left alone: a tensor that is a result, too; one that a sum reads; one for a kernel of signed bytes.
// CHECK-LABEL: func @left_alone
// CHECK-NOT: unsigned
// CHECK-NOT: arith.xori
// CHECK: return
func.func @left_alone(%x: tensor<1x2x2x4xi8>, %w: tensor<512xi8>)
    -> (tensor<1x2x2x4xi8>, tensor<1x2x2x4xi32>, tensor<1x1x1x4xi32>, tensor<1x2x2x4xi32>, tensor<1x2x2x4xi32>) {
  %zero = arith.constant 0 : i32
  %c1 = arith.constant 1 : i8
  %e = tensor.empty() : tensor<1x2x2x4xi8>
  %e4 = tensor.empty() : tensor<1x2x2x4xi32>
  %window = tensor.empty() : tensor<2x2xi32>
  %e1 = tensor.empty() : tensor<1x1x1x4xi32>
  %a = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %n = arith.addi %v, %c1 : i8
    linalg.yield %n : i8
  } -> tensor<1x2x2x4xi8>
  %b = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %n = arith.subi %v, %c1 : i8
    linalg.yield %n : i8
  } -> tensor<1x2x2x4xi8>
  %c = linalg.generic {indexing_maps = [#nhwc, #nhwc], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%a : tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) {
  ^bb0(%v: i8, %o: i8):
    %n = arith.muli %v, %v : i8
    linalg.yield %n : i8
  } -> tensor<1x2x2x4xi8>
  %y0 = halftone.contract ins(%a, %w : tensor<1x2x2x4xi8>, tensor<512xi8>) outs(%e4 : tensor<1x2x2x4xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x2x2x4xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e1 : tensor<1x1x1x4xi32>) -> tensor<1x1x1x4xi32>
  %p = linalg.pooling_nhwc_sum {strides = dense<1> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%b, %window : tensor<1x2x2x4xi8>, tensor<2x2xi32>) outs(%f : tensor<1x1x1x4xi32>) -> tensor<1x1x1x4xi32>
  %y1 = halftone.contract ins(%b, %w : tensor<1x2x2x4xi8>, tensor<512xi8>) outs(%e4 : tensor<1x2x2x4xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "vpdpbusd_512", lanes = 16 : i64, columns = 64 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x2x2x4xi32>
  %y2 = halftone.contract ins(%c, %w : tensor<1x2x2x4xi8>, tensor<512xi8>) outs(%e4 : tensor<1x2x2x4xi32>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64, epilogue_maps = [],
      packing = {kind = "maddubs_256", lanes = 8 : i64, columns = 16 : i64, kernel = array<i64: 1, 1, 4>, run = 4 : i64}} {
  ^bb0(%acc: i32):
    halftone.yield %acc : i32
  } -> tensor<1x2x2x4xi32>
  return %a, %y0, %p, %y1, %y2 : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi32>, tensor<1x1x1x4xi32>, tensor<1x2x2x4xi32>, tensor<1x2x2x4xi32>
}

// CHECK: table: "0x{{[0-9]+}}8080818182828383
