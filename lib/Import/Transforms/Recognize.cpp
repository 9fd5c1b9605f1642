//===- Recognize.cpp - foreign linalg to the entry form ---------------------===//
#include "halftone/Import/Recognize.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_RECOGNIZE
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct Recognize : halftone::impl::RecognizeBase<Recognize> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateFoldConstantMovement(patterns);
    populateSimplifyBroadcasts(patterns);
    populateRecognizeConvolution(patterns);
    populateRecognizeMatmul(patterns);
    populateRecognizeRelu(patterns);
    populateRecognizeBatchNorm(patterns);
    populateRecognizeAvgPool(patterns);
    populateRecognizeMaxPool(patterns);
    if (failed(applyToEnd(getOperation(), std::move(patterns)))) {
      getOperation().emitError("recognition does not come to an end");
      signalPassFailure();
    }
  }
};
} // namespace
