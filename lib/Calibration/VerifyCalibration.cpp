//===- VerifyCalibration.cpp - the contract of the calibration stage --------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Calibration/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYCALIBRATION
#include "halftone/Calibration/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool hasAttribute(Value value, StringRef name) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return cast<func::FuncOp>(argument.getOwner()->getParentOp()).getArgAttr(argument.getArgNumber(), name) != nullptr;
  return value.getDefiningOp()->hasAttr(name);
}

namespace {
struct VerifyCalibrationPass : halftone::impl::VerifyCalibrationBase<VerifyCalibrationPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    bool sound = true;
    for (QuantizableValue &quantizable : getQuantizableValues(*entry)) {
      bool annotated = hasAttribute(quantizable.value, kRangeAttr);
      if (annotated ? getRange(quantizable.value).has_value() : hasAttribute(quantizable.value, kReasonAttr))
        continue;
      sound = false;
      emitError(quantizable.value.getLoc(), "quantizable value '")
          << quantizable.key << "' "
          << (annotated ? "has a malformed halftone.range: needs two finite numbers, low <= high"
                        : "has neither halftone.range nor halftone.reason");
    }
    entry->walk([&](ObserveOp observe) {
      sound = false;
      observe.emitOpError("is left after calibration: annotate the module without observers");
    });
    if (!sound)
      signalPassFailure();
  }
};
} // namespace
