//===- NameInterface.cpp - a foreign module gets names and a stage ----------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_NAMEINTERFACE
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct NameInterface : halftone::impl::NameInterfaceBase<NameInterface> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Builder builder(&getContext());
    SmallVector<func::FuncOp> functions;
    for (auto function : module.getOps<func::FuncOp>())
      if (function.isPublic())
        functions.push_back(function);
    if (functions.size() != 1) {
      module.emitError("needs exactly one public function as its entry, found ") << functions.size();
      return signalPassFailure();
    }
    func::FuncOp entry = functions.front();
    entry.setName("main");
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      if (!entry.getArgAttr(i, kNameAttr))
        entry.setArgAttr(i, kNameAttr, builder.getStringAttr("input" + (i ? Twine(i) : Twine(""))));
    for (unsigned i = 0; i < entry.getNumResults(); ++i)
      if (!entry.getResultAttr(i, kNameAttr))
        entry.setResultAttr(i, kNameAttr, builder.getStringAttr("output" + (i ? Twine(i) : Twine(""))));
    if (!module->hasAttr(kStageAttr))
      module->setAttr(kStageAttr, builder.getStringAttr("import"));
    if (!module->hasAttr(kVersionAttr))
      module->setAttr(kVersionAttr, builder.getI64IntegerAttr(1));
  }
};
} // namespace
