//===- LowerOuterProducts.cpp - sums of products to register tiles ----------===//
#include "halftone/Codegen/OuterProductKernel.h"
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWEROUTERPRODUCTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct LowerOuterProducts : halftone::impl::LowerOuterProductsBase<LowerOuterProducts> {
  using LowerOuterProductsBase::LowerOuterProductsBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    SmallVector<linalg::LinalgOp> operations;
    getOperation().walk([&](linalg::LinalgOp op) { operations.push_back(op); });
    for (linalg::LinalgOp op : operations) {
      if (!op.hasPureBufferSemantics())
        continue;
      std::optional<OuterProduct> product = matchOuterProduct(op);
      if (!product)
        continue;
      linalg::FillOp fill = findZeroFill(op);
      emitOuterProductKernel(op, *product, *isa, /*startsAtZero=*/fill != nullptr);
      op.erase();
      if (fill)
        fill.erase();
      ++numKernels;
    }
  }
};

} // namespace
