//===- ClampCodes.cpp - clamp rounded integers, not reals -------------------===//
//
// A7 clamps between two integers and rounds; rounding is monotonic and keeps integers, so rounding first gives the same
// code, provided that the unclamped real fits an i32. That is proved by an interval for each value of the body: all
// operands are codes, accumulators or constants.
//
//===----------------------------------------------------------------------===//
#include "halftone/Codegen/Passes.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <algorithm>
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_CLAMPCODES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// Magnitudes are enough: |value| <= bound.
using Bound = std::optional<double>;

/// A clamp between integers that is rounded to i32.
struct RoundedClamp {
  arith::FPToSIOp convert;
  Value real;
  int32_t low, high;
};

} // namespace

/// Well below 2^31: what the roundings of a few operations add does not reach it.
static constexpr double kLimit = 2147000000.0;

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

template <typename T> static Bound boundOfElements(Value constant) {
  std::optional<std::vector<T>> elements = getConstantElements<T>(constant);
  if (!elements)
    return std::nullopt;
  double bound = 0;
  for (T element : *elements)
    bound = std::max(bound, std::abs(static_cast<double>(element)));
  return std::isfinite(bound) ? Bound(bound) : std::nullopt;
}

static Bound boundOfWidth(Type type) {
  return type.isInteger() && type.getIntOrFloatBitWidth() <= 32 ? Bound(std::ldexp(1.0, type.getIntOrFloatBitWidth() - 1)) : std::nullopt;
}

/// Of a sum of as many products as a column has weights. Without it multipliers of 1 and more, as of channels whose weights are all
/// zero, would leave no bound.
static Bound boundOfAccumulator(ContractOp op) {
  auto weights = cast<ShapedType>(op.getWeights().getType());
  Bound code = boundOfWidth(getElementTypeOrSelf(op.getInput().getType())), weight = boundOfWidth(weights.getElementType());
  if (!code || !weight || !weights.hasStaticShape() || weights.getShape().back() == 0)
    return std::nullopt;
  return *code * *weight * static_cast<double>(weights.getNumElements() / weights.getShape().back());
}

/// What an integer's width says, a constant operand's elements, or the number of products of an accumulator.
static Bound boundOfArgument(BlockArgument argument, Value operand) {
  Type type = argument.getType();
  if (type.isF32())
    return operand ? boundOfElements<float>(operand) : std::nullopt;
  Bound width = boundOfWidth(type), tighter;
  auto contract = dyn_cast<ContractOp>(argument.getOwner()->getParentOp());
  if (contract && argument.getArgNumber() == 0)
    tighter = boundOfAccumulator(contract);
  else if (operand && type.isInteger(32))
    tighter = boundOfElements<int32_t>(operand);
  return width && tighter ? std::min(*width, *tighter) : width;
}

/// The operand that a block argument stands for; null for an accumulator or a destination.
static Value operandOf(BlockArgument argument) {
  Operation *op = argument.getOwner()->getParentOp();
  if (auto contract = dyn_cast<ContractOp>(op))
    return argument.getArgNumber() == 0 ? Value() : contract.getEpilogueInputs()[argument.getArgNumber() - 1];
  OpOperand *operand = cast<linalg::LinalgOp>(op).getMatchingOpOperand(argument);
  return cast<linalg::LinalgOp>(op).isDpsInput(operand) ? operand->get() : Value();
}

static Bound boundOf(Value value);

static Bound boundOfOperation(Operation *op) {
  APFloat real(0.0f);
  APInt integer;
  if (matchPattern(op, m_ConstantFloat(&real)))
    return real.isFinite() ? Bound(std::abs(real.convertToDouble())) : std::nullopt;
  if (matchPattern(op, m_ConstantInt(&integer)))
    return std::abs(static_cast<double>(integer.getSExtValue()));
  // An i32 that wraps is an i32 nevertheless.
  Type type = op->getResult(0).getType();
  Bound width = type.isInteger(32) ? Bound(std::ldexp(1.0, 31)) : std::nullopt;
  // A select between numbers, as of a clamp by channel, is one of them whatever its condition says.
  OperandRange operands = isa<arith::SelectOp>(op) ? op->getOperands().drop_front() : op->getOperands();
  SmallVector<double> bounds;
  for (Value operand : operands) {
    Bound bound = boundOf(operand);
    if (!bound)
      return width;
    bounds.push_back(*bound);
  }
  Bound result = llvm::TypeSwitch<Operation *, Bound>(op)
                     .Case<arith::ExtSIOp, arith::SIToFPOp>([&](auto) { return bounds[0]; })
                     .Case<arith::AddIOp, arith::SubIOp, arith::AddFOp, arith::SubFOp>([&](auto) { return bounds[0] + bounds[1]; })
                     .Case<arith::MulIOp, arith::MulFOp>([&](auto) { return bounds[0] * bounds[1]; })
                     .Case<arith::SelectOp>([&](auto) { return std::max(bounds[0], bounds[1]); })
                     .Default([](auto) { return std::nullopt; });
  if (!result || (width && *result > *width))
    return width;
  return result;
}

/// A bound of a scalar within an elementwise body, or nothing. A finite bound excludes NaN and infinity.
static Bound boundOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return boundOfArgument(argument, operandOf(argument));
  Operation *op = value.getDefiningOp();
  return op->getNumResults() == 1 ? boundOfOperation(op) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Matching and rewriting
//===----------------------------------------------------------------------===//

/// `select(cmpf predicate x, bound), x, bound` with an integer bound: x and the bound.
static std::optional<std::pair<Value, int32_t>> matchBound(Value value, arith::CmpFPredicate predicate) {
  auto select = value.getDefiningOp<arith::SelectOp>();
  auto compare = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  APFloat bound(0.0f);
  if (!compare || compare.getPredicate() != predicate || compare.getLhs() != select.getTrueValue() ||
      compare.getRhs() != select.getFalseValue() || !matchPattern(select.getFalseValue(), m_ConstantFloat(&bound)))
    return std::nullopt;
  double real = bound.convertToDouble();
  if (std::nearbyint(real) != real || std::abs(real) > 65536)
    return std::nullopt;
  return std::make_pair(select.getTrueValue(), static_cast<int32_t>(real));
}

static std::optional<RoundedClamp> match(arith::FPToSIOp convert) {
  auto round = convert.getIn().getDefiningOp<math::RoundEvenOp>();
  if (!round || !convert.getType().isInteger(32) || !round.getType().isF32())
    return std::nullopt;
  auto above = matchBound(round.getOperand(), arith::CmpFPredicate::OLT);
  auto below = above ? matchBound(above->first, arith::CmpFPredicate::OGT) : std::nullopt;
  if (!below || below->second > above->second)
    return std::nullopt;
  Bound bound = boundOf(below->first);
  if (!bound || *bound > kLimit)
    return std::nullopt;
  return RoundedClamp{convert, below->first, below->second, above->second};
}

static void rewrite(IRRewriter &rewriter, RoundedClamp clamp) {
  Location loc = clamp.convert.getLoc();
  rewriter.setInsertionPoint(clamp.convert);
  Value rounded = math::RoundEvenOp::create(rewriter, loc, clamp.real);
  Value integer = arith::FPToSIOp::create(rewriter, loc, rewriter.getI32Type(), rounded);
  Value low = arith::ConstantIntOp::create(rewriter, loc, clamp.low, 32);
  Value high = arith::ConstantIntOp::create(rewriter, loc, clamp.high, 32);
  Value above = arith::MaxSIOp::create(rewriter, loc, integer, low);
  rewriter.replaceOpWithNewOp<arith::MinSIOp>(clamp.convert, above, high);
}

namespace {

struct ClampCodes : halftone::impl::ClampCodesBase<ClampCodes> {
  void runOnOperation() override {
    SmallVector<RoundedClamp> clamps;
    getOperation().walk([&](arith::FPToSIOp convert) {
      if (!isa<ContractOp, linalg::GenericOp>(convert->getParentOp()))
        return;
      if (std::optional<RoundedClamp> clamp = match(convert))
        clamps.push_back(*clamp);
    });
    IRRewriter rewriter(&getContext());
    for (const RoundedClamp &clamp : clamps)
      rewrite(rewriter, clamp);
    numClamps += clamps.size();
  }
};

} // namespace
