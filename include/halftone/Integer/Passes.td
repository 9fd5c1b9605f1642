//===- Passes.td - passes of the integer stage -----------------*- tablegen -*-===//
#ifndef HALFTONE_INTEGER_PASSES
#define HALFTONE_INTEGER_PASSES

include "mlir/Pass/PassBase.td"

def ExpandMath : Pass<"halftone-expand-math"> {
  let summary = "Write out transcendental functions as polynomials";
  let description = [{
    Each of exp, log, tanh, erf, sin, cos, pow, rsqrt, ... on f32 becomes one fixed text of IEEE additions,
    multiplications, divisions, fused multiply-adds and square roots (rule A14 of docs/Arithmetic.md), so that tables,
    the reference and the vector code compute the same bits and nothing calls a mathematical library. It runs right
    after import, before a folder can evaluate a constant with the host's library; it folds nothing itself.

    ```mlir
    %0 = math.rsqrt %x : f32
    // becomes
    %s = math.sqrt %x : f32
    %0 = arith.divf %one, %s : f32
    ```

    Left alone: absf, ceil, copysign, floor, fma, roundeven, sqrt, trunc, which are one instruction each. A function that
    has no polynomial (of another element type, for example) is an error.
  }];
  let dependentDialects = ["::mlir::math::MathDialect", "::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"expanded", "expanded", "Mathematical functions written out">];
}

def FuseMultiplyAdd : Pass<"halftone-fuse-multiply-add"> {
  let summary = "Sum float products by fused multiply-add";
  let description = [{
    In the region of a float contraction `acc + a * b` becomes `math.fma(a, b, acc)` (rule A13 of docs/Arithmetic.md),
    so that the reference and the vector code round once per step. A named operation becomes a generic first, because its
    region is not its own.

    ```mlir
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %acc, %p : f32
    // becomes
    %s = math.fma %a, %b, %acc : f32
    ```

    Left alone: operations without a reduction (an elementwise product and sum rounds twice), integers, and products
    that something else reads too.
  }];
  let dependentDialects = ["::mlir::math::MathDialect", "::mlir::linalg::LinalgDialect"];
  let statistics = [Statistic<"fused", "fused", "Contractions that sum by fused multiply-add">];
}

#endif // HALFTONE_INTEGER_PASSES
