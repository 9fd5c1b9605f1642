//===- UnifyScales.cpp - one type for what is joined, or made step by step ---===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Quantization/UniformTypes.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_UNIFYSCALES
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

using Classes = llvm::EquivalenceClasses<Operation *>;

/// The quantize whose codes a value shows, behind movement; null if it is something else.
static Operation *findSource(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<QuantizeOp>(op))
      return op;
    if (!isa<DequantizeOp>(op) && classify(op) != OpKind::Movement)
      return nullptr;
    value = op->getOperand(0);
  }
  return nullptr;
}

static Operation *findResultQuantize(Operation *op) {
  for (Operation *user : op->getUsers())
    if (isa<QuantizeOp>(user))
      return user;
  return nullptr;
}

/// Joins the quantize operations around a concatenation or max pool; nothing if one of them is missing.
static void join(Operation *op, OperandRange operands, Classes &classes) {
  Operation *result = findResultQuantize(op);
  if (!result || !llvm::all_of(operands, findSource))
    return;
  for (Value operand : operands)
    classes.unionSets(result, findSource(operand));
}

static quant::UniformQuantizedType getResultType(Operation *quantize) {
  return cast<quant::UniformQuantizedType>(getElementTypeOrSelf(quantize->getResult(0).getType()));
}

/// Whether a quantize only writes down codes that a concatenation or a max pool passed on.
static bool passesOn(Operation *quantize) {
  Operation *producer = quantize->getOperand(0).getDefiningOp();
  return producer && isa<tensor::ConcatOp, linalg::PoolingNhwcMaxOp>(producer);
}

/// The members' type if it is one already, else that of the widest range where values are rounded.
static quant::UniformQuantizedType getCommonType(ArrayRef<Operation *> members) {
  if (llvm::all_equal(llvm::map_range(members, getResultType)))
    return getResultType(members.front());
  float low = 0, high = 0;
  for (Operation *member : llvm::make_filter_range(members, std::not_fn(passesOn))) {
    auto [memberLow, memberHigh] = getRepresentableRange(getResultType(member));
    low = std::min(low, memberLow);
    high = std::max(high, memberHigh);
  }
  return getActivationType(members.front()->getContext(), low, high);
}

namespace {
struct UnifyScalesPass : halftone::impl::UnifyScalesBase<UnifyScalesPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    Classes classes;
    llvm::StringMap<Operation *> steps;
    for (Operation &op : entry->getBody().front()) {
      if (auto name = op.getAttrOfType<StringAttr>(kStepsAttr))
        if (Operation *result = findResultQuantize(&op))
          classes.unionSets(result, steps.try_emplace(name, result).first->second);
      if (!isInt8(&op))
        continue;
      if (isa<tensor::ConcatOp>(op))
        join(&op, op.getOperands(), classes);
      else if (isa<linalg::PoolingNhwcMaxOp>(op))
        join(&op, op.getOperands().take_front(), classes);
    }
    for (const auto &entry : classes) {
      if (!entry->isLeader())
        continue;
      SmallVector<Operation *> members(classes.member_begin(*entry), classes.member_end());
      retype(members);
    }
  }

  void retype(ArrayRef<Operation *> members) {
    quant::UniformQuantizedType type = getCommonType(members);
    for (Operation *member : members) {
      if (getResultType(member) == type)
        continue;
      Value result = member->getResult(0);
      result.setType(cast<RankedTensorType>(result.getType()).clone(type));
      ++unified;
    }
  }
};
} // namespace
