//===- ExposeContractionInputs.cpp - return what is summed to Hessians --------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Reconstruction/Passes.h"
#include "halftone/Reconstruction/Patches.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPOSECONTRACTIONINPUTS
#include "halftone/Reconstruction/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct ExposeContractionInputsPass : halftone::impl::ExposeContractionInputsBase<ExposeContractionInputsPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    llvm::SetVector<Value> values;
    for (const ContractionInput &input : getContractionInputs(*entry))
      if (takesHessian(input.contraction))
        values.insert(input.value);
    Operation *terminator = entry->getBody().front().getTerminator();
    Builder builder(&getContext());
    for (auto [i, value] : llvm::enumerate(values)) {
      auto name = builder.getNamedAttr(kNameAttr, builder.getStringAttr("halftone.input." + Twine(i)));
      (void)entry->insertResult(entry->getNumResults(), value.getType(), builder.getDictionaryAttr(name));
      terminator->insertOperands(terminator->getNumOperands(), value);
    }
    exposed += values.size();
  }
};
} // namespace
