//===- LowerProducts.cpp - kernels for products of two activations ----------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Codegen/ProductKernel.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERPRODUCTS
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct LowerProducts : halftone::impl::LowerProductsBase<LowerProducts> {
  using LowerProductsBase::LowerProductsBase;

  void runOnOperation() override {
    const Isa *isa = requireIsa(getOperation(), target);
    if (!isa)
      return signalPassFailure();
    FailureOr<CostTable> costs = CostTable::of(getOperation(), *isa);
    if (failed(costs))
      return signalPassFailure();
    SmallVector<linalg::GenericOp> products;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op.hasPureBufferSemantics() && findProductKernel(op))
        products.push_back(op);
    });
    llvm::SmallDenseSet<Operation *> done;
    for (linalg::GenericOp product : products) {
      if (done.contains(product))
        continue;
      SmallVector<Operation *> chain = emitProductChain(product, *isa, *costs);
      done.insert(chain.begin(), chain.end());
      if (chain.empty())
        numKernels += emitProductKernel(product, *isa, *costs);
      else
        ++numChains;
    }
  }
};

} // namespace
