// RUN: halftone-opt %s --halftone-add-loss=target=label --split-input-file --verify-diagnostics
// RUN: not halftone-opt %s --halftone-add-loss="loss=hinge target=label" --split-input-file 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not halftone-opt %s --halftone-add-loss --split-input-file 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not halftone-opt %s --halftone-add-loss=teacher=big --split-input-file 2>&1 | FileCheck %s --check-prefix=TEACHER

// NAME: error: there is no loss 'hinge': it is cross-entropy or mse
// NONE: error: needs a target (the name of a new argument) or a teacher (a function)
// TEACHER: error: the teacher's inputs or its first output differ from @main's
// TEACHER: error: there is no function @big

func.func @main(%z: tensor<8x3xf32>) -> tensor<8x3xf32> {
  return %z : tensor<8x3xf32>
}
func.func @big(%z: tensor<8x4xf32>) -> tensor<8x4xf32> {
  return %z : tensor<8x4xf32>
}

// -----

func.func @main(%z: tensor<8x3xf32>) -> tensor<8x3xf32> {
  return %z : tensor<8x3xf32>
}

// -----

// expected-error @+1 {{cross-entropy needs logits [samples, classes], not 'tensor<8xf32>'; mse takes any shape}}
func.func @main(%z: tensor<8xf32>) -> tensor<8xf32> {
  return %z : tensor<8xf32>
}

// -----

// expected-error @+1 {{result 0 must be a tensor of floats with a static shape, not 'tensor<?x3xf32>'}}
func.func @main(%z: tensor<?x3xf32>) -> tensor<?x3xf32> {
  return %z : tensor<?x3xf32>
}

// -----

// expected-error @+1 {{needs a function @main with a result}}
module {}
