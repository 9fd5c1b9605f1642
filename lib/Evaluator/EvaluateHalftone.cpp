//===- EvaluateHalftone.cpp - casts, composites and kernel operations -------===//
//
// The rules are those of docs/Arithmetic.md, written down a second time on purpose.
//
//===----------------------------------------------------------------------===//
#include "Environment.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

namespace {
/// Scale, zero point and storage bounds for each index along the axis (one entry without an axis).
struct Parameters {
  std::vector<float> scales;
  std::vector<int64_t> zeroPoints;
  int64_t low = -128, high = 127;
  int64_t axis = -1;

  /// Which entry element `flat` of a tensor of that shape uses.
  int64_t entry(int64_t flat, ArrayRef<int64_t> shape) const {
    if (axis < 0)
      return 0;
    int64_t inner = 1;
    for (int64_t extent : shape.drop_front(axis + 1))
      inner *= extent;
    return flat / inner % shape[axis];
  }
};
} // namespace

static Parameters parametersOf(Type type) {
  Parameters parameters;
  auto quantized = cast<quant::QuantizedType>(type);
  parameters.low = quantized.getStorageTypeMin();
  parameters.high = quantized.getStorageTypeMax();
  if (auto tensor = dyn_cast<quant::UniformQuantizedType>(type)) {
    parameters.scales = {float(tensor.getScale())};
    parameters.zeroPoints = {tensor.getZeroPoint()};
    return parameters;
  }
  auto axis = cast<quant::UniformQuantizedPerAxisType>(type);
  parameters.axis = axis.getQuantizedDimension();
  parameters.scales.assign(axis.getScales().begin(), axis.getScales().end());
  parameters.zeroPoints.assign(axis.getZeroPoints().begin(), axis.getZeroPoints().end());
  return parameters;
}

static LogicalResult evaluateQuantize(QuantizeOp op, Environment &environment) {
  const HostTensor &input = *environment.tensor(op.getInput());
  Type type = cast<RankedTensorType>(op.getResult().getType()).getElementType();
  Parameters parameters = parametersOf(type);
  HostTensor result(type, input.shape);
  for (int64_t i = 0; i < input.getNumElements(); ++i) {
    int64_t entry = parameters.entry(i, input.shape);
    int64_t z = parameters.zeroPoints[entry];
    float low = float(parameters.low - z), high = float(parameters.high - z);
    float x = input.data<float>()[i] / parameters.scales[entry];
    x = x > low ? x : low; // NaN gives the lowest code
    x = x < high ? x : high;
    result.data<int8_t>()[i] = int8_t(int64_t(std::nearbyint(x)) + z);
  }
  environment.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateDequantize(DequantizeOp op, Environment &environment) {
  const HostTensor &input = *environment.tensor(op.getInput());
  Type type = cast<RankedTensorType>(op.getInput().getType()).getElementType();
  HostTensor result(Float32Type::get(op.getContext()), input.shape);
  if (auto codebook = dyn_cast<CodebookType>(type)) {
    const HostTensor &levels = *environment.tensor(op.getLevels()), &scales = *environment.tensor(op.getScales());
    Parameters parameters;
    parameters.axis = codebook.getAxis();
    for (int64_t i = 0; i < input.getNumElements(); ++i) {
      int64_t code = uint8_t(input.bytes[i]);
      if (code >= levels.getNumElements())
        return op.emitError("has code ") << code << " of " << levels.getNumElements() << " levels";
      result.data<float>()[i] = float(levels.data<int8_t>()[code]) * scales.data<float>()[parameters.entry(i, input.shape)];
    }
  } else {
    Parameters parameters = parametersOf(type);
    for (int64_t i = 0; i < input.getNumElements(); ++i) {
      int64_t entry = parameters.entry(i, input.shape);
      int64_t code = input.data<int8_t>()[i] - parameters.zeroPoints[entry];
      result.data<float>()[i] = float(code) * parameters.scales[entry];
    }
  }
  environment.set(op.getResult(), std::move(result));
  return success();
}

/// Storage casts change the element type only.
static LogicalResult evaluateStorageCast(Operation *op, Environment &environment) {
  HostTensor result = *environment.tensor(op->getOperand(0));
  result.elementType = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
  environment.set(op->getResult(0), std::move(result));
  return success();
}

static LogicalResult evaluateComposite(CompositeOp op, Environment &environment) {
  Environment inner;
  Block &body = op.getBody().front();
  for (auto [argument, input] : llvm::zip_equal(body.getArguments(), op.getInputs())) {
    if (auto tensor = environment.shared(input))
      inner.set(argument, tensor);
    else if (auto scalar = environment.scalar(input))
      inner.set(argument, *scalar);
  }
  if (failed(evaluateBlock(body, inner)))
    return failure();
  for (auto [result, value] : llvm::zip_equal(op.getResults(), body.getTerminator()->getOperands()))
    environment.set(result, inner.shared(value));
  return success();
}

static LogicalResult evaluateLookup(LookupOp op, Environment &environment) {
  const HostTensor &table = *environment.tensor(op.getTable());
  HostTensor result = *environment.tensor(op.getInput());
  for (char &code : result.bytes)
    code = table.bytes[int64_t(int8_t(code)) + 128];
  environment.set(op.getOutputs()[0], std::move(result));
  return success();
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

namespace {
/// A convolution; a matrix product is one with a single row of positions.
struct Contraction {
  const HostTensor &input, &weights;
  ArrayRef<int64_t> strides, dilations;
  int64_t groups;
  SmallVector<int64_t> in, kernel, out; // N H W C; KH KW IC OC; N OH OW OC

  /// Row-major position of input and weights for an output and a tap.
  std::pair<int64_t, int64_t> positions(ArrayRef<int64_t> o, int64_t kh, int64_t kw, int64_t ic) const {
    int64_t group = o[3] / (out[3] / groups);
    int64_t h = o[1] * strides[0] + kh * dilations[0], w = o[2] * strides[1] + kw * dilations[1];
    int64_t from = ((o[0] * in[1] + h) * in[2] + w) * in[3] + group * kernel[2] + ic;
    return {from, ((kh * kernel[1] + kw) * kernel[2] + ic) * kernel[3] + o[3]};
  }
};
} // namespace

static Register sumOfProducts(const Contraction &c, ArrayRef<int64_t> o) {
  Register sum{0};
  bool isFloat = c.input.elementType.isF32();
  for (int64_t kh = 0; kh < c.kernel[0]; ++kh)
    for (int64_t kw = 0; kw < c.kernel[1]; ++kw)
      for (int64_t ic = 0; ic < c.kernel[2]; ++ic) {
        auto [from, tap] = c.positions(o, kh, kw, ic);
        if (isFloat)
          sum.f = std::fma(c.input.data<float>()[from],
                           c.weights.elementType.isInteger(8) ? float(c.weights.data<int8_t>()[tap]) : c.weights.data<float>()[tap],
                           sum.f);
        else
          sum.i = int32_t(sum.i + c.input.data<int8_t>()[from] * c.weights.data<int8_t>()[tap]);
      }
  return sum;
}

static LogicalResult evaluateContract(ContractOp op, Environment &environment) {
  if (op.getPacking())
    return op.emitError("the evaluator does not read packed weights");
  const HostTensor &input = *environment.tensor(op.getInput()), &weights = *environment.tensor(op.getWeights());
  HostTensor result = *environment.tensor(op.getOutput());
  Contraction c{input, weights, op.getStrides(), op.getDilations(), int64_t(op.getGroups()), input.shape, weights.shape, result.shape};
  bool isMatrix = input.shape.size() == 2;
  for (SmallVector<int64_t> *shape : {&c.in, &c.kernel, &c.out})
    if (isMatrix)
      shape->insert(shape->begin(), shape == &c.kernel ? 2 : 1, 1);
  if (isMatrix) { // one image of one row, as wide as there are rows
    c.in = {1, 1, input.shape[0], input.shape[1]};
    c.out = {1, 1, result.shape[0], result.shape[1]};
  }
  ScalarProgram program;
  if (failed(environment.build(program, op.getEpilogue().front())))
    return failure();
  SmallVector<const HostTensor *> operands;
  for (Value operand : op.getEpilogueInputs())
    operands.push_back(environment.tensor(operand));
  int64_t flat = 0;
  forEachIndex(c.out, [&](ArrayRef<int64_t> o) {
    program.argument(0) = sumOfProducts(c, o);
    for (auto [i, operand] : llvm::enumerate(operands)) {
      AffineMap map = cast<AffineMapAttr>(op.getEpilogueMaps()[i]).getValue();
      SmallVector<int64_t> at = map.compose(isMatrix ? o.drop_front(2) : o);
      int64_t address = 0;
      for (auto [position, stride] : llvm::zip_equal(at, stridesOf(operand->shape)))
        address += position * stride;
      program.argument(i + 1) = loadElement(*operand, address);
    }
    program.run();
    storeElement(result, flat++, program.result(0));
  });
  environment.set(op.getOutputs()[0], std::move(result));
  return success();
}

LogicalResult mlir::halftone::evaluateHalftone(Operation *op, Environment &environment, bool &known) {
  known = true;
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](QuantizeOp o) { return evaluateQuantize(o, environment); })
      .Case([&](DequantizeOp o) { return evaluateDequantize(o, environment); })
      .Case<StorageCastOp, quant::StorageCastOp>([&](Operation *o) { return evaluateStorageCast(o, environment); })
      .Case([&](CompositeOp o) { return evaluateComposite(o, environment); })
      .Case([&](LookupOp o) { return evaluateLookup(o, environment); })
      .Case([&](ContractOp o) { return evaluateContract(o, environment); })
      .Default([&](Operation *) {
        known = false;
        return failure();
      });
}
