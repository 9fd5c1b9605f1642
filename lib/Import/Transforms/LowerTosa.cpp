//===- LowerTosa.cpp - the dialect of converters to linalg ------------------===//
//
// MLIR's own passes do the lowering, but for what has a form of ours (TosaForms.h). Names of layers are kept, and there is one
// message for all that remains.
//
//===----------------------------------------------------------------------===//
#include "TosaForms.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tosa/IR/TosaOps.h"
#include "mlir/Dialect/Tosa/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_LOWERTOSA
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool isTosa(Operation *op) { return isa_and_nonnull<tosa::TosaDialect>(op->getDialect()); }

/// Operations without a name get that of their kind and a number, "conv2d.3", which reports and recipes then use.
static void nameOperations(ModuleOp module) {
  llvm::StringMap<unsigned> counts;
  module.walk([&](Operation *op) {
    if (!isTosa(op) || !locationName(op->getLoc()).empty())
      return;
    StringRef kind = op->getName().stripDialect();
    auto name = StringAttr::get(op->getContext(), kind + "." + Twine(counts[kind]++));
    op->setLoc(NameLoc::get(name, op->getLoc()));
  });
}

/// The passes of `tosa-to-linalg-pipeline`, without the check of limits that a device may have, and those for what else a model has.
static void addLowering(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(tosa::createTosaOptionalDecompositionsPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(tosa::createTosaInferShapesPass());
  functions.addPass(tosa::createTosaMakeBroadcastablePass());
  functions.addPass(tosa::createTosaToLinalgNamed());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(tosa::createTosaLayerwiseConstantFoldPass());
  functions.addPass(tosa::createTosaMakeBroadcastablePass());
  functions.addPass(tosa::createTosaToLinalg());
  functions.addPass(createTosaToTensorPass());
  functions.addPass(createTosaToArithPass());
  functions.addPass(createTosaToSCFPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
}

/// What MLIR's passes lower to what no later stage takes: state, control flow, and integers with scales of their own.
static bool isUnsupported(Operation *op) {
  return isa<tosa::RescaleOp, tosa::VariableOp, tosa::VariableReadOp, tosa::VariableWriteOp, tosa::IfOp, tosa::WhileOp, tosa::CustomOp>(op);
}

/// One error for every kind of operation that `isRefused`.
static LogicalResult refuse(ModuleOp module, function_ref<bool(Operation *)> isRefused) {
  llvm::MapVector<OperationName, unsigned> refused;
  Location first = module.getLoc();
  module.walk([&](Operation *op) {
    if (isRefused(op) && refused[op->getName()]++ == 0 && refused.size() == 1)
      first = op->getLoc();
  });
  if (refused.empty())
    return success();
  InFlightDiagnostic error = emitError(first) << "operations of TOSA that are not supported:";
  for (auto [name, count] : refused)
    error << (name == refused.front().first ? " " : ", ") << name.stripDialect() << " (" << count << ")";
  if (refused.contains(OperationName(tosa::RescaleOp::getOperationName(), module.getContext())))
    error << "; rescale is of a model in integers: give the float model that it was made from, or the quantized one as ONNX";
  return error;
}

/// Open dimensions are the batch, the same everywhere: none is broadcast at run time, for which MLIR's lowering asks whether it is 1.
static void dropBroadcasts(ModuleOp module) {
  module.walk([](scf::IfOp op) {
    Block *otherwise = op.elseBlock();
    if (op.getNumResults() != 1 || !otherwise || !llvm::hasSingleElement(*otherwise))
      return;
    auto condition = op.getCondition().getDefiningOp<arith::CmpIOp>();
    Value kept = otherwise->getTerminator()->getOperand(0);
    if (!condition || condition.getPredicate() != arith::CmpIPredicate::eq || !condition.getLhs().getDefiningOp<tensor::DimOp>() ||
        kept.getType() != op.getResult(0).getType())
      return;
    op.getResult(0).replaceAllUsesWith(kept);
    op.erase();
  });
}

namespace {
struct LowerTosa : halftone::impl::LowerTosaBase<LowerTosa> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    module.walk([&](Operation *op) { lowered += isTosa(op); });
    if (lowered == 0)
      return;
    nameOperations(module);
    if (failed(refuse(module, isUnsupported)))
      return signalPassFailure();
    RewritePatternSet forms(&getContext());
    populateTosaForms(forms);
    OpPassManager pm(ModuleOp::getOperationName());
    addLowering(pm);
    if (failed(applyToEnd(module, std::move(forms))) || failed(runPipeline(pm, module)) || failed(refuse(module, isTosa)))
      return signalPassFailure();
    dropBroadcasts(module);
  }
};
} // namespace
