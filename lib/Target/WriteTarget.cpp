//===- WriteTarget.cpp - the end of the target stage as a pass --------------===//
#include "halftone/Target/Compile.h"
#include "halftone/Target/Passes.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_WRITETARGET
#include "halftone/Target/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct WriteTarget : halftone::impl::WriteTargetBase<WriteTarget> {
  using WriteTargetBase::WriteTargetBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    registerBuiltinDialectTranslation(registry);
    registerLLVMDialectTranslation(registry);
  }

  void runOnOperation() override {
    TargetOptions options;
    options.cpu = cpu;
    options.name = name;
    if (failed(writeTarget(getOperation(), options, output)))
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

} // namespace
