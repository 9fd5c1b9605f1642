//===- InsertCasts.cpp - quantize and dequantize around int8 operations -----===//
//
// In program order, each value that int8 operations read is rounded once: quantize and dequantize behind it, and the
// readers take the dequantized value. Constant weights become codes.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/Weights.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_INSERTCASTS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether an int8 operation reads the use, maybe behind movement.
static bool feedsInt8(OpOperand &use) {
  Operation *user = use.getOwner();
  if (isInt8(user))
    return true;
  return classify(user) == OpKind::Movement && llvm::any_of(user->getResult(0).getUses(), feedsInt8);
}

/// Whether nothing else reads the use.
static bool feedsInt8Only(OpOperand &use) {
  Operation *user = use.getOwner();
  return isInt8(user) || (classify(user) == OpKind::Movement && llvm::all_of(user->getResult(0).getUses(), feedsInt8Only));
}

/// Lets int8 operations that read `value` read `codes` instead. Movement that others read too is made twice.
static void redirect(OpBuilder &builder, Value value, Value codes) {
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
    Operation *user = use.getOwner();
    if (feedsInt8Only(use)) {
      use.set(codes);
    } else if (feedsInt8(use)) {
      OpBuilder::InsertionGuard guard(builder);
      builder.setInsertionPoint(user);
      IRMapping mapping;
      mapping.map(value, codes);
      redirect(builder, user->getResult(0), builder.clone(*user, mapping)->getResult(0));
    }
  }
}

namespace {
struct InsertCastsPass : halftone::impl::InsertCastsBase<InsertCastsPass> {
  using InsertCastsBase::InsertCastsBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    OpBuilder builder(&getContext());
    for (Value value : collectRoots(*entry))
      if (llvm::any_of(value.getUses(), feedsInt8) && failed(insertCasts(builder, value)))
        return signalPassFailure();
    RoundingCache rounding({weightScales, weightRounding});
    for (Operation &op : llvm::make_early_inc_range(entry->getBody().front()))
      if (hasQuantizedWeights(&op)) {
        if (failed(convertWeights(builder, &op, rounding)))
          return signalPassFailure();
      }
    // The weights have their codes now, or stay floats; tables get theirs by halftone-quantize-tables.
    for (Operation &op : entry->getBody().front())
      if (classify(&op) != OpKind::Table)
        dropSourceScales(&op);
  }

  SmallVector<Value> collectRoots(func::FuncOp entry);
  LogicalResult insertCasts(OpBuilder &builder, Value value);
  LogicalResult convertWeights(OpBuilder &builder, Operation *contraction, RoundingCache &rounding);
};
} // namespace

SmallVector<Value> InsertCastsPass::collectRoots(func::FuncOp entry) {
  SmallVector<Value> roots;
  for (BlockArgument argument : llvm::reverse(entry.getArguments()))
    if (isFloatTensor(argument))
      roots.push_back(argument);
  Sandwiches sandwiches(entry);
  for (Operation &op : entry.getBody().front()) {
    const Sandwich *sandwich = sandwiches.find(&op);
    if (sandwich ? sandwich->last() == &op : isCompute(&op))
      for (Value result : op.getResults())
        if (isFloatTensor(result))
          roots.push_back(result);
  }
  return roots;
}

/// Whether all int8 operations that read the value, maybe behind movement, take it as the right factor of a product of activations.
static bool isRightFactor(Value value) {
  return llvm::all_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isInt8(user))
      return isa<linalg::BatchMatmulOp>(user) && &use == &getWeightOperand(user);
    return classify(user) != OpKind::Movement || isRightFactor(user->getResult(0));
  });
}

/// The quantized type that a dequantized value has codes of, or null.
static Type getCodesType(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  return dequantize ? dequantize.getInput().getType().getElementType() : Type();
}

LogicalResult InsertCastsPass::insertCasts(OpBuilder &builder, Value value) {
  Operation *producer = value.getDefiningOp();
  Type element;
  if (producer && isa<linalg::PoolingNhwcMaxOp>(producer))
    element = getCodesType(traceRoot(value));
  else if (auto range = getRange(value))
    element = (isRightFactor(value) ? getSymmetricType : getActivationType)(&getContext(), range->first, range->second);
  if (!element)
    return emitError(value.getLoc(), "an int8 operation reads this value, but it has no calibrated range");

  auto type = cast<RankedTensorType>(value.getType());
  builder.setInsertionPointAfterValue(value);
  auto quantize = QuantizeOp::create(builder, value.getLoc(), type.clone(element), value);
  auto dequantize = DequantizeOp::create(builder, value.getLoc(), type, quantize, Value(), Value());
  // A sandwich's result exists as codes only; an argument or a float result is there for float readers as it is.
  bool codesOnly = producer && isInt8(producer);
  if (codesOnly)
    value.replaceAllUsesExcept(dequantize, quantize);
  else
    redirect(builder, value, dequantize);
  ++activations;
  return success();
}

LogicalResult InsertCastsPass::convertWeights(OpBuilder &builder, Operation *contraction, RoundingCache &rounding) {
  Operation *constant = getWeightOperand(contraction).get().getDefiningOp();
  if (failed(quantizeWeights(builder, contraction, rounding)))
    return failure();
  if (constant->use_empty())
    constant->erase();
  ++weights;
  return success();
}
