//===- PlantFault.cpp - a one-bit fault, to test the tests ------------------===//
#include "halftone/Codegen/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_PLANTFAULT
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The operand that a store writes, or nothing for another operation.
static OpOperand *storedOperand(Operation *op) {
  if (auto store = dyn_cast<vector::StoreOp>(op))
    return &store.getValueToStoreMutable();
  if (auto store = dyn_cast<vector::TransferWriteOp>(op))
    return &store.getValueToStoreMutable();
  if (auto store = dyn_cast<memref::StoreOp>(op))
    return &store.getValueMutable();
  return nullptr;
}

/// The value with the lowest bit of its first element flipped.
static Value flipLowestBit(OpBuilder &builder, Location loc, Value value) {
  Type type = value.getType(), element = getElementTypeOrSelf(type);
  Type integer = builder.getIntegerType(element.getIntOrFloatBitWidth());
  auto vector = dyn_cast<VectorType>(type);
  Type bits = vector ? Type(vector.clone(integer)) : integer;
  TypedAttr mask = builder.getIntegerAttr(integer, 1);
  if (vector) {
    SmallVector<Attribute> lanes(vector.getNumElements(), builder.getIntegerAttr(integer, 0));
    lanes[0] = mask;
    mask = DenseElementsAttr::get(cast<ShapedType>(bits), lanes);
  }
  bool isFloat = isa<FloatType>(element);
  Value raw = isFloat ? arith::BitcastOp::create(builder, loc, bits, value).getResult() : value;
  Value flipped = arith::XOrIOp::create(builder, loc, raw, arith::ConstantOp::create(builder, loc, mask));
  return isFloat ? arith::BitcastOp::create(builder, loc, type, flipped).getResult() : flipped;
}

namespace {
struct PlantFault : halftone::impl::PlantFaultBase<PlantFault> {
  using PlantFaultBase::PlantFaultBase;
  void runOnOperation() override {
    SmallVector<OpOperand *> stores;
    getOperation().walk([&](Operation *op) {
      OpOperand *operand = storedOperand(op);
      if (operand && getElementTypeOrSelf(operand->get().getType()).isIntOrFloat())
        stores.push_back(operand);
    });
    int64_t number = store.getValue(), count = stores.size();
    if (number >= count) {
      getOperation().emitError("there is no store ") << number << ", only " << count;
      return signalPassFailure();
    }
    ArrayRef<OpOperand *> chosen = stores;
    for (OpOperand *operand : number < 0 ? chosen : chosen.slice(number, 1)) {
      OpBuilder builder(operand->getOwner());
      operand->set(flipLowestBit(builder, operand->getOwner()->getLoc(), operand->get()));
    }
  }
};
} // namespace
