// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline --halftone-write-target="target-cpu=reference output=%t-reference.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline=target-cpu=x86-64-v3 --halftone-target-pipeline --halftone-write-target="target-cpu=x86-64-v3 output=%t-v3.so" -o /dev/null
// RUN: halftone-opt %s --halftone-codegen-pipeline --halftone-target-pipeline --halftone-write-target="output=%t-native.so" -o /dev/null
// RUN: python3 %S/Inputs/artefact.py same %t-reference.so %t-v3.so %t-native.so | FileCheck %s
// RUN: halftone-opt %s --halftone-codegen-pipeline | FileCheck %s --check-prefix=KERNELS

// Masks of the interface and in the arena: loaded, broadcast, gathered, joined, reduced, moved and stored, with columns left over; each element
// has a byte. All of them are vector kernels.

// CHECK: same bits: 3 artefacts
// KERNELS: halftone.layers
// KERNELS-SAME: kernel = "vector
// KERNELS-NOT: kernel = "scalar"
// KERNELS: func.func

#id = affine_map<(n, i, j) -> (n, i, j)>
module {
func.func @main(%m: tensor<?x13x37xi1> {halftone.name = "m", halftone.dims = [#halftone.dim<"batch", 1, 2>, unit, unit]},
                %k: tensor<37x13xi1> {halftone.name = "k", halftone.dims = [unit, unit]},
                %x: tensor<?x13x37xf32> {halftone.name = "x", halftone.dims = [#halftone.dim<"batch", 1, 2>, unit, unit]})
    -> (tensor<?x13x37xi1> {halftone.name = "both"}, tensor<?x13x37xf32> {halftone.name = "chosen"}, tensor<?x13xi1> {halftone.name = "any"},
        tensor<?x37xi1> {halftone.name = "all"}, tensor<?x26x37xi1> {halftone.name = "joined"}, tensor<?x37x13xi1> {halftone.name = "turned"}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %m, %c0 : tensor<?x13x37xi1>
  %false = arith.constant false
  %true = arith.constant true
  %low = arith.constant -1.0 : f32
  %e = tensor.empty(%n) : tensor<?x13x37xi1>
  %both = linalg.generic {indexing_maps = [#id, affine_map<(n, i, j) -> (j, i)>, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%m, %k : tensor<?x13x37xi1>, tensor<37x13xi1>) outs(%e : tensor<?x13x37xi1>) {
  ^bb0(%a: i1, %b: i1, %o: i1):
    %v = arith.xori %a, %b : i1
    linalg.yield %v : i1
  } -> tensor<?x13x37xi1>
  %ef = tensor.empty(%n) : tensor<?x13x37xf32>
  %chosen = linalg.generic {indexing_maps = [#id, affine_map<(n, i, j) -> (n, i, 3)>, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%both, %m, %x : tensor<?x13x37xi1>, tensor<?x13x37xi1>, tensor<?x13x37xf32>) outs(%ef : tensor<?x13x37xf32>) {
  ^bb0(%a: i1, %b: i1, %c: f32, %o: f32):
    %v = arith.select %a, %c, %low : f32
    %w = arith.negf %v : f32
    %r = arith.select %b, %v, %w : f32
    linalg.yield %r : f32
  } -> tensor<?x13x37xf32>
  %er = tensor.empty(%n) : tensor<?x13xi1>
  %fr = linalg.fill ins(%false : i1) outs(%er : tensor<?x13xi1>) -> tensor<?x13xi1>
  %any = linalg.generic {indexing_maps = [#id, affine_map<(n, i, j) -> (n, i)>], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%both : tensor<?x13x37xi1>) outs(%fr : tensor<?x13xi1>) {
  ^bb0(%a: i1, %o: i1):
    %v = arith.ori %a, %o : i1
    linalg.yield %v : i1
  } -> tensor<?x13xi1>
  %ec = tensor.empty(%n) : tensor<?x37xi1>
  %fc = linalg.fill ins(%true : i1) outs(%ec : tensor<?x37xi1>) -> tensor<?x37xi1>
  %all = linalg.generic {indexing_maps = [#id, affine_map<(n, i, j) -> (n, j)>], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%m : tensor<?x13x37xi1>) outs(%fc : tensor<?x37xi1>) {
  ^bb0(%a: i1, %o: i1):
    %v = arith.andi %a, %o : i1
    linalg.yield %v : i1
  } -> tensor<?x37xi1>
  %joined = tensor.concat dim(1) %m, %both : (tensor<?x13x37xi1>, tensor<?x13x37xi1>) -> tensor<?x26x37xi1>
  %et = tensor.empty(%n) : tensor<?x37x13xi1>
  %turned = linalg.transpose ins(%m : tensor<?x13x37xi1>) outs(%et : tensor<?x37x13xi1>) permutation = [0, 2, 1]
  return %both, %chosen, %any, %all, %joined, %turned : tensor<?x13x37xi1>, tensor<?x13x37xf32>, tensor<?x13xi1>, tensor<?x37xi1>, tensor<?x26x37xi1>, tensor<?x37x13xi1>
}
}
