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

#endif // HALFTONE_TARGET_PASSES
