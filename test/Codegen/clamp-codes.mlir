// RUN: halftone-opt --halftone-clamp-codes %s --canonicalize | FileCheck %s
#id = affine_map<(i, j) -> (i, j)>
#c = affine_map<(i, j) -> (j)>

// 2^31 times 0.0625: the clamp becomes one of integers.
// CHECK-LABEL: func @requantize
// CHECK-DAG: %[[LOW:.*]] = arith.constant -3 : i32
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 252 : i32
// CHECK: ^bb0(%[[A:.*]]: i32, %[[M:.*]]: f32, %{{.*}}: i8):
// CHECK: %[[Y:.*]] = arith.mulf
// CHECK-NEXT: %[[R:.*]] = math.roundeven %[[Y]]
// CHECK-NEXT: %[[I:.*]] = arith.fptosi %[[R]]
// CHECK-NEXT: %[[ABOVE:.*]] = arith.maxsi %[[I]], %[[LOW]]
// CHECK-NEXT: %[[BOTH:.*]] = arith.minsi %[[ABOVE]], %[[HIGH]]
// CHECK-NEXT: arith.addi %[[BOTH]]
func.func @requantize(%x: tensor<2x3xi32>, %e: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %m = arith.constant dense<[0.0625, -0.03, 0.001]> : tensor<3xf32>
  %lo = arith.constant -3.0 : f32
  %hi = arith.constant 252.0 : f32
  %z = arith.constant -125 : i32
  %y = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<2x3xi32>, tensor<3xf32>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%a: i32, %s: f32, %o: i8):
    %f = arith.sitofp %a : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %k = arith.addi %i, %z : i32
    %c8 = arith.trunci %k : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// Codes are small, so a sum of two has a bound with any sane multiplier: (128 + 7) * 1000 + 128 * 2.5.
// CHECK-LABEL: func @add
// CHECK: arith.minsi
func.func @add(%x: tensor<2x3xi8>, %w: tensor<2x3xi8>, %e: tensor<2x3xi8>) -> tensor<2x3xi8> {
  %ma = arith.constant 1000.0 : f32
  %mb = arith.constant 2.5 : f32
  %lo = arith.constant -128.0 : f32
  %hi = arith.constant 127.0 : f32
  %z = arith.constant 7 : i32
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %w : tensor<2x3xi8>, tensor<2x3xi8>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%a: i8, %b: i8, %o: i8):
    %a1 = arith.extsi %a : i8 to i32
    %a2 = arith.subi %a1, %z : i32
    %a3 = arith.sitofp %a2 : i32 to f32
    %a4 = arith.mulf %a3, %ma : f32
    %b1 = arith.extsi %b : i8 to i32
    %b3 = arith.sitofp %b1 : i32 to f32
    %b4 = arith.mulf %b3, %mb : f32
    %v = arith.addf %a4, %b4 : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// The epilogue of a contraction, whose accumulator has a bound in any case.
// CHECK-LABEL: func @contract
// CHECK: arith.minsi
func.func @contract(%x: tensor<2x5xi8>, %e: tensor<2x1xi8>) -> tensor<2x1xi8> {
  %w = arith.constant dense<1> : tensor<5x1xi8>
  %m = arith.constant dense<0.99> : tensor<1xf32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 127.0 : f32
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x1xi8>) epilogue(%m : tensor<1xf32>) outs(%e : tensor<2x1xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
                  epilogue_maps = [affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %s: f32):
    %f = arith.sitofp %acc : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    halftone.yield %c8 : i8
  } -> tensor<2x1xi8>
  return %y : tensor<2x1xi8>
}

// The accumulator is at most 5 * 128 * 127 and the bias at most 1000, so that a multiplier far above 1 leaves a bound.
// CHECK-LABEL: func @contract_loud
// CHECK: arith.minsi
func.func @contract_loud(%x: tensor<2x5xi8>, %e: tensor<2x1xi8>) -> tensor<2x1xi8> {
  %w = arith.constant dense<-127> : tensor<5x1xi8>
  %m = arith.constant dense<20000.0> : tensor<1xf32>
  %b = arith.constant dense<-1000> : tensor<1xi32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 127.0 : f32
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x1xi8>) epilogue(%m, %b : tensor<1xf32>, tensor<1xi32>) outs(%e : tensor<2x1xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
                  epilogue_maps = [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %s: f32, %bias: i32):
    %sum = arith.addi %acc, %bias : i32
    %f = arith.sitofp %sum : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    halftone.yield %c8 : i8
  } -> tensor<2x1xi8>
  return %y : tensor<2x1xi8>
}

// With twice the multiplier it may exceed an i32.
// CHECK-LABEL: func @contract_too_loud
// CHECK-NOT: arith.minsi
func.func @contract_too_loud(%x: tensor<2x5xi8>, %e: tensor<2x1xi8>) -> tensor<2x1xi8> {
  %w = arith.constant dense<-127> : tensor<5x1xi8>
  %m = arith.constant dense<40000.0> : tensor<1xf32>
  %b = arith.constant dense<-1000> : tensor<1xi32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 127.0 : f32
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x1xi8>) epilogue(%m, %b : tensor<1xf32>, tensor<1xi32>) outs(%e : tensor<2x1xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
                  epilogue_maps = [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %s: f32, %bias: i32):
    %sum = arith.addi %acc, %bias : i32
    %f = arith.sitofp %sum : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    halftone.yield %c8 : i8
  } -> tensor<2x1xi8>
  return %y : tensor<2x1xi8>
}

// By channel: zeros leave a bound beside any multiplier, a small multiplier leaves one beside any bias.
// CHECK-LABEL: func @contract_by_channel
// CHECK: arith.minsi
func.func @contract_by_channel(%x: tensor<2x5xi8>, %e: tensor<2x2xi8>) -> tensor<2x2xi8> {
  %w = arith.constant dense<[[0, 1], [0, -2], [0, 1], [0, 1], [0, 1]]> : tensor<5x2xi8>
  %m = arith.constant dense<[30000000.0, 0.5]> : tensor<2xf32>
  %b = arith.constant dense<[7, 2000000000]> : tensor<2xi32>
  %lo = arith.constant 0.0 : f32
  %hi = arith.constant 127.0 : f32
  %y = halftone.contract ins(%x, %w : tensor<2x5xi8>, tensor<5x2xi8>) epilogue(%m, %b : tensor<2xf32>, tensor<2xi32>) outs(%e : tensor<2x2xi8>)
      attributes {strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, groups = 1 : i64,
                  epilogue_maps = [affine_map<(m, n) -> (n)>, affine_map<(m, n) -> (n)>]} {
  ^bb0(%acc: i32, %s: f32, %bias: i32):
    %sum = arith.addi %acc, %bias : i32
    %f = arith.sitofp %sum : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    halftone.yield %c8 : i8
  } -> tensor<2x2xi8>
  return %y : tensor<2x2xi8>
}

// What has no bound stays: an accumulator times 1, the caller's floats (NaN among them), multipliers that are no constants,
// and bounds that are no integers.
// CHECK-LABEL: func @left_alone
// CHECK-NOT: arith.minsi
func.func @left_alone(%x: tensor<2x3xi32>, %f32: tensor<2x3xf32>, %m: tensor<3xf32>, %e: tensor<2x3xi8>)
    -> (tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi8>) {
  %lo = arith.constant -128.0 : f32
  %hi = arith.constant 127.0 : f32
  %hi2 = arith.constant 126.5 : f32
  %half = arith.constant 0.5 : f32
  %y0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x3xi32>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%a: i32, %o: i8):
    %v = arith.sitofp %a : i32 to f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  %y1 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%f32 : tensor<2x3xf32>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%v: f32, %o: i8):
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  %y2 = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %m : tensor<2x3xi32>, tensor<3xf32>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%a: i32, %s: f32, %o: i8):
    %f = arith.sitofp %a : i32 to f32
    %v = arith.mulf %f, %s : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  %y3 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<2x3xi32>) outs(%e : tensor<2x3xi8>) {
  ^bb0(%a: i32, %o: i8):
    %f = arith.sitofp %a : i32 to f32
    %v = arith.mulf %f, %half : f32
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi2 : f32
    %u = arith.select %q, %t, %hi2 : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    %c8 = arith.trunci %i : i32 to i8
    linalg.yield %c8 : i8
  } -> tensor<2x3xi8>
  return %y0, %y1, %y2, %y3 : tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi8>, tensor<2x3xi8>
}

// What a body reads of a whole tensor has no bound.
// CHECK-LABEL: func @read
// CHECK-NOT: arith.maxsi
// CHECK: return
func.func @read(%table: tensor<9xf32>, %e: tensor<2x3xi32>) -> tensor<2x3xi32> {
  %lo = arith.constant -3.0 : f32
  %hi = arith.constant 252.0 : f32
  %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%e : tensor<2x3xi32>) {
  ^bb0(%o: i32):
    %n = linalg.index 1 : index
    %v = tensor.extract %table[%n] : tensor<9xf32>
    %p = arith.cmpf ogt, %v, %lo : f32
    %t = arith.select %p, %v, %lo : f32
    %q = arith.cmpf olt, %t, %hi : f32
    %u = arith.select %q, %t, %hi : f32
    %r = math.roundeven %u : f32
    %i = arith.fptosi %r : f32 to i32
    linalg.yield %i : i32
  } -> tensor<2x3xi32>
  return %y : tensor<2x3xi32>
}
