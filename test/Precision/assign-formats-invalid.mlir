// RUN: not halftone-opt %s --halftone-assign-formats=weights=int9 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: 'int9' is no format of weights: float, int8, int8pair, int7, int7pair, int6, int5, int4, int3, int2, codebook8, {{.*}}nf4, log3, log4, log5
// RUN: not halftone-opt %s --halftone-assign-formats="granularity=group:7" 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// GRANULARITY: error: 'group:7' is no granularity: tensor, channel, or group:N with N from 8 to 256
// RUN: not halftone-opt %s --halftone-assign-formats="weights=codebook6 granularity=group:32" 2>&1 | FileCheck %s --check-prefix=CODEBOOK
// CODEBOOK: error: weights of format 'codebook6' have no multiplier for groups: a codebook of more than 5 bits is one table for the whole tensor; give the granularity channel or tensor
// RUN: not halftone-opt %s --halftone-assign-formats="weights=int4 granularity=group:8" 2>&1 | FileCheck %s --check-prefix=SHORT
// SHORT: error: groups of format 'int4' have a byte each, which is worth it from 16 elements on; give group:16 to group:256
// RUN: not halftone-opt %s --halftone-assign-formats="granularity=group:32" 2>&1 | FileCheck %s --check-prefix=INT8
// INT8: error: weights of format 'int8' have no multiplier for groups: its levels fill [-127, 127] already

// RUN: not halftone-opt %s --halftone-assign-formats=recipe=%t.none 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: cannot read the recipe '{{.*}}none'
// RUN: echo "# nothing" > %t.1 && not halftone-opt %s --halftone-assign-formats=recipe=%t.1 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: '{{.*}}' is no recipe: it has no rules
// RUN: echo "- {name: product, wieghts: int4}" > %t.2 && not halftone-opt %s --halftone-assign-formats=recipe=%t.2 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: '{{.*}}' is no recipe: line 1: unknown key 'wieghts'
// RUN: echo "- {name: product, kind: matmul, weights: int4}" > %t.3 && not halftone-opt %s --halftone-assign-formats=recipe=%t.3 2>&1 | FileCheck %s --check-prefix=ONE
// ONE: error: '{{.*}}' is no recipe: rule 1: a rule needs one of name, regex and kind
// RUN: echo "- {kind: convolution, weights: int4}" > %t.4 && not halftone-opt %s --halftone-assign-formats=recipe=%t.4 2>&1 | FileCheck %s --check-prefix=KIND
// KIND: rule 1: 'convolution' is no kind: conv, depthwise, grouped, matmul, batch_matmul, contraction
// RUN: echo "- {regex: '(', weights: int4}" > %t.5 && not halftone-opt %s --halftone-assign-formats=recipe=%t.5 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: rule 1: '(' is no regular expression:
// RUN: echo "- {name: product}" > %t.6 && not halftone-opt %s --halftone-assign-formats=recipe=%t.6 2>&1 | FileCheck %s --check-prefix=WHAT
// WHAT: rule 1: a rule needs one of weights, levels, granularity, precision, activations, sparsity, rounding and estimator
// RUN: echo "- {name: product, levels: [0, 200]}" > %t.7 && not halftone-opt %s --halftone-assign-formats=recipe=%t.7 2>&1 | FileCheck %s --check-prefix=LEVELS
// LEVELS: rule 1: levels are integers of -127 to 127, one of them not 0
// RUN: echo "- {name: product, weights: int4, precision: float}" > %t.8 && not halftone-opt %s --halftone-assign-formats=recipe=%t.8 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: rule 1: a rule with precision float has no format of weights
// RUN: echo "- {name: product, precision: int4}" > %t.9 && not halftone-opt %s --halftone-assign-formats=recipe=%t.9 2>&1 | FileCheck %s --check-prefix=PRECISION
// PRECISION: rule 1: 'int4' is no precision: int8 or float
// RUN: echo "- {name: product, activations: int4}" > %t.30 && not halftone-opt %s --halftone-assign-formats=recipe=%t.30 2>&1 | FileCheck %s --check-prefix=ACTIVATIONS
// ACTIVATIONS: rule 1: 'int4' are no activations: int8, dynamic or float
// RUN: echo "- {name: product, activations: dynamic, precision: float}" > %t.31 && not halftone-opt %s --halftone-assign-formats=recipe=%t.31 2>&1 | FileCheck %s --check-prefix=NOCODES
// NOCODES: rule 1: a rule with activations is for weights that are codes
// RUN: echo "- {name: product, activations: dynamic, sparsity: 0.5}" > %t.32 && not halftone-opt %s --halftone-assign-formats=recipe=%t.32 2>&1 | FileCheck %s --check-prefix=NORANGE
// NORANGE: rule 1: a rule with sparsity is for activations int8: what to prune is found from their codes
// RUN: echo "- {name: product, rounding: gptq}" > %t.20 && not halftone-opt %s --halftone-assign-formats=recipe=%t.20 2>&1 | FileCheck %s --check-prefix=ROUNDING
// ROUNDING: rule 1: 'gptq' is no rounding of a rule: diffused, which needs no Hessian; --rounding is that of all other layers
// RUN: echo "- {name: product, rounding: diffused, precision: float}" > %t.21 && not halftone-opt %s --halftone-assign-formats=recipe=%t.21 2>&1 | FileCheck %s --check-prefix=ROUNDEDFLOAT
// ROUNDEDFLOAT: rule 1: a rule with rounding is for int8
// RUN: echo "- {name: product, estimator: maximum}" > %t.11 && not halftone-opt %s --halftone-assign-formats=recipe=%t.11 2>&1 | FileCheck %s --check-prefix=ESTIMATOR
// ESTIMATOR: rule 1: 'maximum' is no estimator: minmax, mean, percentile, mse, entropy, auto
// RUN: echo "- {name: product, sparsity: 1.0}" > %t.12 && not halftone-opt %s --halftone-assign-formats=recipe=%t.12 2>&1 | FileCheck %s --check-prefix=SHARE
// SHARE: rule 1: sparsity is a share from 0 to below 1
// RUN: echo "- {name: product, precision: float, sparsity: 0.5}" > %t.13 && not halftone-opt %s --halftone-assign-formats=recipe=%t.13 2>&1 | FileCheck %s --check-prefix=ZEROS
// ZEROS: rule 1: a rule with sparsity is for int8: no kernel skips zeros of floats

// Rules that match nothing are named, all of them.
// RUN: printf -- "- {name: product, weights: int4}\n- {name: produce, weights: int4}\n- {kind: depthwise, weights: int8}\n" > %t.10
// RUN: printf -- "- {name: produce, estimator: mse}\n" >> %t.10
// RUN: not halftone-opt %s --halftone-assign-formats=recipe=%t.10 2>&1 | FileCheck %s --check-prefix=UNMATCHED
// UNMATCHED: error: rules of the recipe '{{.*}}' match no layer that they could change: 2 (name 'produce'), 3 (kind 'depthwise'){{$}}
func.func @main(%x: tensor<1x2xf32>) -> tensor<1x2xf32> {
  %zero = arith.constant 0.0 : f32
  %weights = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<1x2xf32>) -> tensor<1x2xf32>
  %m = linalg.matmul ins(%x, %weights : tensor<1x2xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2xf32>) -> tensor<1x2xf32> loc("product")
  return %m : tensor<1x2xf32>
}
