//===- DemoteArguments.cpp - trained arguments become constants again -------===//
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_DEMOTEARGUMENTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct DemoteArguments : halftone::impl::DemoteArgumentsBase<DemoteArguments> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    // First to last, each at the start of the body, would turn the order around.
    for (unsigned i = entry.getNumArguments(); i-- > 0;) {
      auto value = entry.getArgAttrOfType<TypedAttr>(i, kValueAttr);
      if (!value)
        continue;
      BlockArgument argument = entry.getArgument(i);
      if (value.getType() != argument.getType()) {
        entry.emitError("argument ") << i << " has a value of another type, " << value.getType();
        return signalPassFailure();
      }
      auto builder = OpBuilder::atBlockBegin(&entry.getBody().front());
      Value constant = arith::ConstantOp::create(builder, argument.getLoc(), value);
      argument.replaceAllUsesWith(constant);
      (void)entry.eraseArgument(i);
      ++demoted;
    }
  }
};

} // namespace
