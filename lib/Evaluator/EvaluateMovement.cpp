//===- EvaluateMovement.cpp - the tensor dialect ----------------------------===//
#include "Environment.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cstring>

using namespace mlir;
using namespace mlir::halftone;

void mlir::halftone::forEachIndex(ArrayRef<int64_t> extents, function_ref<void(ArrayRef<int64_t>)> visit) {
  if (llvm::is_contained(extents, 0))
    return;
  SmallVector<int64_t> index(extents.size(), 0);
  while (true) {
    visit(index);
    int64_t d = int64_t(extents.size()) - 1;
    for (; d >= 0; --d) {
      if (++index[d] < extents[d])
        break;
      index[d] = 0;
    }
    if (d < 0)
      return;
  }
}

SmallVector<int64_t> mlir::halftone::stridesOf(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (int64_t i = int64_t(shape.size()) - 2; i >= 0; --i)
    strides[i] = strides[i + 1] * shape[i + 1];
  return strides;
}

static void copyElement(const HostTensor &from, int64_t source, HostTensor &to, int64_t target) {
  int64_t size = elementBytes(from.elementType);
  std::memcpy(to.bytes.data() + target * size, from.bytes.data() + source * size, size);
}

/// The box of `extents` at `offset` and `stride` in one tensor, in row-major order in the other.
static void copyBox(const HostTensor &from, HostTensor &to, ArrayRef<int64_t> extents, ArrayRef<int64_t> offsets,
                    ArrayRef<int64_t> strides, bool boxInTarget) {
  SmallVector<int64_t> boxStrides = stridesOf(boxInTarget ? to.shape : from.shape);
  int64_t flat = 0;
  forEachIndex(extents, [&](ArrayRef<int64_t> index) {
    int64_t address = 0;
    for (auto [d, i] : llvm::enumerate(index))
      address += (offsets[d] + i * strides[d]) * boxStrides[d];
    copyElement(from, boxInTarget ? flat : address, to, boxInTarget ? address : flat);
    ++flat;
  });
}

static LogicalResult evaluatePad(tensor::PadOp op, Environment &environment) {
  const HostTensor &source = *environment.tensor(op.getSource());
  FailureOr<SmallVector<int64_t>> low = environment.integers(op.getMixedLowPad());
  FailureOr<SmallVector<int64_t>> high = environment.integers(op.getMixedHighPad());
  if (failed(low) || failed(high))
    return op.emitError("the evaluator has no value for a padding");
  SmallVector<int64_t> shape(source.shape);
  for (auto [d, extent] : llvm::enumerate(shape))
    extent += (*low)[d] + (*high)[d];
  HostTensor result(source.elementType, shape);
  ScalarProgram program;
  if (failed(environment.build(program, op.getRegion().front())))
    return failure();
  int64_t flat = 0;
  forEachIndex(shape, [&](ArrayRef<int64_t> index) {
    for (auto [d, i] : llvm::enumerate(index))
      program.argument(d).i = i;
    program.run();
    storeElement(result, flat++, program.result(0));
  });
  SmallVector<int64_t> ones(shape.size(), 1);
  copyBox(source, result, source.shape, *low, ones, /*boxInTarget=*/true);
  environment.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateConcat(tensor::ConcatOp op, Environment &environment) {
  SmallVector<int64_t> shape(environment.tensor(op.getInputs()[0])->shape);
  shape[op.getDim()] = 0;
  for (Value input : op.getInputs())
    shape[op.getDim()] += environment.tensor(input)->shape[op.getDim()];
  HostTensor result(environment.tensor(op.getInputs()[0])->elementType, shape);
  SmallVector<int64_t> offsets(shape.size(), 0), ones(shape.size(), 1);
  for (Value input : op.getInputs()) {
    const HostTensor &part = *environment.tensor(input);
    copyBox(part, result, part.shape, offsets, ones, /*boxInTarget=*/true);
    offsets[op.getDim()] += part.shape[op.getDim()];
  }
  environment.set(op.getResult(), std::move(result));
  return success();
}

/// Offsets, sizes and strides of a slice.
template <typename OpTy>
static FailureOr<std::array<SmallVector<int64_t>, 3>> boxOf(OpTy op, Environment &environment) {
  FailureOr<SmallVector<int64_t>> parts[] = {environment.integers(op.getMixedOffsets()),
                                             environment.integers(op.getMixedSizes()),
                                             environment.integers(op.getMixedStrides())};
  if (llvm::any_of(parts, [](auto &part) { return failed(part); }))
    return op.emitError("the evaluator has no value for an offset, size or stride");
  return std::array<SmallVector<int64_t>, 3>{*parts[0], *parts[1], *parts[2]};
}

static LogicalResult evaluateSlice(tensor::ExtractSliceOp op, Environment &environment) {
  auto box = boxOf(op, environment);
  if (failed(box))
    return failure();
  auto &[offsets, sizes, strides] = *box;
  const HostTensor &source = *environment.tensor(op.getSource());
  SmallVector<int64_t> shape;
  llvm::SmallBitVector dropped = op.getDroppedDims();
  for (auto [d, size] : llvm::enumerate(sizes))
    if (!dropped[d])
      shape.push_back(size);
  HostTensor result(source.elementType, shape);
  copyBox(source, result, sizes, offsets, strides, /*boxInTarget=*/false);
  environment.set(op.getResult(), std::move(result));
  return success();
}

static LogicalResult evaluateInsert(tensor::InsertSliceOp op, Environment &environment) {
  auto box = boxOf(op, environment);
  if (failed(box))
    return failure();
  auto &[offsets, sizes, strides] = *box;
  HostTensor result = *environment.tensor(op.getDest());
  copyBox(*environment.tensor(op.getSource()), result, sizes, offsets, strides, /*boxInTarget=*/true);
  environment.set(op.getResult(), std::move(result));
  return success();
}

/// A reshape shares the elements; at most one extent of the new shape is not static, and follows from the count.
static LogicalResult evaluateReshape(Operation *op, Environment &environment) {
  HostTensor result = *environment.tensor(op->getOperand(0));
  int64_t count = result.getNumElements(), known = 1, dynamic = 0;
  SmallVector<int64_t> shape(cast<RankedTensorType>(op->getResult(0).getType()).getShape());
  for (int64_t extent : shape)
    ShapedType::isDynamic(extent) ? ++dynamic : known *= extent;
  if (dynamic > 1 || (dynamic && known == 0))
    return op->emitError("the evaluator follows reshapes with one dynamic extent at most");
  for (int64_t &extent : shape)
    if (ShapedType::isDynamic(extent))
      extent = count / known;
  result.shape = shape;
  environment.set(op->getResult(0), std::move(result));
  return success();
}

static LogicalResult evaluateEmpty(tensor::EmptyOp op, Environment &environment) {
  FailureOr<SmallVector<int64_t>> shape = environment.integers(op.getMixedSizes());
  if (failed(shape))
    return op.emitError("the evaluator has no value for a size");
  environment.set(op.getResult(), HostTensor(op.getType().getElementType(), *shape));
  return success();
}

static LogicalResult evaluateDim(tensor::DimOp op, Environment &environment) {
  FailureOr<int64_t> index = environment.integer(op.getDimension());
  if (failed(index))
    return op.emitError("the evaluator has no value for the dimension");
  Register size{0};
  size.i = environment.tensor(op.getSource())->shape[*index];
  environment.set(op.getResult(), size);
  return success();
}

static LogicalResult evaluateSplat(tensor::SplatOp op, Environment &environment) {
  FailureOr<SmallVector<int64_t>> shape =
      environment.integers(getMixedValues(op.getType().getShape(), op.getDynamicSizes(), op.getContext()));
  std::optional<Register> value = environment.scalar(op.getInput());
  if (failed(shape) || !value)
    return op.emitError("the evaluator has no value for an operand");
  HostTensor result(op.getType().getElementType(), *shape);
  for (int64_t i = 0; i < result.getNumElements(); ++i)
    storeElement(result, i, *value);
  environment.set(op.getResult(), std::move(result));
  return success();
}

LogicalResult mlir::halftone::evaluateMovement(Operation *op, Environment &environment, bool &known) {
  known = true;
  return TypeSwitch<Operation *, LogicalResult>(op)
      .Case([&](tensor::PadOp o) { return evaluatePad(o, environment); })
      .Case([&](tensor::ConcatOp o) { return evaluateConcat(o, environment); })
      .Case([&](tensor::ExtractSliceOp o) { return evaluateSlice(o, environment); })
      .Case([&](tensor::InsertSliceOp o) { return evaluateInsert(o, environment); })
      .Case<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
          [&](Operation *o) { return evaluateReshape(o, environment); })
      .Case([&](tensor::EmptyOp o) { return evaluateEmpty(o, environment); })
      .Case([&](tensor::DimOp o) { return evaluateDim(o, environment); })
      .Case([&](tensor::SplatOp o) { return evaluateSplat(o, environment); })
      .Default([&](Operation *) {
        known = false;
        return failure();
      });
}
