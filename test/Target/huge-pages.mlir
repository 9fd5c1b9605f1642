// RUN: halftone-opt %s --halftone-codegen-pipeline="target-cpu=x86-64-v3 weight-storage=bytes" --halftone-target-pipeline --halftone-write-target="target-cpu=x86-64-v3 output=%t.so" -o /dev/null
// RUN: llvm-readelf -lW %t.so | FileCheck %s
// RUN: llvm-readelf -lW %t.so | not grep 'LOAD .* 0x1000$'
// RUN: wc -c < %t.so | FileCheck %s --check-prefix=BYTES

// 4.5 MB of weights: segments begin on addresses that huge pages allow, so that the constants can be moved to them; the file is no larger.

// CHECK: LOAD 0x000000 0x0000000000000000 {{.*}} R 0x200000
// CHECK: LOAD {{.*}} R E 0x200000
// BYTES: {{^45[0-9]{5}$}}

module attributes {halftone.source_hash = "huge"} {
func.func @main(%x: tensor<1x4096xi8> {halftone.name = "x"}) -> (tensor<1x1100xi32> {halftone.name = "y"}) {
  %w = arith.constant dense<3> : tensor<4096x1100xi8>
  %zero = arith.constant 0 : i32
  %e = tensor.empty() : tensor<1x1100xi32>
  %f = linalg.fill ins(%zero : i32) outs(%e : tensor<1x1100xi32>) -> tensor<1x1100xi32>
  %y = linalg.matmul ins(%x, %w : tensor<1x4096xi8>, tensor<4096x1100xi8>) outs(%f : tensor<1x1100xi32>) -> tensor<1x1100xi32>
  return %y : tensor<1x1100xi32>
}
}
