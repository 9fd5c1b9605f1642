//===- InlineSymbols.cpp - one function, no names to look up ----------------===//
#include "halftone/Import/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MLProgram/IR/MLProgram.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_INLINESYMBOLS
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The value of a global that nothing stores to.
static TypedAttr constantOf(ModuleOp module, SymbolRefAttr name, const DenseSet<Attribute> &stored) {
  auto global = SymbolTable::lookupNearestSymbolFrom<ml_program::GlobalOp>(module, name);
  return global && !stored.contains(name) && global.getValue() ? dyn_cast<TypedAttr>(*global.getValue()) : TypedAttr();
}

static void inlineGlobals(ModuleOp module) {
  DenseSet<Attribute> stored;
  module.walk([&](ml_program::GlobalStoreOp store) { stored.insert(store.getGlobal()); });
  module.walk([&](Operation *op) {
    if (!isa<ml_program::GlobalLoadOp, ml_program::GlobalLoadConstOp>(op))
      return;
    TypedAttr value = constantOf(module, op->getAttrOfType<SymbolRefAttr>("global"), stored);
    if (!value || value.getType() != op->getResult(0).getType())
      return;
    OpBuilder b(op);
    op->getResult(0).replaceAllUsesWith(arith::ConstantOp::create(b, op->getLoc(), value));
    op->erase();
  });
}

namespace {
struct InlineSymbols : halftone::impl::InlineSymbolsBase<InlineSymbols> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    if (llvm::hasSingleElement(module.getOps()))
      return; // one function: nothing to look up
    inlineGlobals(module);
    OpPassManager pm(ModuleOp::getOperationName());
    pm.addPass(createInlinerPass({}, [](OpPassManager &) {})); // calls alone: canonicalization would change what patterns look for
    pm.addPass(createSymbolDCEPass());
    if (failed(runPipeline(pm, module)))
      signalPassFailure();
  }
};
} // namespace
