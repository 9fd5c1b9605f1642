// RUN: halftone-opt %s --halftone-convert-elementwise --halftone-convert-boundaries --canonicalize --cse | FileCheck %s

#id = affine_map<(n, c) -> (n, c)>
#c = affine_map<(n, c) -> (c)>
!qa = !quant.uniform<i8:f32, 0.5:3>
!qb = !quant.uniform<i8:f32, 0.25:-4>
!qy = !quant.uniform<i8:f32, 1.0:-128>

// An addition and a Relu behind it: multipliers 0.5 and 0.25, bounds [0, 255]; b is read by channel.
// CHECK-LABEL: @add
// CHECK-DAG: %[[MA:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG: %[[MB:.*]] = arith.constant 2.500000e-01 : f32
// CHECK-DAG: %[[ZA:.*]] = arith.constant 3 : i32
// CHECK-DAG: %[[ZB:.*]] = arith.constant -4 : i32
// CHECK-DAG: %[[LOW:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<?x4xi8>, tensor<4xi8>) outs(%{{.*}} : tensor<?x4xi8>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: i8, %[[B:.*]]: i8, %{{.*}}: i8):
// CHECK-NEXT: %[[V0:.*]] = arith.extsi %[[A]] : i8 to i32
// CHECK-NEXT: %[[V1:.*]] = arith.subi %[[V0]], %[[ZA]] : i32
// CHECK-NEXT: %[[V2:.*]] = arith.sitofp %[[V1]] : i32 to f32
// CHECK-NEXT: %[[V3:.*]] = arith.mulf %[[V2]], %[[MA]] : f32
// CHECK-NEXT: %[[V4:.*]] = arith.extsi %[[B]] : i8 to i32
// CHECK-NEXT: %[[V5:.*]] = arith.subi %[[V4]], %[[ZB]] : i32
// CHECK-NEXT: %[[V6:.*]] = arith.sitofp %[[V5]] : i32 to f32
// CHECK-NEXT: %[[V7:.*]] = arith.mulf %[[V6]], %[[MB]] : f32
// CHECK-NEXT: %[[V8:.*]] = arith.addf %[[V3]], %[[V7]] : f32
// CHECK-NEXT: arith.cmpf ogt, %[[V8]], %[[LOW]] : f32
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @add(%ai: tensor<?x4xi8>, %bi: tensor<4xi8>, %n: index) -> tensor<?x4xi8> {
  %zero = arith.constant 0.0 : f32
  %aq = quant.scast %ai : tensor<?x4xi8> to tensor<?x4x!qa>
  %bq = quant.scast %bi : tensor<4xi8> to tensor<4x!qb>
  %a = halftone.dequantize %aq : tensor<?x4x!qa> to tensor<?x4xf32>
  %b = halftone.dequantize %bq : tensor<4x!qb> to tensor<4xf32>
  %e = tensor.empty(%n) : tensor<?x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<?x4xf32>, tensor<4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<?x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s : tensor<?x4xf32>) outs(%e : tensor<?x4xf32>) {
  ^bb0(%u: f32, %o: f32):
    %0 = arith.maximumf %u, %zero : f32
    linalg.yield %0 : f32
  } -> tensor<?x4xf32>
  %yq = halftone.quantize %r : tensor<?x4xf32> to tensor<?x4x!qy>
  %yi = quant.scast %yq : tensor<?x4x!qy> to tensor<?x4xi8>
  return %yi : tensor<?x4xi8>
}

// CHECK-LABEL: @subtract
// CHECK: arith.subf
// CHECK-LABEL: @multiply
// CHECK: %[[P:.*]] = arith.muli
// CHECK-NEXT: %[[R:.*]] = arith.sitofp %[[P]] : i32 to f32
// CHECK-NEXT: arith.mulf %[[R]], %cst{{.*}} : f32
func.func @subtract(%ai: tensor<2x4xi8>, %bi: tensor<2x4xi8>) -> tensor<2x4xi8> {
  %aq = quant.scast %ai : tensor<2x4xi8> to tensor<2x4x!qa>
  %bq = quant.scast %bi : tensor<2x4xi8> to tensor<2x4x!qb>
  %a = halftone.dequantize %aq : tensor<2x4x!qa> to tensor<2x4xf32>
  %b = halftone.dequantize %bq : tensor<2x4x!qb> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.subf %v, %u : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %yq = halftone.quantize %s : tensor<2x4xf32> to tensor<2x4x!qy>
  %yi = quant.scast %yq : tensor<2x4x!qy> to tensor<2x4xi8>
  return %yi : tensor<2x4xi8>
}
func.func @multiply(%ai: tensor<2x4xi8>, %bi: tensor<2x4xi8>) -> tensor<2x4xi8> {
  %aq = quant.scast %ai : tensor<2x4xi8> to tensor<2x4x!qa>
  %bq = quant.scast %bi : tensor<2x4xi8> to tensor<2x4x!qb>
  %a = halftone.dequantize %aq : tensor<2x4x!qa> to tensor<2x4xf32>
  %b = halftone.dequantize %bq : tensor<2x4x!qb> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %yq = halftone.quantize %s : tensor<2x4xf32> to tensor<2x4x!qy>
  %yi = quant.scast %yq : tensor<2x4x!qy> to tensor<2x4xi8>
  return %yi : tensor<2x4xi8>
}

// Any other region: real numbers of the codes, the region, a true division by the scale.
// CHECK-LABEL: @affine
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<2x2xi8>, tensor<2xf32>) outs(%{{.*}} : tensor<2x2xi8>)
// CHECK: arith.extsi
// CHECK-NEXT: arith.subi
// CHECK-NEXT: arith.sitofp
// CHECK-NEXT: %[[X:.*]] = arith.mulf
// CHECK-NEXT: %[[Y:.*]] = arith.mulf %[[X]]
// CHECK-NEXT: arith.divf %[[Y]]
func.func @affine(%ai: tensor<2x2xi8>) -> tensor<2x2xi8> {
  %f = arith.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %aq = quant.scast %ai : tensor<2x2xi8> to tensor<2x2x!qa>
  %a = halftone.dequantize %aq : tensor<2x2x!qa> to tensor<2x2xf32>
  %e = tensor.empty() : tensor<2x2xf32>
  %s = linalg.generic {indexing_maps = [#id, #c, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %f : tensor<2x2xf32>, tensor<2xf32>) outs(%e : tensor<2x2xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x2xf32>
  %yq = halftone.quantize %s : tensor<2x2xf32> to tensor<2x2x!quant.uniform<i8:f32, 0.75>>
  %yi = quant.scast %yq : tensor<2x2x!quant.uniform<i8:f32, 0.75>> to tensor<2x2xi8>
  return %yi : tensor<2x2xi8>
}

// Left alone: a sum that something else reads in f32 too.
// CHECK-LABEL: @two_readers
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : tensor<2x4xf32>, tensor<2x4xf32>) outs(%{{.*}} : tensor<2x4xf32>)
func.func @two_readers(%ai: tensor<2x4xi8>, %b: tensor<2x4xf32>) -> (tensor<2x4xi8>, tensor<2x4xf32>) {
  %aq = quant.scast %ai : tensor<2x4xi8> to tensor<2x4x!qa>
  %a = halftone.dequantize %aq : tensor<2x4x!qa> to tensor<2x4xf32>
  %e = tensor.empty() : tensor<2x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a, %b : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.addf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %yq = halftone.quantize %s : tensor<2x4xf32> to tensor<2x4x!qy>
  %yi = quant.scast %yq : tensor<2x4x!qy> to tensor<2x4xi8>
  return %yi, %s : tensor<2x4xi8>, tensor<2x4xf32>
}

// A function that reads its value twice, with a composite in it, is one generic from the accumulator to codes.
// CHECK-LABEL: @function
// CHECK-NOT: halftone.composite
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%{{.*}} : tensor<2x4xi32>) outs(%{{.*}} : tensor<2x4xi8>)
// CHECK-NEXT: ^bb0(%[[A:.*]]: i32, %{{.*}}: i8):
// CHECK-NEXT: %[[X:.*]] = arith.sitofp %[[A]]
// CHECK-NEXT: %[[S:.*]] = math.sqrt %[[X]]
// CHECK-NEXT: %[[P:.*]] = arith.mulf %[[X]], %[[S]]
// CHECK-NEXT: arith.cmpf ogt, %[[P]]
// CHECK-NOT: linalg.generic
// CHECK: return %[[Y]]
func.func @function(%acc: tensor<2x4xi32>) -> tensor<2x4xi8> {
  %e = tensor.empty() : tensor<2x4xf32>
  %x = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%acc : tensor<2x4xi32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%u: i32, %o: f32):
    %0 = arith.sitofp %u : i32 to f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %r = halftone.composite "sqrt"(%x) {} : (tensor<2x4xf32>) -> tensor<2x4xf32> {
  ^bb0(%t: tensor<2x4xf32>):
    %i = tensor.empty() : tensor<2x4xf32>
    %0 = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%t : tensor<2x4xf32>) outs(%i : tensor<2x4xf32>) {
    ^bb0(%u: f32, %o: f32):
      %1 = math.sqrt %u : f32
      linalg.yield %1 : f32
    } -> tensor<2x4xf32>
    halftone.yield %0 : tensor<2x4xf32>
  }
  %p = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x, %r : tensor<2x4xf32>, tensor<2x4xf32>) outs(%e : tensor<2x4xf32>) {
  ^bb0(%u: f32, %v: f32, %o: f32):
    %0 = arith.mulf %u, %v : f32
    linalg.yield %0 : f32
  } -> tensor<2x4xf32>
  %yq = halftone.quantize %p : tensor<2x4xf32> to tensor<2x4x!qy>
  %yi = quant.scast %yq : tensor<2x4x!qy> to tensor<2x4xi8>
  return %yi : tensor<2x4xi8>
}
