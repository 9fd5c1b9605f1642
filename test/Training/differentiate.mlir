// RUN: halftone-opt %s --halftone-differentiate --canonicalize --cse --split-input-file | FileCheck %s

// y = relu(x w + b), loss = sum(y): the gradient passes where y > 0, is summed over the rows for b, and is a product for
// w. The matrix product needs no gradient of its input. y is read, not x w + b: that stays free to be fused away.
// CHECK-LABEL: @main
// CHECK-SAME: %[[X:.*]]: tensor<4x2xf32>, %[[W:.*]]: tensor<2x3xf32> {{.*}}, %[[B:.*]]: tensor<3xf32>
// CHECK-SAME: -> (tensor<f32>, tensor<2x3xf32> {halftone.name = "w.gradient"}, tensor<3xf32> {halftone.name = "argument2.gradient"})
// CHECK: linalg.matmul ins(%[[X]], %[[W]]
// CHECK: %[[Y:.*]] = linalg.generic
// CHECK: arith.maximumf
// CHECK: %[[LOSS:.*]] = linalg.generic
// CHECK: %[[DZ:.*]] = linalg.generic {{.*}} ins(%[[Y]]
// CHECK: %[[POSITIVE:.*]] = arith.cmpf ogt
// CHECK: arith.select %[[POSITIVE]]
// CHECK-NOT: linalg.matmul
// CHECK: %[[DB:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%[[Y]]
// CHECK: arith.select
// CHECK: arith.addf
// CHECK: %[[DW:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]} ins(%[[X]], %[[DZ]]
// CHECK: arith.mulf
// CHECK: arith.addf
// CHECK: return %[[LOSS]], %[[DW]], %[[DB]]
#mn = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<4x2xf32>, %w: tensor<2x3xf32> {halftone.name = "w", halftone.trainable},
                %b: tensor<3xf32> {halftone.trainable}) -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x3xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<4x3xf32>) -> tensor<4x3xf32>
  %p = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%f : tensor<4x3xf32>) -> tensor<4x3xf32>
  %y = linalg.generic {indexing_maps = [#mn, affine_map<(m, n) -> (n)>, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%p, %b : tensor<4x3xf32>, tensor<3xf32>) outs(%e : tensor<4x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    %r = arith.maximumf %s, %zero : f32
    linalg.yield %r : f32
  } -> tensor<4x3xf32>
  %le = tensor.empty() : tensor<f32>
  %lf = linalg.fill ins(%zero : f32) outs(%le : tensor<f32>) -> tensor<f32>
  %loss = linalg.generic {indexing_maps = [#mn, affine_map<(m, n) -> ()>], iterator_types = ["reduction", "reduction"]}
      ins(%y : tensor<4x3xf32>) outs(%lf : tensor<f32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<f32>
  return %loss : tensor<f32>
}

// -----

// A convolution of stride 2: the data gradient has four phases of one convolution each, with 4, 2, 2 and 1 of the nine
// taps, which do not overlap. The weights' gradient is summed in 8 parts, one for each image.
// CHECK-LABEL: @main
// CHECK-SAME: %[[X:.*]]: tensor<8x9x9x2xf32> {{.*}}, %[[W:.*]]: tensor<3x3x2x5xf32>
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}}strides = dense<2>
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}}strides = dense<1>{{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x6x6x5xf32>, tensor<2x2x5x2xf32>)
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 0] [8, 5, 5, 2] [1, 2, 2, 1]
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x6x4x5xf32>, tensor<2x1x5x2xf32>)
// CHECK: tensor.insert_slice {{.*}}[0, 0, 1, 0] [8, 5, 4, 2] [1, 2, 2, 1]
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x4x6x5xf32>, tensor<1x2x5x2xf32>)
// CHECK: linalg.conv_2d_nhwc_hwcf {{.*}} ins(%{{.*}}, %{{.*}} : tensor<8x4x4x5xf32>, tensor<1x1x5x2xf32>)
// CHECK: tensor.insert_slice {{.*}}[0, 1, 1, 0] [8, 4, 4, 2] [1, 2, 2, 1]
// CHECK: tensor.expand_shape %[[X]] {{.*}} into tensor<8x1x9x9x2xf32>
// CHECK: %[[PARTS:.*]] = linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]}
// CHECK: } -> tensor<8x3x3x2x5xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["reduction", "parallel", "parallel", "parallel", "parallel"]} ins(%[[PARTS]]
func.func @main(%x: tensor<8x9x9x2xf32> {halftone.trainable}, %w: tensor<3x3x2x5xf32> {halftone.trainable}, %dy: tensor<8x4x4x5xf32>)
    -> tensor<f32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<8x4x4x5xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<8x4x4x5xf32>) -> tensor<8x4x4x5xf32>
  %y = linalg.conv_2d_nhwc_hwcf {strides = dense<2> : tensor<2xi64>, dilations = dense<1> : tensor<2xi64>}
      ins(%x, %w : tensor<8x9x9x2xf32>, tensor<3x3x2x5xf32>) outs(%f : tensor<8x4x4x5xf32>) -> tensor<8x4x4x5xf32>
  %le = tensor.empty() : tensor<f32>
  %lf = linalg.fill ins(%zero : f32) outs(%le : tensor<f32>) -> tensor<f32>
  %id = linalg.mul ins(%y, %dy : tensor<8x4x4x5xf32>, tensor<8x4x4x5xf32>) outs(%e : tensor<8x4x4x5xf32>) -> tensor<8x4x4x5xf32>
  %loss = linalg.reduce { arith.addf } ins(%id : tensor<8x4x4x5xf32>) outs(%lf : tensor<f32>) dimensions = [0, 1, 2, 3]
  return %loss : tensor<f32>
}
