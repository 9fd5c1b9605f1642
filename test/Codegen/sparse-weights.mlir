// Weights of which most quads are zero are stored without these, where skipping them is faster.
// RUN: %python %S/Inputs/kernel_cases.py > %t.mlir
// RUN: halftone-opt %t.mlir --halftone-form-contractions --halftone-pack-weights=target=avx512vnni | grep -c 'quads = ' | FileCheck %s
// RUN: halftone-opt %t.mlir --halftone-form-contractions --halftone-pack-weights=target=avxvnni | grep -c 'quads = ' | FileCheck %s
// RUN: halftone-opt %t.mlir --halftone-form-contractions --halftone-pack-weights=target=avx2 | grep -c 'quads = ' | FileCheck %s
// RUN: halftone-opt %t.mlir --halftone-form-contractions --halftone-pack-weights=target=dotprod | grep -c 'quads = ' | FileCheck %s
// CHECK: {{^13$}}
