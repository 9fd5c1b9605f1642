//===- Bufferize.cpp - tensors to buffers -----------------------------------===//
#include "halftone/Codegen/BufferizableOpInterfaceImpl.h"
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_BUFFERIZE
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Replaces tensor.empty by the place where its value is needed: first in the outputs, then in other tensors, whose own
/// place is known by then.
static LogicalResult eliminateEmptyTensors(RewriterBase &rewriter, Operation *op) {
  for (bool outputs : {true, false}) {
    bufferization::OneShotBufferizationOptions options;
    bufferization::OneShotAnalysisState state(op, options);
    if (failed(bufferization::analyzeOp(op, state)))
      return failure();
    auto build = [&](RewriterBase &inner, SubsetInsertionOpInterface insertion, tensor::EmptyOp empty,
                     Operation *user) -> Value {
      auto output = dyn_cast<bufferization::MaterializeInDestinationOp>(insertion.getOperation());
      if (outputs && !output)
        return {};
      // An output exists from the start, so that parts of it can be computed before they meet.
      OpBuilder::InsertionGuard guard(inner);
      if (output)
        inner.setInsertionPointAfterValue(output.getDest());
      return bufferization::buildSubsetExtraction(inner, insertion, empty, user);
    };
    if (failed(bufferization::eliminateEmptyTensors(rewriter, op, state, build)))
      return failure();
  }
  return success();
}

namespace {

struct Bufferize : halftone::impl::BufferizeBase<Bufferize> {
  /// The interfaces come with the pass, so that every tool has them.
  void getDependentDialects(DialectRegistry &registry) const override {
    BufferizeBase::getDependentDialects(registry);
    arith::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerBufferizableOpInterfaceExternalModels(registry);
    linalg::registerSubsetOpInterfaceExternalModels(registry);
    scf::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerBufferizableOpInterfaceExternalModels(registry);
    tensor::registerSubsetOpInterfaceExternalModels(registry);
    registerBufferizableOpInterfaceExternalModels(registry);
  }

  void runOnOperation() override {
    if (failed(decomposeConcats()))
      return signalPassFailure();
    IRRewriter rewriter(&getContext());
    bufferization::OneShotBufferizationOptions options;
    options.bufferAlignment = 64;
    bufferization::BufferizationState state;
    if (failed(eliminateEmptyTensors(rewriter, getOperation())) ||
        failed(bufferization::runOneShotBufferize(getOperation(), options, state)))
      signalPassFailure();
  }

  LogicalResult decomposeConcats() {
    RewritePatternSet patterns(&getContext());
    tensor::populateDecomposeTensorConcatPatterns(patterns);
    return applyPatternsGreedily(getOperation(), std::move(patterns));
  }
};

} // namespace
