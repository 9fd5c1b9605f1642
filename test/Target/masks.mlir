// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline --halftone-write-target="target-cpu=reference output=%t-reference.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=x86-64-v3 --halftone-target-pipeline --halftone-write-target="target-cpu=x86-64-v3 output=%t-v3.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline --halftone-target-pipeline --halftone-write-target="output=%t-native.so" -o /dev/null
// RUN: python3 %S/Inputs/artefact.py same %t-reference.so %t-v3.so %t-native.so | FileCheck %s

// Masks behind products: each of their elements has a byte in memory, so kernels must not load them as vectors of bits. The second product reads what
// the mask leaves of the first one, as in attention. The signs of a product are a mask, too.

// CHECK: same bits: 3 artefacts

#id = affine_map<(b, m, n) -> (b, m, n)>
#rows = affine_map<(b, m, n) -> (m, n)>
module {
func.func @main(%x: tensor<2x4x8xf32> {halftone.name = "x", halftone.dims = [unit, unit, unit]},
                %y: tensor<2x8x24xf32> {halftone.name = "y", halftone.dims = [unit, unit, unit]})
    -> (tensor<2x4x8xf32> {halftone.name = "z"}, tensor<4x24xf32> {halftone.name = "linear"}, tensor<4x24xi1> {halftone.name = "positive"}) {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant -2.0 : f32
  %mask = arith.constant dense<[[true, false, true, true, false, false, true, false, true, true, true, false, false, true, false, true, true, false, false, false, true, true, false, true],
      [false, true, true, false, true, false, false, true, true, false, true, true, false, false, true, true, false, true, true, false, false, true, true, false],
      [true, true, false, false, true, true, false, false, true, false, false, true, true, true, false, false, true, true, false, true, false, true, false, true],
      [false, false, true, true, false, true, true, true, false, true, false, false, true, false, true, false, true, false, true, true, true, false, true, true]]> : tensor<4x24xi1>
  %e = tensor.empty() : tensor<2x4x24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<2x4x24xf32>) -> tensor<2x4x24xf32>
  %s = linalg.batch_matmul ins(%x, %y : tensor<2x4x8xf32>, tensor<2x8x24xf32>) outs(%f : tensor<2x4x24xf32>) -> tensor<2x4x24xf32>
  %k = linalg.generic {indexing_maps = [#rows, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%mask, %s : tensor<4x24xi1>, tensor<2x4x24xf32>) outs(%e : tensor<2x4x24xf32>) {
  ^bb0(%b: i1, %a: f32, %o: f32):
    %v = arith.select %b, %a, %low : f32
    linalg.yield %v : f32
  } -> tensor<2x4x24xf32>
  %et = tensor.empty() : tensor<2x24x8xf32>
  %t = linalg.transpose ins(%y : tensor<2x8x24xf32>) outs(%et : tensor<2x24x8xf32>) permutation = [0, 2, 1]
  %ez = tensor.empty() : tensor<2x4x8xf32>
  %fz = linalg.fill ins(%zero : f32) outs(%ez : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>
  %z = linalg.batch_matmul ins(%k, %t : tensor<2x4x24xf32>, tensor<2x24x8xf32>) outs(%fz : tensor<2x4x8xf32>) -> tensor<2x4x8xf32>

  %w = arith.constant dense<0.5> : tensor<8x24xf32>
  %x0 = tensor.extract_slice %x[0, 0, 0] [1, 4, 8] [1, 1, 1] : tensor<2x4x8xf32> to tensor<4x8xf32>
  %e2 = tensor.empty() : tensor<4x24xf32>
  %f2 = linalg.fill ins(%zero : f32) outs(%e2 : tensor<4x24xf32>) -> tensor<4x24xf32>
  %l = linalg.matmul ins(%x0, %w : tensor<4x8xf32>, tensor<8x24xf32>) outs(%f2 : tensor<4x24xf32>) -> tensor<4x24xf32>
  %m = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%mask, %l : tensor<4x24xi1>, tensor<4x24xf32>) outs(%e2 : tensor<4x24xf32>) {
  ^bb0(%b: i1, %a: f32, %o: f32):
    %v = arith.select %b, %a, %low : f32
    linalg.yield %v : f32
  } -> tensor<4x24xf32>
  %w3 = arith.constant dense<0.25> : tensor<8x24xf32>
  %l3 = linalg.matmul ins(%x0, %w3 : tensor<4x8xf32>, tensor<8x24xf32>) outs(%f2 : tensor<4x24xf32>) -> tensor<4x24xf32>
  %ep = tensor.empty() : tensor<4x24xi1>
  %p = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>], iterator_types = ["parallel", "parallel"]}
      ins(%l3 : tensor<4x24xf32>) outs(%ep : tensor<4x24xi1>) {
  ^bb0(%a: f32, %o: i1):
    %v = arith.cmpf ogt, %a, %zero : f32
    linalg.yield %v : i1
  } -> tensor<4x24xi1>
  return %z, %m, %p : tensor<2x4x8xf32>, tensor<4x24xf32>, tensor<4x24xi1>
}
}
