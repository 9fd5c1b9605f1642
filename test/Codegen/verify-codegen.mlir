// RUN: halftone-opt %s --halftone-verify-codegen --split-input-file --verify-diagnostics

func.func @halftone_run(%x: memref<4xf32>, %v: vector<4xf32>) {
  %0 = math.fma %v, %v, %v : vector<4xf32>
  return
}

// -----

// expected-error @below {{has no entry function @halftone_run}}
module {}

// -----

func.func @halftone_run(%x: memref<4xf32>, %y: memref<4xf32>, %v: vector<4xf32>,
                        %c: memref<4xi8>, %l: memref<256xi8>) {
  // expected-error @below {{is a call into a library that an artefact does not have}}
  %a = memref.alloc() : memref<4xf32>
  // expected-error @below {{is a call into a library that an artefact does not have}}
  memref.copy %x, %y : memref<4xf32> to memref<4xf32>
  // expected-error @below {{computes a tensor behind bufferization}}
  %t = arith.constant dense<0.0> : tensor<4xf32>
  // expected-error @below {{is not of a dialect that is alive after the codegen stage}}
  halftone.lookup ins(%c, %l : memref<4xi8>, memref<256xi8>) outs(%c : memref<4xi8>)
  // expected-error @below {{may be rounded once or twice; math.fma is always rounded once}}
  %f = vector.fma %v, %v, %v : vector<4xf32>
  // expected-error @below {{sums floats in an order that is not written out}}
  %r = vector.reduction <add>, %v : vector<4xf32> into f32
  return
}

// -----

func.func @halftone_run(%n: index, %x: memref<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %n step %c1 {
    // expected-error @below {{is a call inside of a loop}}
    func.call @layer() : () -> ()
  }
  // expected-error @below {{is a parallel loop that was not outlined}}
  scf.forall (%i) in (%n) {
  }
  return
}
func.func @layer() { return }
