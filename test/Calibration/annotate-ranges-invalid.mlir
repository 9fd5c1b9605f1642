// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json" --split-input-file --verify-diagnostics
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/none.json" 2>&1 | FileCheck %s --check-prefix=NOFILE
// RUN: echo '{"halftone.statistics":1,"source_hash":"","samples":1,"values":[{"key":"0:x"}]}' > %t.json
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%t.json" 2>&1 | FileCheck %s --check-prefix=MALFORMED
// RUN: not halftone-opt %s --halftone-annotate-ranges="percentile=50" 2>&1 | FileCheck %s --check-prefix=PERCENTILE

// NOFILE: cannot read '{{.*}}none.json': No such file
// MALFORMED: not a statistics file: a value needs 'key' and 'counts'
// PERCENTILE: needs a percentile above 50 and at most 100, got 5.000000e+01

// expected-error@+1 {{has source hash 'xyz', but the statistics in}}
module attributes {halftone.source_hash = "xyz"} {
  func.func @main(%x: tensor<4xf32>) {
    return
  }
}

// -----

// expected-error@+1 {{has 1 quantizable values, but}}
module {
  func.func @main(%x: tensor<4xf32>) {
    return
  }
}

// -----

func.func @main(%x: tensor<4xf32> {halftone.name = "x"},
                // expected-error@+1 {{is the quantizable value '1:y', but}}
                %y: tensor<4xf32> {halftone.name = "y"}) {
  return
}
