//===- VerifyPrecision.cpp - the contract of the precision stage ------------===//
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Precision/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYPRECISION
#include "halftone/Precision/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static LogicalResult verifyAssigned(Operation *op) {
  auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  if (!precision)
    return op->emitOpError("has no halftone.precision");
  if (!llvm::is_contained({StringRef("int8"), StringRef("float"), StringRef(kDynamicPrecision), StringRef(kWeightsPrecision)},
                          precision.getValue()))
    return op->emitOpError("has halftone.precision '")
           << precision.getValue() << "', expected 'int8', 'float', 'dynamic' or 'weights'";
  if (precision.getValue() == "float" && !op->hasAttr(kReasonAttr))
    return op->emitOpError("stays float without a halftone.reason");
  return success();
}

static bool isFloat(Operation *op) {
  auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  return precision && precision.getValue() == "float";
}

static LogicalResult verifySandwich(const Sandwich &sandwich) {
  // A contraction whose result is floats has the end of its tail in floats.
  bool endsInFloat = sandwich.kind == OpKind::Contraction && isFloat(sandwich.last());
  for (auto [i, op] : llvm::enumerate(sandwich.tail))
    if (endsInFloat && i >= sandwich.affine ? !isFloat(op) : op->getAttr(kPrecisionAttr) != sandwich.anchor->getAttr(kPrecisionAttr))
      return op->emitOpError("has another precision than the anchor of its sandwich");
  auto precision = sandwich.anchor->getAttrOfType<StringAttr>(kPrecisionAttr);
  bool needsContraction = precision && llvm::is_contained({StringRef(kDynamicPrecision), StringRef(kWeightsPrecision)},
                                                          precision.getValue());
  if (needsContraction && sandwich.kind != OpKind::Contraction)
    return sandwich.anchor->emitOpError("has halftone.precision '") << precision.getValue() << "', which is for contractions";
  if (!isInt8(sandwich.anchor))
    return success();
  for (OpOperand *operand : sandwich.activations())
    if (isInt8(operand->getOwner()) && !getRange(traceRoot(operand->get())))
      return operand->getOwner()->emitOpError("is int8, but operand ")
             << operand->getOperandNumber() << " has no calibrated range";
  return success();
}

namespace {
struct VerifyPrecisionPass : halftone::impl::VerifyPrecisionBase<VerifyPrecisionPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    bool sound = true;
    for (Operation &op : entry->getBody().front())
      if (isCompute(&op))
        sound &= succeeded(verifyAssigned(&op));
    Sandwiches sandwiches(*entry);
    for (const Sandwich &sandwich : sandwiches.all())
      sound &= succeeded(verifySandwich(sandwich));
    if (!sound)
      signalPassFailure();
  }
};
} // namespace
