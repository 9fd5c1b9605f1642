// RUN: halftone-opt %s --halftone-name-interface | FileCheck %s
// CHECK: module attributes {halftone.stage = "import", halftone.version = 1 : i64}
// CHECK: func.func @main(%{{.*}}: tensor<4xf32> {halftone.name = "x"}, %{{.*}}: tensor<4xf32> {halftone.name = "input1"}) -> (tensor<4xf32> {halftone.name = "output"})
func.func @forward(%a: tensor<4xf32> {halftone.name = "x"}, %b: tensor<4xf32>) -> tensor<4xf32> {
  return %a : tensor<4xf32>
}
