module attributes {halftone.stage = "import", halftone.version = 1 : i64, halftone.source_hash = "00ff"} {
  func.func @main(%x: tensor<?x4xf32> {halftone.name = "x", halftone.dims = [#halftone.dim<"batch", 1, 8>, unit]})
      -> (tensor<?x4xf32> {halftone.name = "y"}) {
    return %x : tensor<?x4xf32>
  }
}
