//===- VerifyTarget.cpp - the contract of the target stage ------------------===//
#include "ModelTable.h"
#include "halftone/Codegen/Entry.h"
#include "halftone/Target/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYTARGET
#include "halftone/Target/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static LogicalResult verifyFunction(LLVM::LLVMFuncOp function) {
  if (function.isExternal())
    return function.emitOpError("is not defined: an artefact has no library to find it in");
  if (function.getLinkage() != LLVM::Linkage::Internal)
    return function.emitOpError("would be exported; halftone_query is the only symbol of an artefact");
  return success();
}

static LogicalResult verifyGlobal(LLVM::GlobalOp global) {
  if (!global.getConstant())
    return global.emitOpError("can change: an artefact has no global state");
  if (global.getLinkage() != LLVM::Linkage::Internal && global.getLinkage() != LLVM::Linkage::Private)
    return global.emitOpError("would be exported; halftone_query is the only symbol of an artefact");
  return success();
}

namespace {

struct VerifyTarget : halftone::impl::VerifyTargetBase<VerifyTarget> {
  void runOnOperation() override {
    bool failedAny = failed(verifySignature(getOperation()));
    for (Operation &op : *getOperation().getBody()) {
      LogicalResult result = success();
      if (auto function = dyn_cast<LLVM::LLVMFuncOp>(op))
        result = verifyFunction(function);
      else if (auto global = dyn_cast<LLVM::GlobalOp>(op))
        result = verifyGlobal(global);
      else if (!isa_and_nonnull<LLVM::LLVMDialect>(op.getDialect()))
        result = op.emitOpError("is not of the LLVM dialect");
      failedAny |= failed(result);
    }
    if (failedAny)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
