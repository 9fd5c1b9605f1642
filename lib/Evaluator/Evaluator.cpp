//===- Evaluator.cpp - functions and blocks ---------------------------------===//
#include "halftone/Evaluator/Evaluator.h"
#include "Environment.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include <map>
#include <numeric>

using namespace mlir;
using namespace mlir::halftone;

HostTensor::HostTensor(Type elementType, ArrayRef<int64_t> shape) : elementType(elementType), shape(shape) {
  bytes.assign(getNumElements() * elementBytes(elementType), 0);
}

int64_t HostTensor::getNumElements() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1), std::multiplies<int64_t>());
}

FailureOr<int64_t> Environment::integer(OpFoldResult value) const {
  if (std::optional<int64_t> constant = getConstantIntValue(value))
    return *constant;
  std::optional<Register> known = scalar(cast<Value>(value));
  return known ? FailureOr<int64_t>(known->i) : FailureOr<int64_t>(failure());
}

FailureOr<SmallVector<int64_t>> Environment::integers(ArrayRef<OpFoldResult> values) const {
  SmallVector<int64_t> result;
  for (OpFoldResult value : values) {
    FailureOr<int64_t> number = integer(value);
    if (failed(number))
      return failure();
    result.push_back(*number);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

template <typename T>
static bool copyElements(Attribute attribute, HostTensor &tensor) {
  auto elements = getElements<T>(attribute);
  if (!elements)
    return false;
  std::copy(elements->begin(), elements->end(), tensor.data<T>());
  return true;
}

static LogicalResult evaluateConstant(arith::ConstantOp op, Environment &environment) {
  auto elements = dyn_cast<ElementsAttr>(op.getValue());
  if (!elements) {
    std::optional<Register> value = constantRegister(op.getValue());
    if (!value)
      return op.emitError("the evaluator does not know this constant's type");
    environment.set(op.getResult(), *value);
    return success();
  }
  auto type = cast<RankedTensorType>(op.getType());
  HostTensor tensor(type.getElementType(), type.getShape());
  bool copied = copyElements<float>(elements, tensor) || copyElements<int8_t>(elements, tensor) ||
                copyElements<int32_t>(elements, tensor) || copyElements<int64_t>(elements, tensor) ||
                copyElements<bool>(elements, tensor) || copyElements<double>(elements, tensor);
  if (!copied)
    return op.emitError("the evaluator cannot read this constant");
  environment.set(op.getResult(), std::move(tensor));
  return success();
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// A scalar operation outside of a region: index arithmetic, mostly.
static LogicalResult evaluateScalar(Operation *op, Environment &environment) {
  Block block;
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToStart(&block);
  Operation *clone = builder.clone(*op);
  halftone::YieldOp::create(builder, op->getLoc(), clone->getResults());
  ScalarProgram program;
  if (failed(environment.build(program, block)))
    return failure();
  program.run();
  environment.set(op->getResult(0), program.result(0));
  return success();
}

/// A size that is computed from a dynamic dimension.
static LogicalResult evaluateApply(affine::AffineApplyOp op, Environment &environment) {
  Builder builder(op.getContext());
  SmallVector<Attribute> operands, results;
  for (Value operand : op.getMapOperands()) {
    FailureOr<int64_t> number = environment.integer(operand);
    if (failed(number))
      return op.emitError("the evaluator has no value for an operand");
    operands.push_back(builder.getIndexAttr(*number));
  }
  if (failed(op.getAffineMap().constantFold(operands, results)))
    return op.emitError("divides by zero");
  Register result;
  result.i = cast<IntegerAttr>(results.front()).getInt();
  environment.set(op.getResult(), result);
  return success();
}

static LogicalResult evaluateOperation(Operation *op, Environment &environment) {
  for (Value operand : op->getOperands())
    if (isa<TensorType>(operand.getType()) && !environment.tensor(operand))
      return op->emitError("the evaluator has no value for an operand");
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return evaluateConstant(constant, environment);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return evaluateApply(apply, environment);
  if (auto structured = dyn_cast<linalg::LinalgOp>(op))
    return evaluateStructured(structured, environment);
  bool known = false;
  LogicalResult result = evaluateMovement(op, environment, known);
  if (!known)
    result = evaluateHalftone(op, environment, known);
  if (known)
    return result;
  bool isScalar = op->getNumResults() == 1 && op->getResult(0).getType().isIntOrIndexOrFloat() && op->getNumRegions() == 0;
  if (isScalar)
    return evaluateScalar(op, environment);
  return op->emitError("the evaluator does not know '") << op->getName() << "'";
}

LogicalResult mlir::halftone::evaluateBlock(Block &block, Environment &environment) {
  for (Operation &op : block.without_terminator())
    if (failed(evaluateOperation(&op, environment)))
      return failure();
  return success();
}

/// Whether a tensor can stand for a value of that type.
static bool fits(const HostTensor &tensor, Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked || ranked.getElementType() != tensor.elementType || size_t(ranked.getRank()) != tensor.shape.size())
    return false;
  for (auto [expected, extent] : llvm::zip_equal(ranked.getShape(), tensor.shape))
    if (!ShapedType::isDynamic(expected) && expected != extent)
      return false;
  return tensor.bytes.size() == size_t(tensor.getNumElements() * elementBytes(tensor.elementType));
}

FailureOr<SmallVector<HostTensor>> mlir::halftone::evaluate(func::FuncOp function, ArrayRef<HostTensor> arguments) {
  if (!llvm::hasSingleElement(function.getBody()))
    return function.emitError("the evaluator runs functions of one block");
  if (arguments.size() != function.getNumArguments())
    return function.emitError("the evaluator got ") << arguments.size() << " arguments of " << function.getNumArguments();
  Environment environment;
  for (auto [argument, tensor] : llvm::zip_equal(function.getArguments(), arguments)) {
    if (!fits(tensor, argument.getType()))
      return function.emitError("the evaluator got a tensor that does not fit argument ") << argument.getArgNumber();
    environment.set(argument, tensor);
  }
  Block &body = function.getBody().front();
  if (failed(evaluateBlock(body, environment)))
    return failure();
  SmallVector<HostTensor> results;
  for (Value value : body.getTerminator()->getOperands()) {
    if (!environment.tensor(value))
      return function.emitError("the evaluator returns tensors only");
    results.push_back(*environment.tensor(value));
  }
  return results;
}

//===----------------------------------------------------------------------===//
// Elementwise chains
//===----------------------------------------------------------------------===//

namespace {
/// Evaluates a chain on a list of points that stands for every tensor in it.
class Pointwise {
public:
  Pointwise(Value input, ArrayRef<float> points) : count(points.size()) { values[input.getAsOpaquePointer()].assign(points.begin(), points.end()); }

  /// The points of a value, computed on demand.
  const std::vector<float> *get(Value value) {
    if (auto it = values.find(value.getAsOpaquePointer()); it != values.end())
      return &it->second;
    Operation *op = value.getDefiningOp();
    if (!op || !isa<RankedTensorType>(value.getType()))
      return nullptr;
    LogicalResult result = failure();
    if (auto generic = dyn_cast<linalg::GenericOp>(op))
      result = runGeneric(generic);
    else if (auto composite = dyn_cast<CompositeOp>(op))
      result = runComposite(composite);
    return succeeded(result) ? &values[value.getAsOpaquePointer()] : nullptr;
  }

private:
  LogicalResult runGeneric(linalg::GenericOp op);
  LogicalResult runComposite(CompositeOp op);

  size_t count;
  // Nodes do not move: results are handed out as pointers while others are computed.
  std::map<const void *, std::vector<float>> values;
};
} // namespace

/// A splat or single-element f32 constant.
static std::optional<float> uniformConstant(Value value) {
  auto elements = getConstantElements<float>(value);
  if (!elements || elements->empty() || !llvm::all_equal(*elements))
    return std::nullopt;
  return elements->front();
}

LogicalResult Pointwise::runGeneric(linalg::GenericOp op) {
  bool elementwise = op->getNumResults() == 1 && op.getNumParallelLoops() == op.getNumLoops() && !op.hasIndexSemantics();
  if (!elementwise)
    return failure();
  SmallVector<const std::vector<float> *> inputs;
  SmallVector<float> constants;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    std::optional<float> constant = uniformConstant(operand->get());
    constants.push_back(constant.value_or(0));
    inputs.push_back(constant ? nullptr : get(operand->get()));
    bool identity = op.getMatchingIndexingMap(operand).isIdentity();
    if (!constant && (!inputs.back() || !identity))
      return failure();
  }
  ScalarProgram program;
  auto noTensor = [](Value) -> const HostTensor * { return nullptr; };
  auto noScalar = [](Value) -> std::optional<Register> { return std::nullopt; };
  ScopedDiagnosticHandler quiet(op.getContext(), [](Diagnostic &) { return success(); });
  if (failed(program.build(*op.getBody(), noTensor, noScalar)))
    return failure();
  std::vector<float> &result = values[op->getResult(0).getAsOpaquePointer()];
  result.resize(count);
  for (size_t i = 0; i < count; ++i) {
    for (auto [n, input] : llvm::enumerate(inputs))
      program.argument(n).f = input ? (*input)[i] : constants[n];
    program.run();
    result[i] = program.result(0).f;
  }
  return success();
}

LogicalResult Pointwise::runComposite(CompositeOp op) {
  if (op.getNumResults() != 1 || op.getInputs().size() != 1)
    return failure();
  const std::vector<float> *input = get(op.getInputs()[0]);
  if (!input)
    return failure();
  Pointwise inner(op.getBody().getArgument(0), *input);
  const std::vector<float> *result = inner.get(op.getBody().front().getTerminator()->getOperand(0));
  if (!result)
    return failure();
  values[op.getResult(0).getAsOpaquePointer()] = *result;
  return success();
}

FailureOr<std::vector<float>> mlir::halftone::evaluatePointwise(Value input, Value output, ArrayRef<float> points) {
  Pointwise chain(input, points);
  const std::vector<float> *result = chain.get(output);
  return result ? FailureOr<std::vector<float>>(*result) : FailureOr<std::vector<float>>(failure());
}
