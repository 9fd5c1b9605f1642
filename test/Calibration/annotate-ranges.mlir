// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json estimator=minmax" --verify-diagnostics | FileCheck %s
// RUN: halftone-opt %s --halftone-calibration-pipeline="stats=%S/Inputs/two-values.json estimator=minmax" | FileCheck %s
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json estimator=percentile percentile=75" 2>/dev/null | FileCheck %s --check-prefix=PERCENTILE
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-runs.json estimator=mean" 2>/dev/null | FileCheck %s --check-prefix=MEAN
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json estimator=mean" 2>&1 | FileCheck %s --check-prefix=NORUNS
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json estimator=entropy" 2>/dev/null | FileCheck %s --check-prefix=ENTROPY

// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json estimator=auto" 2>/dev/null | FileCheck %s --check-prefix=ENTROPY

// By a recipe, the last rule that matches decides; those of formats alone are for later.
// RUN: printf -- "- {kind: contraction, weights: int4}\n- {regex: '.*', estimator: entropy}\n- {name: x, estimator: minmax}\n" > %t.yaml
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json recipe=%t.yaml estimator=percentile percentile=75" --verify-diagnostics | FileCheck %s
// RUN: printf -- "- {kind: unary, estimator: minmax}\n- {name: X, estimator: minmax}\n- {kind: contraction, estimator: mse}\n" > %t.none
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json recipe=%t.none" 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// UNMATCHED: error: rules of the recipe '{{.*}}' with an estimator match no value that gets a range: 2 (name 'X'), 3 (kind 'contraction')
// RUN: printf -- "- {name: x, estimator: mean}\n" > %t.mean
// RUN: not halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/two-values.json recipe=%t.mean" 2>&1 | FileCheck %s --check-prefix=NORUNS

// With -inf three times: a mask.
// RUN: halftone-opt %s --halftone-annotate-ranges="stats=%S/Inputs/hidden.json" 2>&1 | FileCheck %s --check-prefix=HIDDEN
// HIDDEN-NOT: warning{{.*}}0:x
// HIDDEN: @main(%{{.*}}: tensor<4xf32> {halftone.name = "x", halftone.reason = "-inf was observed in calibration, which no code stands for"})

// The counts: -1 once, 0.5 twice, 2 once. The exponential gave only NaN.
// CHECK: @main(%{{.*}}: tensor<4xf32> {halftone.name = "x", halftone.range = array<f32: -1.000000e+00, 2.000000e+00>})
// PERCENTILE: halftone.range = array<f32: -1.000000e+00, 0.503906{{[0-9]+}}>
// MEAN: halftone.range = array<f32: -2.500000e-01, 1.250000e+00>
// NORUNS: needs the extrema of each sample for estimator=mean
// ENTROPY: halftone.range = array<f32: {{.*}}>
// CHECK: halftone.composite "exp"
// CHECK-SAME: halftone.reason = "no finite value was observed in calibration"
module attributes {halftone.source_hash = "abc"} {
  func.func @main(%x: tensor<4xf32> {halftone.name = "x"}) -> tensor<4xf32> {
    %y = halftone.composite "exp"(%x) {} : (tensor<4xf32>) -> tensor<4xf32> {
    ^bb0(%a: tensor<4xf32>):
      halftone.yield %a : tensor<4xf32>
    } loc("exp")
    return %y : tensor<4xf32>
  }
}
