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
#include <functional>

namespace mlir::halftone {
#define GEN_PASS_DEF_CLAMPCODES
#include "halftone/Codegen/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

/// Magnitudes are enough: |value| <= bound. One for all elements, or one for each index of the body's last dimension, which are the channels.
using Bound = std::optional<SmallVector<double>>;

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

static Bound uniform(double bound) { return SmallVector<double>{bound}; }

static double greatest(ArrayRef<double> bounds) { return *llvm::max_element(bounds); }

/// Element by element; one for all stands beside each of the other.
template <typename F> static SmallVector<double> combine(ArrayRef<double> x, ArrayRef<double> y, F function) {
  SmallVector<double> result;
  for (size_t i = 0, count = std::max(x.size(), y.size()); i < count; ++i)
    result.push_back(function(x[x.size() == 1 ? 0 : i], y[y.size() == 1 ? 0 : i]));
  return result;
}

static double smaller(double x, double y) { return std::min(x, y); }

/// The elements' magnitudes if there is one for each channel, else the greatest of them.
template <typename T> static Bound boundOfElements(Value constant, bool byChannel) {
  std::optional<std::vector<T>> elements = getConstantElements<T>(constant);
  if (!elements || elements->empty())
    return std::nullopt;
  SmallVector<double> bounds;
  for (T element : *elements)
    bounds.push_back(std::abs(static_cast<double>(element)));
  if (!llvm::all_of(bounds, [](double bound) { return std::isfinite(bound); }))
    return std::nullopt;
  return byChannel ? Bound(bounds) : uniform(greatest(bounds));
}

static Bound boundOfWidth(Type type) {
  return type.isInteger() && type.getIntOrFloatBitWidth() <= 32 ? uniform(std::ldexp(1.0, type.getIntOrFloatBitWidth() - 1)) : std::nullopt;
}

/// By column of the weights, codes times the sum of their magnitudes. A channel of tiny weights has a large bias and a channel of zeros a
/// large multiplier: only together with the channel's own weights do they have a bound.
static Bound boundOfAccumulator(ContractOp op) {
  auto weights = cast<ShapedType>(op.getWeights().getType());
  Bound code = boundOfWidth(getElementTypeOrSelf(op.getInput().getType())), weight = boundOfWidth(weights.getElementType());
  if (!code || !weight || !weights.hasStaticShape() || weights.getNumElements() == 0)
    return std::nullopt;
  const int64_t columns = weights.getShape().back();
  std::optional<std::vector<int8_t>> elements;
  if (weights.getElementType().isInteger(8))
    elements = getConstantElements<int8_t>(op.getWeights());
  if (!elements)
    return uniform(code->front() * weight->front() * static_cast<double>(weights.getNumElements() / columns));
  SmallVector<double> bounds(columns, 0.0);
  for (auto [i, element] : llvm::enumerate(*elements))
    bounds[i % columns] += code->front() * std::abs(static_cast<double>(element));
  return bounds;
}

/// Whether an operand has one element for each index of the body's last dimension.
static bool isByChannel(AffineMap map) {
  return map.getNumResults() == 1 && map.getResult(0) == getAffineDimExpr(map.getNumDims() - 1, map.getContext());
}

/// What an integer's width says, a constant operand's elements, or the products of an accumulator.
static Bound boundOfArgument(BlockArgument argument, Value operand, AffineMap map) {
  Type type = argument.getType();
  const bool byChannel = operand && isByChannel(map);
  if (type.isF32())
    return operand ? boundOfElements<float>(operand, byChannel) : std::nullopt;
  Bound width = boundOfWidth(type), tighter;
  auto contract = dyn_cast<ContractOp>(argument.getOwner()->getParentOp());
  if (contract && argument.getArgNumber() == 0)
    tighter = boundOfAccumulator(contract);
  else if (operand && type.isInteger(32))
    tighter = boundOfElements<int32_t>(operand, byChannel);
  return width && tighter ? Bound(combine(*width, *tighter, smaller)) : width;
}

/// The operand that a block argument stands for, and how it is read; null for an accumulator or a destination.
static std::pair<Value, AffineMap> operandOf(BlockArgument argument) {
  Operation *op = argument.getOwner()->getParentOp();
  const unsigned number = argument.getArgNumber();
  if (auto contract = dyn_cast<ContractOp>(op))
    return number == 0 ? std::pair<Value, AffineMap>()
                       : std::pair(Value(contract.getEpilogueInputs()[number - 1]), cast<AffineMapAttr>(contract.getEpilogueMaps()[number - 1]).getValue());
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!structured) // the index of a loop, the position of a pad
    return {};
  OpOperand *operand = structured.getMatchingOpOperand(argument);
  return structured.isDpsInput(operand) ? std::pair(operand->get(), structured.getMatchingIndexingMap(operand)) : std::pair<Value, AffineMap>();
}

static Bound boundOf(Value value);

static Bound boundOfOperation(Operation *op) {
  APFloat real(0.0f);
  APInt integer;
  if (matchPattern(op, m_ConstantFloat(&real)))
    return real.isFinite() ? uniform(std::abs(real.convertToDouble())) : std::nullopt;
  if (matchPattern(op, m_ConstantInt(&integer)))
    return uniform(std::abs(static_cast<double>(integer.getSExtValue())));
  // An i32 that wraps is an i32 nevertheless.
  Bound width = op->getResult(0).getType().isInteger(32) ? uniform(std::ldexp(1.0, 31)) : std::nullopt;
  // A select between numbers, as of a clamp by channel, is one of them whatever its condition says.
  OperandRange operands = isa<arith::SelectOp>(op) ? op->getOperands().drop_front() : op->getOperands();
  SmallVector<SmallVector<double>> bounds;
  for (Value operand : operands) {
    Bound bound = boundOf(operand);
    if (!bound)
      return width;
    bounds.push_back(*bound);
  }
  Bound result = llvm::TypeSwitch<Operation *, Bound>(op)
                     .Case<arith::ExtSIOp, arith::SIToFPOp>([&](auto) { return bounds[0]; })
                     .Case<arith::AddIOp, arith::SubIOp, arith::AddFOp, arith::SubFOp>([&](auto) { return combine(bounds[0], bounds[1], std::plus<double>()); })
                     .Case<arith::MulIOp, arith::MulFOp>([&](auto) { return combine(bounds[0], bounds[1], std::multiplies<double>()); })
                     .Case<arith::SelectOp>([&](auto) { return combine(bounds[0], bounds[1], [](double x, double y) { return std::max(x, y); }); })
                     .Default([](auto) { return std::nullopt; });
  return result && width ? Bound(combine(*result, *width, smaller)) : result ? result : width;
}

/// Bounds of a scalar within an elementwise body, or nothing. A finite bound excludes NaN and infinity.
static Bound boundOf(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto [operand, map] = operandOf(argument);
    return boundOfArgument(argument, operand, map);
  }
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
  if (!bound || greatest(*bound) > kLimit)
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
