//===- Evaluation.cpp - operators on constants ------------------------------===//
//
// What exporters compute from shapes and initializers, evaluated on the host. An evaluator that declines leaves the node
// to its handler. The size of a dynamic dimension is ShapedType::kDynamic in a symbolic tensor: it may be moved, added
// to 0 and multiplied by 1, nothing else.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Movement.h"
#include "Operators.h"
#include "Quantization.h"
#include "Reader.h"
#include "Shape.h"
#include "SmallFloats.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

using Evaluated = std::optional<HostTensor>;

/// No constant that is computed may be larger than this.
static constexpr int64_t kMaxElements = int64_t(1) << 28;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Whether the operator gives truth values.
static bool isComparison(StringRef type) {
  return type == "Equal" || type == "Less" || type == "LessOrEqual" || type == "Greater" || type == "GreaterOrEqual";
}

template <typename T>
static bool compare(StringRef type, T x, T y) {
  if (type == "Equal")
    return x == y;
  if (type == "Less")
    return x < y;
  if (type == "LessOrEqual")
    return x <= y;
  return type == "Greater" ? x > y : x >= y;
}

static std::optional<double> computeFloat(StringRef type, double x, double y) {
  if (type == "Add" || type == "Sum")
    return x + y;
  if (type == "Sub")
    return x - y;
  if (type == "Mul")
    return x * y;
  if (type == "Div")
    return x / y;
  if (type == "Min")
    return std::min(x, y);
  if (type == "Max")
    return std::max(x, y);
  if (type == "Remainder")
    return std::fmod(x, y);
  if (isComparison(type))
    return compare(type, x, y);
  return std::nullopt;
}

static std::optional<int64_t> computeSymbolic(StringRef type, int64_t x, int64_t y) {
  bool first = ShapedType::isDynamic(x), second = ShapedType::isDynamic(y);
  if ((type == "Add" && ((first && y == 0) || (second && x == 0))) ||
      (type == "Mul" && ((first && y == 1) || (second && x == 1))) ||
      (first && ((type == "Sub" && y == 0) || (type == "Div" && y == 1))))
    return ShapedType::kDynamic;
  // A size is never one of the negative marks of exporters, and otherwise unknown.
  if (type == "Equal" && ((first && y < 0 && !second) || (second && x < 0 && !first)))
    return 0;
  return std::nullopt;
}

static std::optional<int64_t> computeInteger(StringRef type, int64_t x, int64_t y) {
  if (ShapedType::isDynamic(x) || ShapedType::isDynamic(y))
    return computeSymbolic(type, x, y);
  uint64_t a = x, b = y; // wraps around as ONNX's integers do
  if (type == "Add" || type == "Sum")
    return a + b;
  if (type == "Sub")
    return a - b;
  if (type == "Mul")
    return a * b;
  if (type == "Div" && y != 0 && y != -1)
    return x / y;
  if (type == "Remainder" && y != 0 && y != -1)
    return x % y;
  if (type == "Mod" && y != 0 && y != -1)
    return x % y + (x % y && (x % y < 0) != (y < 0) ? y : 0);
  if (type == "Min")
    return std::min(x, y);
  if (type == "Max")
    return std::max(x, y);
  if (isComparison(type))
    return compare(type, x, y);
  if (type == "And")
    return x && y;
  if (type == "Or")
    return x || y;
  if (type == "Xor")
    return !x != !y;
  return std::nullopt;
}

/// The positions in a tensor of `shape` that are read for each position of `result`.
static std::vector<int64_t> broadcastPositions(ArrayRef<int64_t> shape, ArrayRef<int64_t> result) {
  SmallVector<int64_t> own = rowMajorStrides(shape), strides(result.size() - shape.size(), 0);
  for (auto [size, stride] : llvm::zip(shape, own))
    strides.push_back(size == 1 ? 0 : stride);
  return stridedIndices<int64_t>(result, strides);
}

template <typename T, typename Compute>
static std::optional<std::vector<T>> zipWith(ArrayRef<T> x, ArrayRef<int64_t> xPositions, ArrayRef<T> y,
                                             ArrayRef<int64_t> yPositions, Compute compute) {
  std::vector<T> results;
  results.reserve(xPositions.size());
  for (auto [i, j] : llvm::zip(xPositions, yPositions)) {
    std::optional<T> result = compute(x[i], y[j]);
    if (!result)
      return std::nullopt;
    results.push_back(*result);
  }
  return results;
}

/// The scales that codes, times or without what broadcasts to them, have.
static std::shared_ptr<const HostScales> scalesOfPair(StringRef type, const HostTensor &x, const HostTensor &y, ArrayRef<int64_t> shape) {
  const bool isProduct = type == "Mul";
  if ((isProduct || type == "Div" || type == "Sub" || type == "Add") && x.scales && ArrayRef<int64_t>(x.shape) == shape)
    return moveWrittenScales(type, x, y);
  return isProduct && y.scales && ArrayRef<int64_t>(y.shape) == shape ? moveWrittenScales(type, y, x) : nullptr;
}

static Evaluated evaluatePair(StringRef type, const HostTensor &x, const HostTensor &y) {
  auto shape = broadcastShapes(x.shape, y.shape);
  if (!shape || x.element != y.element || ShapedType::getNumElements(*shape) > kMaxElements)
    return std::nullopt;
  std::vector<int64_t> xAt = broadcastPositions(x.shape, *shape), yAt = broadcastPositions(y.shape, *shape);
  Type element = isComparison(type) ? IntegerType::get(x.element.getContext(), 1) : x.element;
  if (x.isFloat()) {
    auto results = zipWith<double>(x.numbers(), xAt, y.numbers(), yAt,
                                   [&](double a, double b) { return computeFloat(type, a, b); });
    if (!results)
      return std::nullopt;
    if (!isComparison(type)) {
      HostTensor result = HostTensor::fromNumbers(element, *shape, *results);
      result.scales = scalesOfPair(type, x, y, *shape);
      return result;
    }
    return HostTensor::fromIntegers(element, *shape, std::vector<int64_t>(results->begin(), results->end()));
  }
  auto results = zipWith<int64_t>(x.integers(), xAt, y.integers(), yAt,
                                  [&](int64_t a, int64_t b) { return computeInteger(type, a, b); });
  if (!results)
    return std::nullopt;
  return HostTensor::fromIntegers(element, *shape, *results);
}

Evaluated onnx_operators::evaluateBinary(Node &node) {
  Evaluated result = *node.constant(0);
  StringRef type = node.type() == "Mod" && node.getInt("fmod", 0) ? "Remainder" : node.type();
  for (unsigned i = 1; i < node.numInputs() && result; ++i)
    result = evaluatePair(type, *result, *node.constant(i));
  return result;
}

/// The powers that need no power function, as the operator computes them: those of integers, and 1/2, 1, 2 and 3 of f32.
Evaluated onnx_operators::evaluatePow(Node &node) {
  const HostTensor &x = *node.constant(0), &exponent = *node.constant(1);
  if (x.symbolic || exponent.symbolic || exponent.count() != 1 || exponent.shape.size() > x.shape.size())
    return std::nullopt;
  const double power = exponent.scalar();
  if (!x.isFloat()) {
    if (exponent.isFloat() || power < 0)
      return std::nullopt;
    std::vector<int64_t> values = x.integers();
    for (int64_t &value : values) {
      uint64_t square = value, product = 1; // wraps around as ONNX's integers do
      for (uint64_t rest = exponent.integers().front(); rest; rest >>= 1, square *= square)
        product *= rest & 1 ? square : 1;
      value = product;
    }
    return HostTensor::fromIntegers(x.element, x.shape, values);
  }
  if (!x.element.isF32() || (power != 0.5 && power != 1 && power != 2 && power != 3))
    return std::nullopt;
  std::vector<double> values = x.numbers();
  for (double &value : values) {
    const float base = value;
    value = power == 0.5 ? std::sqrt(value) : power == 1 ? base : power == 2 ? base * base : base * base * base;
  }
  return HostTensor::fromNumbers(x.element, x.shape, values);
}

Evaluated onnx_operators::evaluateUnary(Node &node) {
  const HostTensor &x = *node.constant(0);
  if (x.symbolic)
    return std::nullopt;
  StringRef type = node.type();
  if (!x.isFloat()) {
    std::vector<int64_t> values = x.integers();
    for (int64_t &value : values)
      value = type == "Neg" ? -value : type == "Abs" ? std::abs(value) : type == "Not" ? !value : value;
    if (type != "Neg" && type != "Abs" && type != "Not")
      return std::nullopt;
    return HostTensor::fromIntegers(x.element, x.shape, values);
  }
  std::vector<double> values = x.numbers();
  for (double &value : values)
    value = type == "Neg"     ? -value
            : type == "Abs"   ? std::abs(value)
            : type == "Floor" ? std::floor(value)
            : type == "Ceil"  ? std::ceil(value)
            : type == "Sqrt"  ? std::sqrt(value)
                              : std::max(value, 0.0); // Relu
  return HostTensor::fromNumbers(x.element, x.shape, values);
}

Evaluated onnx_operators::evaluateCast(Node &node) {
  const HostTensor &x = *node.constant(0);
  const bool saturates = node.getInt("saturate", 1);
  Type to = node.type() == "CastLike" ? node.constant(1)->element : storedType(node.builder.getContext(), node.getInt("to", 0));
  if (!to || to.isInteger(4) || to.isInteger(16))
    return std::nullopt;
  if (x.symbolic)
    return to == x.element ? Evaluated(x) : std::nullopt;
  if (isSmallFloat(to)) {
    if (to.getIntOrFloatBitWidth() < 8)
      return std::nullopt;
    return HostTensor{to, x.shape, encodeSmallFloats(to, x.numbers(), saturates), {}, false};
  }
  if (isa<FloatType>(to)) {
    HostTensor result = HostTensor::fromNumbers(to, x.shape, x.numbers());
    if (!x.isFloat())
      result.scales = scalesOfIntegers();
    else if (x.scales && x.scales->written)
      result.scales = x.scales;
    return result;
  }
  std::vector<int64_t> integers = x.integers();
  if (to.isInteger(1))
    for (auto [integer, number] : llvm::zip(integers, x.numbers()))
      integer = number != 0;
  return HostTensor::fromIntegers(to, x.shape, integers);
}

Evaluated onnx_operators::evaluateWhere(Node &node) {
  const HostTensor &condition = *node.constant(0), &x = *node.constant(1), &y = *node.constant(2);
  auto shape = broadcastShapes(x.shape, y.shape);
  shape = shape ? broadcastShapes(*shape, condition.shape) : shape;
  if (!shape || x.isFloat() || x.element != y.element || ShapedType::getNumElements(*shape) > kMaxElements)
    return std::nullopt;
  std::vector<int64_t> conditions = condition.integers(), xs = x.integers(), ys = y.integers(), results;
  std::vector<int64_t> at = broadcastPositions(condition.shape, *shape), xAt = broadcastPositions(x.shape, *shape),
                       yAt = broadcastPositions(y.shape, *shape);
  for (size_t i = 0; i < at.size(); ++i)
    results.push_back(conditions[at[i]] ? xs[xAt[i]] : ys[yAt[i]]);
  return HostTensor::fromIntegers(x.element, *shape, results);
}

/// Sum, product, least or greatest of a vector of integers.
Evaluated onnx_operators::evaluateReduce(Node &node) {
  const HostTensor &x = *node.constant(0);
  if (x.isFloat() || x.symbolic || x.shape.size() != 1 || x.count() == 0 || node.getInt("noop_with_empty_axes", 0))
    return std::nullopt;
  (void)node.getInts("axes");
  StringRef type = node.type(), pair = type == "ReduceSum"    ? "Add"
                                       : type == "ReduceProd" ? "Mul"
                                       : type == "ReduceMax"  ? "Max"
                                       : type == "ReduceMin"  ? "Min"
                                                              : "";
  std::vector<int64_t> values = x.integers();
  std::optional<int64_t> result = values.front();
  for (int64_t value : ArrayRef<int64_t>(values).drop_front())
    result = result ? computeInteger(pair, *result, value) : result;
  if (!result)
    return std::nullopt;
  SmallVector<int64_t> shape(node.getInt("keepdims", 1) ? 1 : 0, 1);
  return HostTensor::fromIntegers(x.element, shape, *result);
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Evaluated onnx_operators::evaluateReshape(Node &node) {
  FailureOr<SmallVector<int64_t>> shape = readTargetShape(node);
  if (failed(shape) || ShapedType::isDynamicShape(*shape))
    return std::nullopt;
  return node.constant(0)->reshaped(*shape);
}

Evaluated onnx_operators::evaluateTranspose(Node &node) {
  FailureOr<SmallVector<int64_t>> permutation = readPermutation(node);
  if (failed(permutation))
    return std::nullopt;
  return node.constant(0)->transposed(*permutation);
}

Evaluated onnx_operators::evaluateConcat(Node &node) {
  HostTensor result = *node.constant(0);
  const int64_t rank = result.shape.size(), axis = fromStart(node.getInt("axis", 0), rank);
  if (axis < 0 || axis >= rank)
    return std::nullopt;
  // Rows: what is contiguous in each input, from the axis on.
  int64_t rows = ShapedType::getNumElements(ArrayRef<int64_t>(result.shape).take_front(axis));
  result.bytes.clear();
  result.shape[axis] = 0;
  for (unsigned i = 0; i < node.numInputs(); ++i) {
    const HostTensor &next = *node.constant(i);
    SmallVector<int64_t> expected(result.shape);
    if (static_cast<int64_t>(next.shape.size()) != rank || next.element != result.element)
      return std::nullopt;
    expected[axis] = next.shape[axis];
    if (expected != next.shape)
      return std::nullopt;
    result.shape[axis] += next.shape[axis];
    result.symbolic |= next.symbolic;
  }
  for (int64_t row = 0; row < rows; ++row)
    for (unsigned i = 0; i < node.numInputs(); ++i) {
      const std::string &bytes = node.constant(i)->bytes;
      result.bytes.append(bytes, row * (bytes.size() / rows), bytes.size() / rows);
    }
  return result;
}

HostTensor importer::sliceConstant(const HostTensor &x, const SliceRange &range) {
  SmallVector<int64_t> strides = rowMajorStrides(x.shape);
  int64_t start = 0;
  for (auto [stride, from, step] : llvm::zip(strides, range.starts, range.steps)) {
    start += from * stride;
    stride *= step;
  }
  return x.gathered(range.sizes, stridedIndices<int64_t>(range.sizes, strides, start));
}

Evaluated onnx_operators::evaluateSlice(Node &node) {
  FailureOr<SliceRange> range = readSlice(node);
  return succeeded(range) ? Evaluated(sliceConstant(*node.constant(0), *range)) : std::nullopt;
}

Evaluated onnx_operators::evaluateGather(Node &node) {
  const HostTensor &x = *node.constant(0), &indices = *node.constant(1);
  const int64_t rank = x.shape.size(), axis = fromStart(node.getInt("axis", 0), rank);
  if (axis < 0 || axis >= rank || indices.isFloat() || indices.symbolic)
    return std::nullopt;
  ArrayRef<int64_t> before = ArrayRef<int64_t>(x.shape).take_front(axis), after = ArrayRef<int64_t>(x.shape).drop_front(axis + 1);
  SmallVector<int64_t> shape(before);
  shape.append(indices.shape);
  shape.append(after.begin(), after.end());
  int64_t outer = ShapedType::getNumElements(before), inner = ShapedType::getNumElements(after), size = x.shape[axis];
  std::vector<int64_t> list = indices.integers(), positions;
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t index : list) {
      index = fromStart(index, size);
      if (index < 0 || index >= size)
        return std::nullopt;
      for (int64_t i = 0; i < inner; ++i)
        positions.push_back((o * size + index) * inner + i);
    }
  return x.gathered(shape, positions);
}

Evaluated onnx_operators::evaluateGatherElements(Node &node) {
  const HostTensor &x = *node.constant(0), &indices = *node.constant(1);
  const int64_t rank = x.shape.size(), axis = fromStart(node.getInt("axis", 0), rank);
  if (axis < 0 || axis >= rank || indices.isFloat() || indices.symbolic || static_cast<int64_t>(indices.shape.size()) != rank)
    return std::nullopt;
  SmallVector<int64_t> strides = rowMajorStrides(x.shape);
  const int64_t stride = strides[axis], size = x.shape[axis];
  strides[axis] = 0;
  std::vector<int64_t> positions = stridedIndices<int64_t>(indices.shape, strides);
  for (auto [position, index] : llvm::zip_equal(positions, indices.integers())) {
    int64_t place = index + (index < 0 ? size : 0);
    if (place < 0 || place >= size)
      return std::nullopt;
    position += place * stride;
  }
  return x.gathered(indices.shape, positions);
}

Evaluated onnx_operators::evaluateExpand(Node &node) {
  const HostTensor &x = *node.constant(0);
  auto shape = broadcastShapes(x.shape, node.constant(1)->integers());
  if (node.constant(1)->symbolic || !shape || ShapedType::getNumElements(*shape) > kMaxElements)
    return std::nullopt;
  return x.gathered(*shape, broadcastPositions(x.shape, *shape));
}

//===----------------------------------------------------------------------===//
// Sources
//===----------------------------------------------------------------------===//

Evaluated onnx_operators::readFilling(Node &node) {
  const onnx::AttributeProto *attribute = node.getAttribute("value");
  if (!attribute)
    return HostTensor::fromNumbers(node.builder.getF32Type(), {1}, {0.0});
  std::string error;
  Evaluated given = readTensor(node.builder.getContext(), attribute->t(), error);
  return given && given->count() == 1 ? given : std::nullopt;
}

Evaluated onnx_operators::evaluateConstantOfShape(Node &node) {
  const HostTensor &input = *node.constant(0);
  std::vector<int64_t> shape = input.integers();
  Evaluated value = readFilling(node);
  if (!value || input.symbolic || llvm::any_of(shape, [](int64_t size) { return size < 0; }) ||
      ShapedType::getNumElements(shape) > kMaxElements)
    return std::nullopt;
  return value->gathered(shape, std::vector<int64_t>(ShapedType::getNumElements(shape), 0));
}

/// The places of what is not 0, a column for each.
Evaluated onnx_operators::evaluateNonZero(Node &node) {
  const HostTensor &x = *node.constant(0);
  if (x.symbolic || x.shape.empty())
    return std::nullopt;
  SmallVector<int64_t> strides = rowMajorStrides(x.shape), places;
  for (auto [i, number] : llvm::enumerate(x.numbers()))
    if (number != 0)
      places.push_back(i);
  if (places.empty())
    return std::nullopt;
  std::vector<int64_t> indices;
  for (auto [size, stride] : llvm::zip(x.shape, strides))
    for (int64_t place : places)
      indices.push_back(place / stride % size);
  return HostTensor::fromIntegers(node.builder.getI64Type(), {static_cast<int64_t>(x.shape.size()), static_cast<int64_t>(places.size())}, indices);
}

Evaluated onnx_operators::evaluateRange(Node &node) {
  const HostTensor &start = *node.constant(0), &limit = *node.constant(1), &delta = *node.constant(2);
  auto scalars = {&start, &limit, &delta};
  if (llvm::any_of(scalars, [&](const HostTensor *t) { return t->element != start.element || t->symbolic || t->count() != 1; }))
    return std::nullopt;
  if (start.isFloat()) {
    const double steps = std::ceil((limit.scalar() - start.scalar()) / delta.scalar());
    if (!(steps <= kMaxElements)) // NaN for a delta of 0
      return std::nullopt;
    SmallVector<double> numbers;
    for (int64_t i = 0; i < steps; ++i)
      numbers.push_back(start.scalar() + i * delta.scalar());
    return HostTensor::fromNumbers(start.element, static_cast<int64_t>(numbers.size()), numbers);
  }
  int64_t value = start.integers()[0], end = limit.integers()[0], step = delta.integers()[0];
  std::vector<int64_t> values;
  if (step == 0 || (end - value) / step > kMaxElements)
    return std::nullopt;
  for (; step > 0 ? value < end : value > end; value += step)
    values.push_back(value);
  return HostTensor::fromIntegers(start.element, static_cast<int64_t>(values.size()), values);
}

/// The tensor in one of Constant's attributes.
static Evaluated readConstant(Node &node, std::string &error) {
  Builder &b = node.builder;
  if (const onnx::AttributeProto *value = node.getAttribute("value"))
    return readTensor(b.getContext(), value->t(), error);
  if (const onnx::AttributeProto *value = node.getAttribute("value_float"))
    return HostTensor::fromNumbers(b.getF32Type(), {}, {value->f()});
  if (const onnx::AttributeProto *value = node.getAttribute("value_int"))
    return HostTensor::fromIntegers(b.getI64Type(), {}, {value->i()});
  if (const onnx::AttributeProto *value = node.getAttribute("value_floats"))
    return HostTensor::fromNumbers(b.getF32Type(), value->floats_size(),
                                   std::vector<double>(value->floats().begin(), value->floats().end()));
  if (node.hasAttribute("value_ints")) {
    SmallVector<int64_t> values = node.getInts("value_ints");
    return HostTensor::fromIntegers(b.getI64Type(), static_cast<int64_t>(values.size()), values);
  }
  error = "a value that is no tensor of numbers";
  return std::nullopt;
}

LogicalResult onnx_operators::buildConstant(Node &node) {
  std::string error;
  Evaluated value = readConstant(node, error);
  if (!value)
    return node.unsupported(error);
  node.setResult(std::move(*value));
  return success();
}
