//===- BufferizableOpInterfaceImpl.cpp - bufferization of our operations ----===//
#include "halftone/Codegen/BufferizableOpInterfaceImpl.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::bufferization;

/// The same operation on the buffers of its tensor operands; its results are the buffers of its inits.
static LogicalResult bufferizeKernel(RewriterBase &rewriter, Operation *op, const BufferizationOptions &options,
                                     BufferizationState &state) {
  auto kernel = cast<DestinationStyleOpInterface>(op);
  OperationState buffered(op->getLoc(), op->getName());
  SmallVector<Value> results;
  for (OpOperand &operand : op->getOpOperands()) {
    Value buffer = operand.get();
    if (isa<TensorType>(buffer.getType())) {
      FailureOr<Value> found = getBuffer(rewriter, buffer, options, state);
      if (failed(found))
        return failure();
      buffer = *found;
    }
    buffered.operands.push_back(buffer);
    if (kernel.isDpsInit(&operand))
      results.push_back(buffer);
  }
  buffered.attributes = op->getAttrs();
  for (Region &region : op->getRegions())
    buffered.addRegion()->takeBody(region);
  rewriter.create(buffered);
  replaceOpWithBufferizedValues(rewriter, op, results);
  return success();
}

namespace {

/// A kernel reads its inputs, and writes all of its init without reading it.
template <typename OpTy>
struct KernelModel : DstBufferizableOpInterfaceExternalModel<KernelModel<OpTy>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand, const AnalysisState &) const {
    return !cast<DestinationStyleOpInterface>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    return bufferizeKernel(rewriter, op, options, state);
  }
};

/// An observer reads its tensor; its counters are buffers already.
struct ObserveModel : BufferizableOpInterface::ExternalModel<ObserveModel, ObserveOp> {
  bool bufferizesToMemoryRead(Operation *, OpOperand &, const AnalysisState &) const { return true; }
  bool bufferizesToMemoryWrite(Operation *, OpOperand &, const AnalysisState &) const { return false; }
  AliasingValueList getAliasingValues(Operation *, OpOperand &, const AnalysisState &) const { return {}; }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter, const BufferizationOptions &options,
                          BufferizationState &state) const {
    auto observe = cast<ObserveOp>(op);
    FailureOr<Value> buffer = getBuffer(rewriter, observe.getInput(), options, state);
    if (failed(buffer))
      return failure();
    rewriter.modifyOpInPlace(op, [&] { observe.getInputMutable().assign(*buffer); });
    return success();
  }
};

} // namespace

void mlir::halftone::registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, HalftoneDialect *) {
    ContractOp::attachInterface<KernelModel<ContractOp>>(*context);
    LookupOp::attachInterface<KernelModel<LookupOp>>(*context);
    ObserveOp::attachInterface<ObserveModel>(*context);
  });
}
