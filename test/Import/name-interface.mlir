// RUN: halftone-opt %s --halftone-name-interface -split-input-file | FileCheck %s
// CHECK: module attributes {halftone.stage = "import", halftone.version = 1 : i64}
// CHECK: func.func @main(%{{.*}}: tensor<4xf32> {halftone.name = "x"}, %{{.*}}: tensor<4xf32> {halftone.name = "input1"}) -> (tensor<4xf32> {halftone.name = "output"})
func.func @forward(%a: tensor<4xf32> {halftone.name = "x"}, %b: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}

// -----

// Names as converters of TFLite files write them; a list of another length is none.
// CHECK: func.func @main(%{{.*}}: tensor<4xf32> {halftone.name = "picture"}, %{{.*}}: tensor<4xf32> {halftone.name = "size"}) -> (tensor<4xf32> {halftone.name = "output"})
func.func @serving(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> attributes {tf.entry_function = {inputs = "picture, size", outputs = "a,b"}} {
  return %a : tensor<4xf32>
}
