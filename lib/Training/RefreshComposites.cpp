//===- RefreshComposites.cpp - composites as their unexpanded meaning -------===//
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Dialect/Halftone/IR/RecurrentCells.h"
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_REFRESHCOMPOSITES
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The composite built again from its name and parameters; null for a name whose body has no function to expand.
static Value rebuild(OpBuilder &builder, CompositeOp op) {
  if (Value cell = rebuildCell(builder, op))
    return cell;
  if (op.getInputs().size() != 1 || op.getNumResults() != 1)
    return {};
  Value x = op.getInputs()[0];
  if (op.getName() == "softmax")
    return buildSoftmax(builder, op.getLoc(), x, op.getParameters().getAs<IntegerAttr>("axis").getInt());
  return buildUnary(builder, op.getLoc(), op.getName(), x, op.getParameters());
}

namespace {

struct RefreshComposites : halftone::impl::RefreshCompositesBase<RefreshComposites> {
  void runOnOperation() override {
    SmallVector<CompositeOp> composites;
    getOperation().walk([&](CompositeOp op) { composites.push_back(op); });
    for (CompositeOp op : composites) {
      OpBuilder builder(op);
      Value fresh = rebuild(builder, op);
      if (!fresh)
        continue;
      op.getResult(0).replaceAllUsesWith(fresh);
      op.erase();
      ++refreshed;
    }
  }
};

} // namespace
