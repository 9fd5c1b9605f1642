// Two classes of points in the plane, told apart by one hidden layer; the batch is 16.
#mn = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<16x2xf32> {halftone.name = "point"}) -> (tensor<16x2xf32> {halftone.name = "logits"}) {
  %w0 = arith.constant dense<[[0.9, -0.7, 0.3, 0.6, -0.2, 0.8, -0.5, 0.1], [0.2, 0.5, -0.8, 0.7, 0.9, -0.6, -0.4, 0.3]]> : tensor<2x8xf32> loc("hidden.weight")
  %b0 = arith.constant dense<0.0> : tensor<8xf32> loc("hidden.bias")
  %w1 = arith.constant dense<[[0.1, -0.2], [0.3, 0.1], [-0.1, 0.2], [0.2, -0.3], [-0.2, 0.1], [0.1, 0.3], [0.3, -0.1], [-0.3, 0.2]]> : tensor<8x2xf32> loc("out.weight")
  %zero = arith.constant 0.0 : f32
  %e0 = tensor.empty() : tensor<16x8xf32>
  %f0 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<16x8xf32>) -> tensor<16x8xf32>
  %h = linalg.matmul ins(%x, %w0 : tensor<16x2xf32>, tensor<2x8xf32>) outs(%f0 : tensor<16x8xf32>) -> tensor<16x8xf32>
  %r = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%h, %b0 : tensor<16x8xf32>, tensor<8xf32>) outs(%e0 : tensor<16x8xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    %p = arith.maximumf %s, %zero : f32
    linalg.yield %p : f32
  } -> tensor<16x8xf32>
  %e1 = tensor.empty() : tensor<16x2xf32>
  %f1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<16x2xf32>) -> tensor<16x2xf32>
  %y = linalg.matmul ins(%r, %w1 : tensor<16x8xf32>, tensor<8x2xf32>) outs(%f1 : tensor<16x2xf32>) -> tensor<16x2xf32>
  return %y : tensor<16x2xf32>
}
