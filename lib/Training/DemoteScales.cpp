//===- DemoteScales.cpp - arguments become scales of types ------------------===//
#include "ScaleGroups.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_DEMOTESCALES
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct DemoteScales : halftone::impl::DemoteScalesBase<DemoteScales> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    SmallVector<unsigned> dead;
    for (ScaleGroup &group : findScaleGroups(entry))
      if (auto name = group.sources.front()->getAttrOfType<StringAttr>(kScaleAttr))
        if (failed(demote(entry, group, name, dead)))
          return signalPassFailure();
    llvm::sort(dead);
    for (unsigned index : llvm::reverse(dead))
      (void)entry.eraseArgument(index);
  }

private:
  LogicalResult demote(func::FuncOp entry, ScaleGroup &group, StringAttr name, SmallVector<unsigned> &dead) {
    BlockArgument argument = findArgument(entry, name);
    if (!argument)
      return group.sources.front().emitOpError("has the scale '")
             << name.getValue() << "', which is no argument of @main";
    auto scales = getElements<float>(entry.getArgAttr(argument.getArgNumber(), kValueAttr));
    if (!scales || scales->size() != getScales(group.type()).size() || !argument.use_empty())
      return group.sources.front().emitOpError("has the scale '") << name.getValue() << "', which is no value for it";
    if (llvm::any_of(*scales, [](float scale) { return !std::isnormal(scale) || scale < 0; }))
      return group.sources.front().emitOpError("has a scale that is no normal number above 0");
    retype(group, *scales);
    dead.push_back(argument.getArgNumber());
    ++demoted;
    return success();
  }

  static void retype(ScaleGroup &group, ArrayRef<float> scales) {
    Type element = withScales(group.type(), scales);
    for (QuantizeOp source : group.sources)
      source->removeAttr(kScaleAttr);
    for (Value value : group.values) {
      auto tensor = dyn_cast<RankedTensorType>(value.getType());
      value.setType(tensor ? Type(tensor.clone(element)) : element);
    }
  }
};

} // namespace
