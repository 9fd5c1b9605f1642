//===- Passes.td - the target stage's passes -------------------*- tablegen -*-===//
#ifndef HALFTONE_TARGET_PASSES
#define HALFTONE_TARGET_PASSES

include "mlir/Pass/PassBase.td"

def WriteTarget : Pass<"halftone-write-target", "::mlir::ModuleOp"> {
  let summary = "Write a module of the LLVM dialect as a shared library, object, LLVM IR or assembly";
  let description = [{
    The end of the target stage (`writeTarget` of halftone/Target/Compile.h) for use in halftone-opt; it leaves the
    module as it is. The extension of `output` says what is written: `.so`, `.o` (and a C header), `.ll` or `.s`.

    ```sh
    halftone-opt model.mlir --halftone-codegen-pipeline=target-cpu=reference --halftone-target-pipeline \
        --halftone-write-target='target-cpu=reference output=model.so'
    ```
  }];
  let options = [
    Option<"cpu", "target-cpu", "std::string", "\"native\"", "native, or a name of the target table">,
    Option<"name", "name", "std::string", "\"model\"", "The model's name">,
    Option<"output", "output", "std::string", "", "Path of the file">
  ];
}

def VerifyTarget : Pass<"halftone-verify-target", "::mlir::ModuleOp"> {
  let summary = "Check the contract of the target stage";
  let description = [{
    Errors: no recorded signature, an element type that the artefact's table cannot say, an operation of another
    dialect than LLVM's, a function without a body, a global variable that is not constant, and a symbol that would be
    exported.
  }];
}

#endif // HALFTONE_TARGET_PASSES
