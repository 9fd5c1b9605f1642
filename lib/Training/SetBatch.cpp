//===- SetBatch.cpp - another number of samples for a program ---------------===//
#include "halftone/Analysis/BatchSize.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SETBATCH
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct SetBatch : halftone::impl::SetBatchBase<SetBatch> {
  using SetBatchBase::SetBatchBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry) || failed(setBatchSize(*entry, size)))
      signalPassFailure();
  }
};

} // namespace
