//===- KeepWeights.cpp - float weights for training behind the codes --------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Training/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_KEEPWEIGHTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct KeepWeights : halftone::impl::KeepWeightsBase<KeepWeights> {
  void runOnOperation() override {
    getOperation().walk([&](linalg::LinalgOp op) {
      if (classify(op) != OpKind::Contraction)
        return;
      auto constant = getWeightOperand(op).get().getDefiningOp<arith::ConstantOp>();
      if (!constant)
        return;
      op->setAttr(kFloatWeightsAttr, constant.getValue());
      ++kept;
    });
  }
};

} // namespace
