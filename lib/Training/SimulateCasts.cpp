//===- SimulateCasts.cpp - quantization as float arithmetic -----------------===//
//
//   quantize to scale s, zero point z:   roundeven(min(max(x / s, qmin - z), qmax - z)) * s     (rules A1 and A3)
//
// While a schedule still has more levels, weights of the limit L take d = max(1, limit / L) steps in each of their own:
// roundeven(min(max(x / s, -L), L) * d) / d * s, which is the same for d = 1. Before casts come in, x stays as it is.
//
//===----------------------------------------------------------------------===//
#include "ChannelScales.h"
#include "ScaleGroups.h"
#include "SimulateLevels.h"
#include "TensorBuilding.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SIMULATECASTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static bool isQuantized(Type type) { return isa<quant::QuantizedType, CodebookType>(getElementTypeOrSelf(type)); }

/// The bounds of logical values, q - z; with groups of levels.
static std::pair<double, double> boundsOf(QuantizeOp op, quant::QuantizedType type, int64_t zeroPoint) {
  if (auto largest = op->getAttrOfType<IntegerAttr>(kLargestLevelAttr))
    return {-double(largest.getInt()), double(largest.getInt())};
  return {double(type.getStorageTypeMin() - zeroPoint), double(type.getStorageTypeMax() - zeroPoint)};
}

/// The argument that is the scale of a quantize, or null.
static Value findScale(QuantizeOp op) {
  auto name = op->getAttrOfType<StringAttr>(kScaleAttr);
  return name ? Value(findArgument(op->getParentOfType<func::FuncOp>(), name)) : Value();
}

/// The steps of weights, with the map of an element to its own: the scales of channels, as numbers or an argument; with groups these times the
/// multipliers, one for each element.
static std::pair<Value, AffineMap> buildSteps(OpBuilder &b, QuantizeOp op, quant::UniformQuantizedPerAxisType type) {
  RankedTensorType tensor = tensorType(op.getInput());
  Value scales = findScale(op);
  if (!scales)
    scales = buildConstant(b, op.getLoc(), RankedTensorType::get(type.getScales().size(), tensor.getElementType()), SmallVector<double>(type.getScales()));
  AffineMap identity = b.getMultiDimIdentityMap(tensor.getRank()), channel = identity.getSliceMap(type.getQuantizedDimension(), 1);
  std::optional<std::vector<int8_t>> multipliers = getElements<int8_t>(op->getAttr(kMultipliersAttr));
  if (!multipliers)
    return {scales, channel};
  Value factors = arith::ConstantOp::create(
      b, op.getLoc(), makeConstant<float>(tensor, std::vector<float>(multipliers->begin(), multipliers->end()), "multipliers"));
  Value steps = buildElementwise(b, op.getLoc(), {scales, factors}, {channel, identity}, getAsIndexOpFoldResult(b.getContext(), tensor.getShape()),
                                 tensor.getElementType(),
                                 [](OpBuilder &n, Location l, ValueRange e) -> Value { return arith::MulFOp::create(n, l, e[0], e[1]); });
  return {steps, identity};
}

namespace {
/// Arguments of a schedule, each of one float, or null.
struct Schedule {
  Value casts; ///< above 0: casts round
  Value limit; ///< the largest code that weights may have so far
};
} // namespace

/// Rounds a clamped code, in finer steps while the limit is above that of the type.
static Value roundCode(OpBuilder &b, Location loc, Value code, double own, Value limit) {
  if (!limit)
    return math::RoundEvenOp::create(b, loc, code);
  Type type = code.getType();
  Value steps = arith::DivFOp::create(b, loc, limit, buildScalar(b, loc, type, own));
  steps = arith::MaximumFOp::create(b, loc, steps, buildScalar(b, loc, type, 1));
  Value fine = math::RoundEvenOp::create(b, loc, arith::MulFOp::create(b, loc, code, steps));
  return arith::DivFOp::create(b, loc, fine, steps);
}

/// What is rounded where casts are in, else what is not: of {rounded, not, casts}.
static Value selectCasts(OpBuilder &b, Location loc, ValueRange e) {
  Value casts = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, e[2], buildScalar(b, loc, e[2].getType(), 0));
  return arith::SelectOp::create(b, loc, casts, e[0], e[1]);
}

/// The real values of what a quantize gives the codes of.
static Value simulate(OpBuilder &b, QuantizeOp op, Schedule schedule) {
  Location loc = op.getLoc();
  Value x = op.getInput();
  auto type = cast<quant::QuantizedType>(getElementTypeOrSelf(op.getType()));
  RankedTensorType tensor = tensorType(x);
  SmallVector<Value> inputs = {x};
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(tensor.getRank())};
  double scale = 0;
  int64_t zeroPoint = 0;
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    auto [steps, step] = buildSteps(b, op, perAxis);
    inputs.push_back(steps);
    maps.push_back(step);
  } else {
    auto uniform = cast<quant::UniformQuantizedType>(type);
    scale = uniform.getScale();
    zeroPoint = uniform.getZeroPoint();
    if (Value learned = findScale(op)) {
      inputs.push_back(learned);
      maps.push_back(AffineMap::get(tensor.getRank(), 0, {}, b.getContext()));
    }
  }
  auto scalarInput = [&](Value value) {
    inputs.push_back(value);
    maps.push_back(AffineMap::get(tensor.getRank(), 0, {}, b.getContext()));
    return inputs.size() - 1;
  };
  const bool isWeight = isa<quant::UniformQuantizedPerAxisType>(type);
  const size_t stepInput = inputs.size() > 1 ? 1 : 0;
  const size_t limitInput = schedule.limit && isWeight ? scalarInput(schedule.limit) : 0;
  const size_t castsInput = schedule.casts ? scalarInput(schedule.casts) : 0;
  auto [low, high] = boundsOf(op, type, zeroPoint);
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, x);
  return buildElementwise(b, loc, inputs, maps, sizes, tensor.getElementType(),
                          [&, low = low, high = high](OpBuilder &n, Location l, ValueRange e) -> Value {
                            Value step = stepInput ? e[stepInput] : buildScalar(n, l, e[0].getType(), scale);
                            Value code = arith::DivFOp::create(n, l, e[0], step);
                            code = arith::MaximumFOp::create(n, l, code, buildScalar(n, l, code.getType(), low));
                            code = arith::MinimumFOp::create(n, l, code, buildScalar(n, l, code.getType(), high));
                            code = roundCode(n, l, code, high, limitInput ? e[limitInput] : Value());
                            Value rounded = arith::MulFOp::create(n, l, code, step);
                            return castsInput ? selectCasts(n, l, {rounded, e[0], e[castsInput]}) : rounded;
                          });
}

/// The real values of weights that are rounded to levels: numbers, or an argument.
static Value simulateLevels(OpBuilder &b, QuantizeOp op, DenseI8ArrayAttr levels, Schedule schedule) {
  auto type = cast<quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(op.getType()));
  auto number = [&](ArrayRef<double> values) {
    return buildConstant(b, op.getLoc(), RankedTensorType::get(values.size(), b.getF32Type()), values);
  };
  Value values;
  double unit = 1;
  if (auto name = op->getAttrOfType<StringAttr>(kLevelArgumentAttr)) {
    values = findArgument(op->getParentOfType<func::FuncOp>(), name);
    unit = op->getAttrOfType<FloatAttr>(kLevelUnitAttr).getValueAsDouble();
  }
  if (!values)
    values = number(SmallVector<double>(levels.asArrayRef()));
  auto [steps, step] = buildSteps(b, op, type);
  Value rounded = simulateLevels(b, op.getLoc(), op.getInput(), steps, step, values, unit);
  if (!schedule.casts)
    return rounded;
  RankedTensorType tensor = tensorType(rounded);
  AffineMap identity = b.getMultiDimIdentityMap(tensor.getRank());
  auto none = AffineMap::get(tensor.getRank(), 0, {}, b.getContext());
  return buildElementwise(b, op.getLoc(), {rounded, op.getInput(), schedule.casts}, {identity, identity, none},
                          tensor::getMixedSizes(b, op.getLoc(), rounded), tensor.getElementType(), selectCasts);
}

/// The real values of constant codes, as a constant.
static Value realConstant(OpBuilder &b, quant::StorageCastOp cast) {
  auto codes = getConstantElements<int8_t>(cast.getInput());
  auto type = mlir::cast<RankedTensorType>(cast.getType());
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  if (!codes || !perAxis)
    return {};
  std::vector<float> values(codes->size());
  ChannelScales scales(type);
  for (auto [i, code] : llvm::enumerate(*codes))
    values[i] = float(code) * scales.at(i);
  auto real = RankedTensorType::get(type.getShape(), b.getF32Type());
  return arith::ConstantOp::create(b, cast.getLoc(), makeConstant<float>(real, values, "weights"));
}

namespace {

struct SimulateCasts : halftone::impl::SimulateCastsBase<SimulateCasts> {
  using SimulateCastsBase::SimulateCastsBase;

  void runOnOperation() override {
    arguments = Schedule();
    if (schedule && getOperation().getSymName() == "main")
      arguments = {addArgument(kCastsName), addArgument(kLimitName)};
    SmallVector<Operation *> operations;
    getOperation().walk([&](Operation *op) { operations.push_back(op); });
    SmallVector<Operation *> dead;
    LogicalResult result = success();
    for (Operation *op : operations)
      if (failed(replace(op, dead)))
        result = failure();
    if (failed(result))
      return signalPassFailure();
    for (Operation *op : llvm::reverse(dead))
      op->erase();
  }

private:
  Schedule arguments;

  Value addArgument(StringRef name) {
    Builder b(&getContext());
    unsigned index = getOperation().getNumArguments();
    (void)getOperation().insertArgument(index, RankedTensorType::get({}, b.getF32Type()),
                                        b.getDictionaryAttr(b.getNamedAttr(kNameAttr, b.getStringAttr(name))),
                                        getOperation().getLoc());
    return getOperation().getArgument(index);
  }

  LogicalResult replace(Operation *op, SmallVector<Operation *> &dead) {
    OpBuilder b(op);
    Value value;
    if (auto quantize = dyn_cast<QuantizeOp>(op); quantize && op->hasAttr(kLevelsAttr)) {
      value = simulateLevels(b, quantize, op->getAttrOfType<DenseI8ArrayAttr>(kLevelsAttr), arguments);
      ++simulated;
    } else if (quantize) {
      value = simulate(b, quantize, arguments);
      ++simulated;
    } else if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
      if (dequantize.getInput().getDefiningOp<quant::StorageCastOp>())
        return failure(); // which has its error already
      if (!isQuantized(dequantize.getInput().getType()))
        value = dequantize.getInput();
    } else if (auto cast = dyn_cast<quant::StorageCastOp>(op)) {
      value = realConstant(b, cast);
    } else {
      // Data movement: of real values now.
      for (Value result : op->getResults())
        if (isQuantized(result.getType()))
          result.setType(mlir::cast<RankedTensorType>(result.getType()).clone(b.getF32Type()));
      for (Region &region : op->getRegions())
        for (BlockArgument argument : region.getArguments())
          if (isQuantized(argument.getType()))
            argument.setType(b.getF32Type());
      return success();
    }
    if (!value)
      return op->emitOpError("cannot be simulated: only uniform types, and constant codes, are");
    op->getResult(0).replaceAllUsesWith(value);
    dead.push_back(op);
    return success();
  }
};

} // namespace
