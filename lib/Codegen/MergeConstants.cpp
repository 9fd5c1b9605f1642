//===- MergeConstants.cpp - one constant for equal contents -----------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Support/ConstantPool.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_MERGECONSTANTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct MergeConstants : halftone::impl::MergeConstantsBase<MergeConstants> {
  void runOnOperation() override {
    ConstantPool pool;
    getOperation().walk([&](arith::ConstantOp op) {
      auto elements = dyn_cast<DenseResourceElementsAttr>(op.getValue());
      DenseResourceElementsAttr first = elements ? pool.unique(elements) : elements;
      if (first == elements)
        return;
      op.setValueAttr(first);
      ++numMerged;
    });
  }
};

} // namespace
