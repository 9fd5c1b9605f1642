// RUN: halftone-opt %s --halftone-verify-calibration --split-input-file --verify-diagnostics

// expected-error@+1 {{quantizable value '0:' has neither halftone.range nor halftone.reason}}
func.func @main(%x: tensor<4xf32>) {
  return
}

// -----

// expected-error@+1 {{quantizable value '0:' has a malformed halftone.range: needs two finite numbers, low <= high}}
func.func @main(%x: tensor<4xf32> {halftone.range = array<f32: 1.0, -1.0>}) {
  return
}

// -----

func.func @main(%x: tensor<4xf32> {halftone.range = array<f32: -1.0, 1.0>}, %c: memref<1x65536xi64>, %e: memref<1x2xf32>) {
  // expected-error@+1 {{is left after calibration: annotate the module without observers}}
  halftone.observe %x into %c, %e {index = 0 : i64} : tensor<4xf32>, memref<1x65536xi64>, memref<1x2xf32>
  return
}
