module attributes {halftone.stage = "import", halftone.version = 1 : i64, halftone.source_hash = "00ff"} {
  func.func @main(%x: tensor<1x4xf32> {halftone.name = "x"}) -> (tensor<1x2xf32> {halftone.name = "y"}) {
    %w = arith.constant dense_resource<short> : tensor<4x2xf32>
    %b = arith.constant dense_resource<absent> : tensor<1x2xf32>
    %product = linalg.matmul ins(%x, %w : tensor<1x4xf32>, tensor<4x2xf32>) outs(%b : tensor<1x2xf32>) -> tensor<1x2xf32>
    return %product : tensor<1x2xf32>
  }
}
{-# dialect_resources: { builtin: { short: "0x040000000000803F" } } #-}
