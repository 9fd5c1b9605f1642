// RUN: halftone-opt %s --halftone-insert-observers --split-input-file --verify-diagnostics

// expected-error@+1 {{needs an entry function @main with a body of one block}}
module {
  func.func @other(%x: tensor<4xf32>) {
    return
  }
}

// -----

// expected-error@+1 {{has observers already}}
func.func @main(%x: tensor<4xf32>) attributes {halftone.observed = []} {
  return
}
