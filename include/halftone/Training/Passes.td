//===- Passes.td - differentiation and training ----------------*- tablegen -*-===//
#ifndef HALFTONE_TRAINING_PASSES
#define HALFTONE_TRAINING_PASSES

include "mlir/Pass/PassBase.td"

def RefreshComposites : Pass<"halftone-refresh-composites", "::mlir::func::FuncOp"> {
  let summary = "Build composites again, with functions that are not yet polynomials";
  let description = [{
    `halftone-expand-math` writes exp, tanh, ... as polynomials that take bits apart, which have no useful derivative. A
    composite knows its name and its parameters, so softmax and the elementwise composites are built again as the
    importer made them; inlined, they can be differentiated, and `halftone-expand-math` runs once more behind that.
    Other composites stay.
  }];
  let dependentDialects = ["::mlir::halftone::HalftoneDialect", "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"refreshed", "refreshed", "Number of composites built again">];
}

def PromoteConstants : Pass<"halftone-promote-constants", "::mlir::ModuleOp"> {
  let summary = "Turn weights into arguments that are trained";
  let description = [{
    Each float constant of @main that a linalg operation reads, and whose name matches `only`, becomes an argument behind
    the others, with `halftone.trainable` and its old value as `halftone.value`. The name is that of the constant's
    location, or of the first reader's with `.weight` behind it. `halftone-demote-arguments` is the way back.

    ```mlir
    func.func @main(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
      %w = arith.constant dense<1.0> : tensor<2x3xf32> loc("w")
      %y = linalg.matmul ins(%x, %w : ...) ...
    // becomes
    func.func @main(%x: tensor<4x2xf32>, %w: tensor<2x3xf32> {halftone.name = "w", halftone.trainable,
                    halftone.value = dense<1.0> : tensor<2x3xf32>}) -> tensor<4x3xf32> {
      %y = linalg.matmul ins(%x, %w : ...) ...
    ```

    Scalars, integers and constants that only data movement reads stay.
  }];
  let options = [Option<"only", "only", "std::string", "\".*\"", "Regular expression of the names">];
  let statistics = [Statistic<"promoted", "promoted", "Number of constants that became arguments">];
}

def DemoteArguments : Pass<"halftone-demote-arguments", "::mlir::ModuleOp"> {
  let summary = "Turn arguments with a value into constants";
  let description = [{
    The counterpart of `halftone-promote-constants`: each argument of @main with `halftone.value` becomes a constant of
    that value. Training writes its results into these attributes.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [Statistic<"demoted", "demoted", "Number of arguments that became constants">];
}

def Differentiate : Pass<"halftone-differentiate", "::mlir::ModuleOp"> {
  let summary = "Return the gradient of the loss with regard to the trained arguments";
  let description = [{
    Reverse-mode differentiation of @main. The first result is the loss, a `tensor<f32>`; the gradient with regard to
    each argument with `halftone.trainable` is appended to the results, named `<argument>.gradient`.

    ```mlir
    %y = linalg.matmul ins(%x, %w : tensor<4x2xf32>, tensor<2x3xf32>) outs(%zero : tensor<4x3xf32>)
    // contributes, dy being the adjoint of %y,
    %dw = linalg.generic {sum over m: maps (k, n, m) -> (m, k), (m, n), (k, n)} ins(%x, %dy) outs(%zero)
    %t = linalg.transpose ins(%w) permutation = [1, 0]
    %dx = linalg.matmul ins(%dy, %t : tensor<4x3xf32>, tensor<3x2xf32>) outs(%zero : tensor<4x2xf32>)
    ```

    Rules: convolutions (stride, dilation, groups, depthwise) and matrix products become contractions of the same kind:
    the data gradient convolves dy with flipped weights, one convolution of stride 1 for each phase of the stride;
    the weight gradient is a sum over images and positions. A max pool gives the gradient to the first maximum
    of a window. Any other linalg operation that is elementwise, a sum or a maximum is differentiated through its scalar
    region, a broadcast becoming a sum; equal maxima of a reduction share the gradient. Data movement moves back. `roundeven`
    counts as the identity (straight-through estimator, arXiv:1308.3432): with the clamp around it, the gradient of a
    simulated quantization is clipped, and that of its scale is that of LSQ (arXiv:1902.08153).

    Sums over many terms are cut into at most 16 partial sums by shape alone, added in order: the result is the same for
    any number of threads. Operations with `halftone.stop_gradient` count as constants. Composites have to be inlined
    before; every operation without a rule is an error, and so are dynamic shapes. Forward values are kept, none is
    computed twice but scalars within a region.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [Statistic<"differentiated", "differentiated", "Number of operations differentiated">];
}

#endif // HALFTONE_TRAINING_PASSES
