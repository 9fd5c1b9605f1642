//===- DemoteLevels.cpp - arguments become levels of codebooks --------------===//
#include "ScaleGroups.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/LevelSet.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_DEMOTELEVELS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct DemoteLevels : halftone::impl::DemoteLevelsBase<DemoteLevels> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    SmallVector<unsigned> dead;
    WalkResult result = entry->walk([&](QuantizeOp op) {
      auto name = op->getAttrOfType<StringAttr>(kLevelArgumentAttr);
      return name && failed(demote(*entry, op, name, dead)) ? WalkResult::interrupt() : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    llvm::sort(dead);
    for (unsigned index : llvm::reverse(dead))
      (void)entry->eraseArgument(index);
  }

private:
  LogicalResult demote(func::FuncOp entry, QuantizeOp op, StringAttr name, SmallVector<unsigned> &dead) {
    BlockArgument argument = findArgument(entry, name);
    auto unit = op->getAttrOfType<FloatAttr>(kLevelUnitAttr);
    auto values = argument ? getElements<float>(entry.getArgAttr(argument.getArgNumber(), kValueAttr)) : std::nullopt;
    if (!values || !unit || !argument.use_empty() || !llvm::all_of(*values, [](float v) { return std::isfinite(v); }))
      return op.emitOpError("has the levels '") << name.getValue() << "', which are no values for it";
    SmallVector<int8_t> levels;
    for (float value : *values)
      levels.push_back(quantizeWeight(value, static_cast<float>(unit.getValueAsDouble())));
    op->setAttr(kLevelsAttr, DenseI8ArrayAttr::get(op.getContext(), LevelSet(levels).levels()));
    op->removeAttr(kLevelArgumentAttr);
    op->removeAttr(kLevelUnitAttr);
    dead.push_back(argument.getArgNumber());
    ++demoted;
    return success();
  }
};

} // namespace
