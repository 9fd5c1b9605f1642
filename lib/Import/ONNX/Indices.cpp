//===- Indices.cpp - ONNX's GatherElements, GatherND, OneHot and ScatterND --===//
#include "Axis.h"
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// `index`, from the end where it is negative, within `size`.
static Value wrap(OpBuilder &b, Location l, Type element, Value index, int64_t size) {
  Value negative = arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, index, scalarConstant(b, l, element, 0));
  return arith::SelectOp::create(b, l, negative, arith::AddIOp::create(b, l, index, scalarConstant(b, l, element, size)), index);
}

/// Rows of the first dimensions joined, at the places that the tuples of indices stand for.
LogicalResult onnx_operators::buildGatherND(Node &node) {
  const Tensor x = node.input(0), indices = node.input(1);
  if (node.getInt("batch_dims", 0) != 0)
    return node.unsupported("batch_dims");
  if (x.isDynamic() || indices.isDynamic() || !isa<IntegerType>(indices.element) || indices.rank() < 1 || indices.shape.back() > x.rank() ||
      indices.shape.back() < 1)
    return node.unsupported("a dynamic dimension, or indices that are not integers for the input's dimensions");
  ArrayRef<int64_t> joined = ArrayRef(x.shape).take_front(indices.shape.back()), rest = ArrayRef(x.shape).drop_front(indices.shape.back());
  SmallVector<int64_t> strides = rowMajorStrides(joined), places(ArrayRef(indices.shape).drop_back()), rows = {ShapedType::getNumElements(joined)};
  rows.append(rest.begin(), rest.end());
  SmallVector<Tensor> parts;
  for (int64_t i = 0; i < indices.shape.back(); ++i) {
    SliceRange range{SmallVector<int64_t>(indices.rank(), 0), indices.shape, SmallVector<int64_t>(indices.rank(), 1)};
    range.starts.back() = i;
    range.sizes.back() = 1;
    parts.push_back(toTensor(extract(node, node.operand(1), range, indices.rank() - 1)));
  }
  Value place = buildBroadcast(node, parts, indices.element, [&](OpBuilder &b, Location l, ValueRange e) {
    Value sum;
    for (auto [index, size, stride] : llvm::zip(e, joined, strides)) {
      Value term = arith::MulIOp::create(b, l, wrap(b, l, indices.element, index, size), scalarConstant(b, l, indices.element, stride));
      sum = sum ? arith::AddIOp::create(b, l, sum, term).getResult() : term;
    }
    return sum;
  });
  node.setResult(halftone::buildGather(node.builder, node.loc, reshape(node, node.operand(0), rows), place, /*axis=*/0), x.element);
  return success();
}

/// Each element from its own place but for the axis, where an index says it.
LogicalResult onnx_operators::buildGatherElements(Node &node) {
  const Tensor x = node.input(0), indices = node.input(1);
  const int64_t axis = fromStart(node.getInt("axis", 0), x.rank());
  if (x.isDynamic() || indices.isDynamic() || !isa<IntegerType>(indices.element) || axis < 0 || axis >= x.rank() || indices.rank() != x.rank())
    return node.unsupported("a dynamic dimension, or indices that are not integers of the input's rank");
  SmallVector<int64_t> strides = rowMajorStrides(x.shape), others(indices.shape);
  const int64_t stride = strides[axis], size = x.shape[axis];
  others[axis] = 1;
  Tensor row = toTensor(HostTensor::fromIntegers(indices.element, others, stridedIndices<int64_t>(others, strides)));
  Value place = buildBroadcast(node, {indices, row}, indices.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value along = arith::MulIOp::create(b, l, wrap(b, l, indices.element, e[0], size), scalarConstant(b, l, indices.element, stride));
    return arith::AddIOp::create(b, l, along, e[1]);
  });
  Value flat = reshape(node, node.operand(0), ShapedType::getNumElements(x.shape));
  node.setResult(halftone::buildGather(node.builder, node.loc, flat, place, /*axis=*/0), x.element);
  return success();
}

/// The first `length` steps of each sequence of a batch in the other order; the first two dimensions are steps and batch, in either order.
LogicalResult onnx_operators::buildReverseSequence(Node &node) {
  const Tensor x = node.input(0), lengths = node.input(1);
  const int64_t time = node.getInt("time_axis", 0), batch = node.getInt("batch_axis", 1);
  if (time + batch != 1 || time * batch != 0)
    return node.unsupported("axes other than 0 and 1");
  if (x.isDynamic() || x.rank() < 2 || !isa<IntegerType>(lengths.element) || lengths.shape != ArrayRef<int64_t>{x.shape[batch]})
    return node.unsupported("a dynamic dimension, or lengths that are not integers, one for each sequence");
  const int64_t steps = x.shape[time], count = x.shape[batch], timeStride = time ? 1 : count, batchStride = time ? steps : 1;
  SmallVector<int64_t> shape = {steps * count};
  llvm::append_range(shape, ArrayRef(x.shape).drop_front(2));
  Value rows = reshape(node, node.operand(0), shape);
  if (lengths.constant && !lengths.constant->symbolic) {
    std::vector<int64_t> length = lengths.constant->integers();
    SmallVector<int64_t> positions(steps * count);
    for (int64_t b = 0; b < count; ++b)
      for (int64_t t = 0; t < steps; ++t)
        positions[t * timeStride + b * batchStride] = (t < length[b] && length[b] <= steps ? length[b] - 1 - t : t) * timeStride + b * batchStride;
    node.setResult(reshape(node, pick(node, rows, 0, positions), x.shape), x.element);
    return success();
  }
  Type element = lengths.element;
  SmallVector<int64_t> along(2, 1), across(2, 1);
  along[time] = steps;
  across[batch] = count;
  Tensor length = toTensor(reshape(node, node.operand(1), across));
  Tensor step = toTensor(HostTensor::fromIntegers(element, along, llvm::to_vector(llvm::seq<int64_t>(0, steps))));
  Tensor first = toTensor(HostTensor::fromIntegers(element, across, stridedIndices<int64_t>(count, batchStride)));
  Value place = buildBroadcast(node, {length, step, first}, element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value held = arith::MinSIOp::create(b, l, e[0], scalarConstant(b, l, element, steps));
    Value isInside = arith::CmpIOp::create(b, l, arith::CmpIPredicate::slt, e[1], held);
    Value behind = arith::AddIOp::create(b, l, e[1], scalarConstant(b, l, element, 1));
    Value from = arith::SelectOp::create(b, l, isInside, arith::SubIOp::create(b, l, held, behind), e[1]);
    return arith::AddIOp::create(b, l, arith::MulIOp::create(b, l, from, scalarConstant(b, l, element, timeStride)), e[2]);
  });
  node.setResult(reshape(node, halftone::buildGather(node.builder, node.loc, rows, reshape(node, place, steps * count), /*axis=*/0), x.shape), x.element);
  return success();
}

/// For each row of the input's first dimensions the row of `updates` that replaces it, or -1; the last of several counts.
static FailureOr<SmallVector<int64_t>> readReplacedRows(Node &node) {
  const Tensor &x = node.input(0);
  HostTensorRef indices = node.constant(1);
  if (node.getString("reduction", "none") != "none")
    return node.unsupported("a reduction");
  if (x.isDynamic() || !indices || indices->symbolic || indices->isFloat() || indices->shape.empty() || indices->shape.back() < 1 ||
      indices->shape.back() > x.rank())
    return node.unsupported("indices that are not constant, or a dynamic dimension");
  ArrayRef<int64_t> joined = ArrayRef(x.shape).take_front(indices->shape.back());
  SmallVector<int64_t> strides = rowMajorStrides(joined), rows(ShapedType::getNumElements(joined), -1);
  std::vector<int64_t> list = indices->integers();
  for (size_t i = 0; i < list.size(); i += joined.size()) {
    int64_t row = 0;
    for (auto [d, size] : llvm::enumerate(joined)) {
      int64_t index = list[i + d] + (list[i + d] < 0 ? size : 0);
      if (index < 0 || index >= size)
        return node.unsupported("an index outside the input");
      row += index * strides[d];
    }
    rows[row] = i / joined.size();
  }
  return rows;
}

/// The rows of the input and, behind them, of the updates, at the places that the indices say.
LogicalResult onnx_operators::buildScatterND(Node &node) {
  FailureOr<SmallVector<int64_t>> rows = readReplacedRows(node);
  if (failed(rows))
    return failure();
  const Tensor x = node.input(0), updates = node.input(2);
  const auto count = static_cast<int64_t>(rows->size());
  SmallVector<int64_t> whole = {count}, part = {node.constant(1)->count() / node.constant(1)->shape.back()};
  ArrayRef<int64_t> rest = ArrayRef(x.shape).drop_front(node.constant(1)->shape.back());
  whole.append(rest.begin(), rest.end());
  part.append(rest.begin(), rest.end());
  if (updates.element != x.element || updates.isDynamic() || ShapedType::getNumElements(updates.shape) != ShapedType::getNumElements(part))
    return node.unsupported("updates that do not fit the input and the indices");
  for (auto [i, row] : llvm::enumerate(*rows))
    row = row < 0 ? static_cast<int64_t>(i) : count + row;
  Value all = tensor::ConcatOp::create(node.builder, node.loc, 0, ValueRange{reshape(node, node.operand(0), whole), reshape(node, node.operand(2), part)});
  Value places = node.materialize(HostTensor::fromIntegers(node.builder.getI64Type(), count, *rows));
  node.setResult(reshape(node, halftone::buildGather(node.builder, node.loc, all, places, /*axis=*/0), x.shape), x.element);
  return success();
}

std::optional<HostTensor> onnx_operators::evaluateScatterND(Node &node) {
  HostTensor result = *node.constant(0);
  HostTensorRef updates = node.constant(2);
  FailureOr<SmallVector<int64_t>> rows = readReplacedRows(node);
  if (failed(rows) || updates->element != result.element || updates->symbolic || result.scales)
    return std::nullopt;
  const size_t width = rows->empty() ? 0 : result.bytes.size() / rows->size();
  if (updates->bytes.size() != node.constant(1)->count() / node.constant(1)->shape.back() * width)
    return std::nullopt;
  for (auto [i, row] : llvm::enumerate(*rows))
    if (row >= 0)
      result.bytes.replace(i * width, width, updates->bytes, row * width, width);
  return result;
}

LogicalResult onnx_operators::buildOneHot(Node &node) {
  const Tensor indices = node.input(0);
  HostTensorRef depth = node.constant(1), values = node.constant(2);
  if (!depth || depth->count() != 1 || !values || values->count() != 2 || depth->scalar() < 1)
    return node.unsupported("a depth or values that are not constant");
  if (!isa<IntegerType>(indices.element) || indices.element.isInteger(1) || !(values->element.isF32() || isa<IntegerType>(values->element)))
    return node.unsupported("indices that are not integers");
  const auto size = static_cast<int64_t>(depth->scalar());
  const int64_t axis = fromStart(node.getInt("axis", -1), indices.rank() + 1);
  if (axis < 0 || axis > indices.rank() || (indices.isDynamic() && axis == 0))
    return node.unsupported("an axis outside the rank of " + Twine(indices.rank() + 1) + ", or before the dynamic dimension");
  SmallVector<int64_t> wide(indices.shape), row(indices.rank() - axis + 1, 1);
  wide.insert(wide.begin() + axis, 1);
  row[0] = size;
  Tensor place = toTensor(reshape(node, node.operand(0), wide));
  Tensor numbers = toTensor(HostTensor::fromIntegers(indices.element, row, llvm::to_vector(llvm::seq<int64_t>(0, size))));
  std::vector<double> both = values->numbers();
  return setBroadcast(node, {place, numbers}, values->element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value equal = arith::CmpIOp::create(b, l, arith::CmpIPredicate::eq, wrap(b, l, indices.element, e[0], size), e[1]);
    return arith::SelectOp::create(b, l, equal, scalarConstant(b, l, values->element, both[1]), scalarConstant(b, l, values->element, both[0]));
  });
}
