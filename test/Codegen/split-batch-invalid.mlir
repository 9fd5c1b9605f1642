// RUN: not halftone-opt %s --halftone-split-batch=target=abacus 2>&1 | FileCheck %s
// CHECK: error: unknown target 'abacus'
func.func @main(%x: tensor<8x65536xf32>) -> tensor<8x65536xf32> {
  return %x : tensor<8x65536xf32>
}
