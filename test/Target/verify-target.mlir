// RUN: halftone-opt %s --halftone-verify-target --split-input-file --verify-diagnostics

module attributes {halftone.inputs = [], halftone.outputs = [], halftone.batch = array<i64: 1, 1>,
                   halftone.workspace_bytes = 0} {
  llvm.mlir.global private constant @weights(dense<1> : tensor<4xi8>) : !llvm.array<4 x i8>
  llvm.func internal @halftone_run() { llvm.return }
}

// -----

// expected-error @below {{is not the output of the target pipeline}}
module {}

// -----

module attributes {halftone.inputs = [], halftone.outputs = [], halftone.batch = array<i64: 1, 1>,
                   halftone.workspace_bytes = 0} {
  llvm.func internal @halftone_run() { llvm.return }
  // expected-error @below {{is not defined: an artefact has no library to find it in}}
  llvm.func @malloc(i64) -> !llvm.ptr
  // expected-error @below {{would be exported; halftone_query is the only symbol of an artefact}}
  llvm.func @layer() { llvm.return }
  // expected-error @below {{can change: an artefact has no global state}}
  llvm.mlir.global internal @state(0 : i32) : i32
  // expected-error @below {{would be exported}}
  llvm.mlir.global external constant @table(0 : i32) : i32
  // expected-error @below {{is not of the LLVM dialect}}
  func.func @main() { return }
}

// -----

// expected-error @below {{'x' has element type 'f64'; an artefact takes f32, i8, u8, i32, i64 and bool}}
module attributes {halftone.inputs = [{name = "x", preprocess = "", type = tensor<4xf64>}], halftone.outputs = [],
                   halftone.batch = array<i64: 1, 1>, halftone.workspace_bytes = 0} {
  llvm.func internal @halftone_run() { llvm.return }
}
