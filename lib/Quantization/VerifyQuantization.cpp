//===- VerifyQuantization.cpp - the contract of the quantization stage ------===//
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Support/Constants.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_VERIFYQUANTIZATION
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The dequantize behind movement, or null.
static DequantizeOp findDequantize(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto dequantize = dyn_cast<DequantizeOp>(op))
      return dequantize;
    if (classify(op) != OpKind::Movement)
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

static LogicalResult verifyOperand(OpOperand &operand) {
  if (findDequantize(operand.get()))
    return success();
  return operand.getOwner()->emitOpError("is int8, but operand ") << operand.getOperandNumber() << " is not dequantized";
}

/// The quantize that reads a result alone; an error if codes and floats are both read of what may not be floats.
static FailureOr<QuantizeOp> verifyResult(Operation *op, bool mayStayFloat) {
  bool isRounded = op->getResult(0).hasOneUse() && isa<QuantizeOp>(*op->user_begin());
  if (isRounded)
    return cast<QuantizeOp>(*op->user_begin());
  if (mayStayFloat)
    return QuantizeOp();
  return op->emitOpError("is int8, but its result is not read by one halftone.quantize alone");
}

/// The zeros of pruned weights are zero still.
static LogicalResult verifyZeros(Operation *contraction, ArrayRef<int8_t> codes) {
  auto zeros = contraction->getAttrOfType<IntegerAttr>(kZerosAttr);
  if (!isPruned(contraction) || !zeros || llvm::count(codes, 0) >= zeros.getInt())
    return success();
  return contraction->emitOpError("has pruned weights with ")
         << zeros.getInt() << " zeros, but " << llvm::count(codes, 0) << " zeros among its codes";
}

static LogicalResult verifyWeights(Operation *contraction) {
  DequantizeOp dequantize = findDequantize(getWeightOperand(contraction).get());
  if (!dequantize)
    return contraction->emitOpError("is int8, but its weights are not dequantized");
  auto type = dyn_cast<quant::QuantizedType>(dequantize.getInput().getType().getElementType());
  if (!type)
    return success();
  std::optional<std::vector<int8_t>> codes = getConstantElements<int8_t>(dequantize.getInput());
  if (!codes)
    return dequantize.emitOpError("gives weights, but its codes are no i8 constant");
  const int64_t least = type.getStorageTypeMin(), greatest = type.getStorageTypeMax();
  for (int8_t code : *codes)
    if (code < least || code > greatest)
      return dequantize.emitOpError("has code ") << int(code) << " outside of the storage range of " << type;
  return verifyZeros(contraction, *codes);
}

static LogicalResult verifySandwich(const Sandwich &sandwich) {
  bool contraction = sandwich.kind == OpKind::Contraction;
  if (!isInt8(sandwich.anchor))
    return contraction && hasQuantizedWeights(sandwich.anchor) ? verifyWeights(sandwich.anchor) : success();
  for (OpOperand *operand : sandwich.activations())
    if (isInt8(operand->getOwner()) && failed(verifyOperand(*operand)))
      return failure();
  if (hasQuantizedWeights(sandwich.anchor) && failed(verifyWeights(sandwich.anchor)))
    return failure();
  return success(succeeded(verifyResult(sandwich.last(), /*mayStayFloat=*/contraction)));
}

static LogicalResult verifyMaxPool(Operation *pool) {
  if (failed(verifyOperand(pool->getOpOperand(0))))
    return failure();
  FailureOr<QuantizeOp> quantize = verifyResult(pool, /*mayStayFloat=*/false);
  if (failed(quantize))
    return failure();
  Type operand = findDequantize(pool->getOperand(0)).getInput().getType().getElementType();
  if (operand == getElementTypeOrSelf(quantize->getResult().getType()))
    return success();
  return pool->emitOpError("passes codes through, but its operand and its result differ in type");
}

static bool isQuantized(Type type) {
  Type element = getElementTypeOrSelf(type);
  return isa<quant::QuantizedType, CodebookType>(element);
}

/// Casts and data movement may carry codes; everything else computes in float.
static LogicalResult verifyTypes(Operation *op) {
  if (isa<quant::QuantizeCastOp, quant::DequantizeCastOp>(op))
    return op->emitOpError("may be folded away; use halftone.quantize and halftone.dequantize");
  if (isa<QuantizeOp, DequantizeOp, StorageCastOp, quant::StorageCastOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
          tensor::ExtractSliceOp, tensor::CastOp, tensor::ConcatOp, tensor::EmptyOp, linalg::TransposeOp, func::FuncOp, func::ReturnOp, YieldOp>(op) ||
      isa<linalg::TransposeOp>(op->getParentOp()))
    return success();
  if (llvm::any_of(op->getOperandTypes(), isQuantized) || llvm::any_of(op->getResultTypes(), isQuantized))
    return op->emitOpError("computes on quantized element types: dequantize its operands");
  return success();
}

namespace {
struct VerifyQuantizationPass : halftone::impl::VerifyQuantizationBase<VerifyQuantizationPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    bool sound = true;
    entry->walk([&](Operation *op) {
      sound &= succeeded(verifyTypes(op));
      if (isa<linalg::PoolingNhwcMaxOp>(op) && isInt8(op))
        sound &= succeeded(verifyMaxPool(op));
    });
    Sandwiches sandwiches(*entry);
    for (const Sandwich &sandwich : sandwiches.all())
      sound &= succeeded(verifySandwich(sandwich));
    if (!sound)
      signalPassFailure();
  }
};
} // namespace
