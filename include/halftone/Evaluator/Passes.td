//===- Passes.td - the evaluator as a pass ---------------------*- tablegen -*-===//
#ifndef HALFTONE_EVALUATOR_PASSES
#define HALFTONE_EVALUATOR_PASSES

include "mlir/Pass/PassBase.td"

def Evaluate : Pass<"halftone-evaluate", "::mlir::func::FuncOp"> {
  let summary = "Run functions without arguments in the interpreter and print their results";
  let description = [{
    For tests and for looking closely: each function without arguments is evaluated with the host's IEEE arithmetic and its
    results are printed to standard output, one line each, as `name#i: shape x type = elements`. Functions with
    arguments, and the IR, are left alone.

    ```
    add#0: 3xf32 = 1 2.5 -3
    ```
  }];
}

#endif // HALFTONE_EVALUATOR_PASSES
