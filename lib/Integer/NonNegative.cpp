//===- NonNegative.cpp - values that cannot be negative --------------------===//
//
// A value is followed to what makes it: movement to what it moves, elementwise operations, reductions and composites into their regions, whose
// arguments are their operands again. A reduction's own argument is what it starts from: if it and the operands are not negative, neither is any
// partial result.
//
//===----------------------------------------------------------------------===//
#include "NonNegative.h"
#include "CodeTensors.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

/// What is not seen within so many values, one behind the other, is not known: a long chain needs no deep stack.
static constexpr int kDepth = 256;

namespace {
class Prover {
public:
  bool prove(Value value) {
    auto [found, isNew] = known.try_emplace(value, false);
    if (!isNew || depth == kDepth)
      return found->second;
    ++depth;
    const bool proved = proveAnew(value);
    --depth;
    known[value] = proved;
    return proved;
  }

private:
  bool proveAnew(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return proveArgument(argument);
    Operation *op = value.getDefiningOp();
    if (std::optional<std::vector<float>> elements = getConstantElements<float>(value))
      return llvm::all_of(*elements, [](float element) { return !(element < 0); });
    if (std::optional<float> number = matchNumber(value))
      return *number >= 0;
    return TypeSwitch<Operation *, bool>(op)
        .Case<math::AbsFOp, math::SqrtOp, math::ExpOp, math::Exp2Op, arith::UIToFPOp>([](Operation *) { return true; })
        .Case<arith::MaximumFOp, arith::MaxNumFOp>([&](Operation *) { return proveAny(op->getOperands()); })
        .Case<arith::MinimumFOp, arith::MinNumFOp, arith::AddFOp, arith::DivFOp>([&](Operation *) { return proveAll(op->getOperands()); })
        .Case([&](arith::MulFOp product) { return product.getLhs() == product.getRhs() || proveAll(op->getOperands()); })
        .Case([&](arith::SelectOp select) { return isMaximum(select) ? proveAny(op->getOperands().drop_front()) : proveAll(op->getOperands().drop_front()); })
        .Case<tensor::ConcatOp, tensor::PadOp, tensor::InsertSliceOp>([&](Operation *) { return proveMovement(op); })
        .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::ExtractSliceOp, tensor::CastOp>(
            [&](Operation *) { return prove(op->getOperand(0)); })
        .Case<linalg::TransposeOp, linalg::BroadcastOp, linalg::FillOp, linalg::PoolingNhwcMaxOp>(
            [&](Operation *) { return prove(op->getOperand(0)); })
        .Case([&](linalg::PoolingNhwcSumOp pool) { return prove(pool.getInputs().front()) && prove(pool.getOutputs().front()); })
        .Case([&](DequantizeOp cast) { return hasLeastCodeZero(cast); })
        .Case<linalg::GenericOp, CompositeOp>([&](Operation *) {
          return prove(op->getRegion(0).front().getTerminator()->getOperand(cast<OpResult>(value).getResultNumber()));
        })
        .Default([](Operation *) { return false; });
  }

  /// The operand that the argument of a region stands for; arguments of functions are not known.
  bool proveArgument(BlockArgument argument) {
    Operation *owner = argument.getOwner()->getParentOp();
    return isa<linalg::GenericOp, CompositeOp>(owner) && prove(owner->getOperand(argument.getArgNumber()));
  }

  bool proveMovement(Operation *op) {
    if (auto pad = dyn_cast<tensor::PadOp>(op))
      return pad.getConstantPaddingValue() && prove(pad.getConstantPaddingValue()) && prove(pad.getSource());
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      return prove(insert.getSource()) && prove(insert.getDest());
    return proveAll(op->getOperands());
  }

  /// `a > b ? a : b`.
  static bool isMaximum(arith::SelectOp select) {
    auto compare = select.getCondition().getDefiningOp<arith::CmpFOp>();
    return compare && compare.getLhs() == select.getTrueValue() && compare.getRhs() == select.getFalseValue() &&
           llvm::is_contained({arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE, arith::CmpFPredicate::UGT, arith::CmpFPredicate::UGE},
                              compare.getPredicate());
  }

  static bool hasLeastCodeZero(DequantizeOp cast) {
    auto type = dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(cast.getInput().getType()));
    return type && type.getZeroPoint() <= type.getStorageTypeMin();
  }

  /// Constants first: what else there is may go back to the network's beginning.
  bool proveAny(ValueRange values) {
    auto isProved = [&](Value value) { return prove(value); };
    return llvm::any_of(values, [&](Value value) { return matchPattern(value, m_Constant()) && prove(value); }) || llvm::any_of(values, isProved);
  }
  bool proveAll(ValueRange values) { return llvm::all_of(values, [&](Value value) { return prove(value); }); }

  llvm::DenseMap<Value, bool> known;
  int depth = 0; ///< of the values that are being proved
};
} // namespace

bool mlir::halftone::isNonNegative(Value value) { return Prover().prove(value); }
