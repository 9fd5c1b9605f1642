// RUN: halftone-opt %s --halftone-convert-to-f32 -split-input-file 2> %t.remarks | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t.remarks

// The interface, weights of all three kinds of constants, casts and copies that do nothing any more.
// REMARK: bf16 and f64 are computed in f32: so are the inputs and outputs 'x', 'y'
// CHECK-LABEL: @product(
// CHECK-SAME: %[[X:.*]]: tensor<2x2xf32> {halftone.name = "x"}
// CHECK-SAME: -> (tensor<2x3xf32> {halftone.name = "y"}, tensor<3xf32> {halftone.name = "w"})
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{\[}}[1.000000e+00, -2.000000e+00, 5.000000e-01], [0.000000e+00, 0x7F800000, 3.000000e+00]]> : tensor<2x3xf32>
// CHECK-DAG: %[[D:.*]] = arith.constant dense<[3.40282347E+38, -3.40282347E+38, 0xFF800000]> : tensor<3xf32>
// CHECK-DAG: %[[EPSILON:.*]] = arith.constant 1.000000e-01 : f32
// CHECK: %[[P:.*]] = linalg.matmul ins(%[[X]], %[[W]] :
// CHECK-NOT: linalg.generic
// CHECK: %[[S:.*]] = linalg.generic {{.*}} ins(%[[P]] :
// CHECK: ^bb0(%[[A:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: %[[T:.*]] = arith.addf %[[A]], %[[EPSILON]] : f32
// CHECK-NEXT: linalg.yield %[[T]] : f32
// CHECK: return %[[S]], %[[D]]
#id = affine_map<(i, j) -> (i, j)>
func.func @product(%x: tensor<2x2xbf16> {halftone.name = "x"}) -> (tensor<2x3xbf16> {halftone.name = "y"}, tensor<3xf32> {halftone.name = "w"}) {
  %w = arith.constant dense_resource<weights> : tensor<2x3xbf16>
  %d = arith.constant dense<[1.0e300, -1.0e300, 0xFFF0000000000000]> : tensor<3xf64>
  %zero = arith.constant dense<0.0> : tensor<2x3xf32>
  %epsilon = arith.constant 0.1 : f64
  %e = tensor.empty() : tensor<2x3xbf16>
  %p = linalg.matmul ins(%x, %w : tensor<2x2xbf16>, tensor<2x3xbf16>) outs(%zero : tensor<2x3xf32>) -> tensor<2x3xf32>
  %h = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%p : tensor<2x3xf32>) outs(%e : tensor<2x3xbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %t = arith.truncf %a : f32 to bf16
    linalg.yield %t : bf16
  } -> tensor<2x3xbf16>
  %s = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%h : tensor<2x3xbf16>) outs(%e : tensor<2x3xbf16>) {
  ^bb0(%a: bf16, %o: bf16):
    %l = arith.extf %a : bf16 to f64
    %t = arith.addf %l, %epsilon : f64
    %r = arith.truncf %t : f64 to bf16
    linalg.yield %r : bf16
  } -> tensor<2x3xbf16>
  %q = arith.truncf %d : tensor<3xf64> to tensor<3xf32>
  return %s, %q : tensor<2x3xbf16>, tensor<3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x02000000803F00C0003F0000807F4040"
    }
  }
#-}

// -----

// Weights that are only stored so: nothing is said of them.
// REMARK-NOT: remark
// CHECK-LABEL: @stored
// CHECK: %[[W:.*]] = "tosa.const"() <{values = dense<[5.000000e-01, 6.10351563E-5]> : tensor<2xf32>}>
// CHECK: return %[[W]]
func.func @stored() -> tensor<2xf32> {
  %h = "tosa.const"() <{values = dense<[0.5, 6.104e-05]> : tensor<2xf16>}> : () -> tensor<2xf16>
  %w = tosa.cast %h : (tensor<2xf16>) -> tensor<2xf32>
  return %w : tensor<2xf32>
}
