//===- Reduction.cpp - ONNX's reductions ------------------------------------===//
//
// A mean over height and width is the composite avg_pool; other reductions are one generic, and what is done with its result.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Operators.h"
#include "Reduction.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <limits>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// The sorted axes of the node; all if it names none.
static FailureOr<SmallVector<int64_t>> readReducedAxes(Node &node, int64_t rank) {
  bool emptyIsNone = node.getInt("noop_with_empty_axes", 0);
  FailureOr<SmallVector<int64_t>> axes = readAxes(node, 1, rank);
  if (succeeded(axes) && axes->empty() && !emptyIsNone)
    *axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (succeeded(axes))
    llvm::sort(*axes);
  return axes;
}

/// The mean over (height, width) of N x C x H x W or N x H x W x C, dimensions of size 1 kept.
static Value buildSpatialMean(Node &node, const Tensor &x, bool channelsLast) {
  AvgPool pool;
  ArrayRef<int64_t> spatial = ArrayRef<int64_t>(x.shape).slice(channelsLast ? 1 : 2, 2);
  pool.kernel.assign(spatial.begin(), spatial.end());
  pool.channelsLast = channelsLast;
  return buildAvgPool(node.builder, node.loc, node.operand(0), pool);
}

namespace {
/// One row for each operator: where it starts, how it takes in an element, and what is done at the end.
struct Reduction {
  StringLiteral type;
  float start;
  Value (*combine)(OpBuilder &b, Location l, Value x, Value accumulator);
  Value (*finish)(OpBuilder &b, Location l, Value result, double count) = nullptr;
};
} // namespace

template <typename Op>
static Value combine(OpBuilder &b, Location l, Value x, Value accumulator) {
  return Op::create(b, l, accumulator, x);
}

static Value addAbsolute(OpBuilder &b, Location l, Value x, Value accumulator) {
  return arith::AddFOp::create(b, l, accumulator, math::AbsFOp::create(b, l, x));
}

static Value addSquare(OpBuilder &b, Location l, Value x, Value accumulator) {
  return arith::AddFOp::create(b, l, accumulator, arith::MulFOp::create(b, l, x, x));
}

template <typename Op>
static Value apply(OpBuilder &b, Location l, Value result, double) {
  return Op::create(b, l, result);
}

static Value divide(OpBuilder &b, Location l, Value result, double count) {
  return arith::DivFOp::create(b, l, result, scalarConstant(b, l, result.getType(), count));
}

static constexpr float kInfinity = std::numeric_limits<float>::infinity();

static constexpr Reduction kReductions[] = {
    {"ReduceL1", 0, addAbsolute},
    {"ReduceL2", 0, addSquare, apply<math::SqrtOp>},
    {"ReduceLogSum", 0, combine<arith::AddFOp>, apply<math::LogOp>},
    {"ReduceMax", -kInfinity, combine<arith::MaximumFOp>},
    {"ReduceMean", 0, combine<arith::AddFOp>, divide},
    {"ReduceMin", kInfinity, combine<arith::MinimumFOp>},
    {"ReduceProd", 1, combine<arith::MulFOp>},
    {"ReduceSum", 0, combine<arith::AddFOp>},
    {"ReduceSumSquare", 0, addSquare},
};

/// The same for integers; the unsigned ones are bytes and bits.
struct IntegerReduction {
  StringLiteral type;
  int64_t (*start)(unsigned bits, bool isUnsigned);
  Value (*ofSigned)(OpBuilder &b, Location l, Value x, Value accumulator);
  Value (*ofUnsigned)(OpBuilder &b, Location l, Value x, Value accumulator);
};

static int64_t leastOf(unsigned bits, bool isUnsigned) { return isUnsigned ? 0 : llvm::minIntN(bits); }
static int64_t greatestOf(unsigned bits, bool isUnsigned) { return isUnsigned ? -1 : llvm::maxIntN(bits); }
static int64_t zeroOf(unsigned, bool) { return 0; }
static int64_t oneOf(unsigned, bool) { return 1; }

static constexpr IntegerReduction kIntegerReductions[] = {
    {"ReduceMax", leastOf, combine<arith::MaxSIOp>, combine<arith::MaxUIOp>},
    {"ReduceMin", greatestOf, combine<arith::MinSIOp>, combine<arith::MinUIOp>},
    {"ReduceProd", oneOf, combine<arith::MulIOp>, nullptr},
    {"ReduceSum", zeroOf, combine<arith::AddIOp>, nullptr},
};

static ArrayRef<int64_t> shapeOf(Value x) { return cast<RankedTensorType>(x.getType()).getShape(); }

AffineMap importer::dropAxes(Builder &builder, int64_t rank, ArrayRef<int64_t> axes) {
  AffineMap map = builder.getMultiDimIdentityMap(rank);
  for (int64_t axis : llvm::reverse(axes))
    map = map.dropResult(axis);
  return map;
}

AffineMap importer::readLines(Builder &builder, int64_t rank, int64_t axis) {
  SmallVector<AffineExpr> read;
  for (int64_t d = 0; d < rank; ++d)
    read.push_back(builder.getAffineDimExpr(d == axis ? rank : d));
  return AffineMap::get(rank + 1, 0, read, builder.getContext());
}

/// One generic over `x` and what it has come to so far, `start` first.
static Value reduceAxes(Node &node, Value x, ArrayRef<int64_t> axes, Value start,
                        function_ref<Value(OpBuilder &, Location, Value, Value)> combine) {
  OpBuilder &b = node.builder;
  SmallVector<int64_t> shape(shapeOf(x));
  const int64_t rank = shape.size();
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  for (int64_t axis : llvm::reverse(axes)) {
    iterators[axis] = utils::IteratorType::reduction;
    shape.erase(shape.begin() + axis);
  }
  Value init = makeFilled(node, shape, x, start);
  SmallVector<AffineMap> maps = {b.getMultiDimIdentityMap(rank), dropAxes(b, rank, axes)};
  auto build = [&](OpBuilder &n, Location l, ValueRange e) { linalg::YieldOp::create(n, l, combine(n, l, e[0], e[1])); };
  return linalg::GenericOp::create(b, node.loc, init.getType(), x, init, maps, iterators, build).getResult(0);
}

Value importer::buildReduction(Node &node, StringRef type, Value x, ArrayRef<int64_t> axes) {
  const Reduction *row = llvm::find_if(kReductions, [&](const Reduction &r) { return r.type == type; });
  OpBuilder &b = node.builder;
  double count = 1;
  for (int64_t axis : axes)
    count *= shapeOf(x)[axis];
  Value result = reduceAxes(node, x, axes, scalarConstant(b, node.loc, b.getF32Type(), row->start), row->combine);
  if (!row->finish)
    return result;
  return buildElementwise(b, node.loc, result, {}, node.mixedSizes(shapeOf(result), x), b.getF32Type(),
                          [&](OpBuilder &n, Location l, ValueRange e) { return row->finish(n, l, e[0], count); });
}

/// The same for integers; null after `node.unsupported`.
static Value buildIntegerReduction(Node &node, const Tensor &x, ArrayRef<int64_t> axes) {
  const IntegerReduction *row = llvm::find_if(kIntegerReductions, [&](const IntegerReduction &r) { return r.type == node.type(); });
  const bool isUnsigned = x.element.isUnsignedInteger() || x.element.isInteger(1);
  if (row == std::end(kIntegerReductions) || !isa<IntegerType>(x.element) || (isUnsigned && !row->ofUnsigned)) {
    (void)node.unsupported("element type " + llvm::formatv("{0}", x.element));
    return {};
  }
  const unsigned bits = x.element.getIntOrFloatBitWidth();
  const APInt first(bits, static_cast<uint64_t>(row->start(bits, isUnsigned)), /*isSigned=*/false, /*implicitTrunc=*/true);
  Value start = arith::ConstantOp::create(node.builder, node.loc, node.builder.getIntegerAttr(storageType(x.element), first));
  return reduceAxes(node, node.operand(0), axes, start, isUnsigned ? row->ofUnsigned : row->ofSigned);
}

Value importer::buildAlong(Node &node, Value x, ValueRange reduced, ArrayRef<int64_t> axes,
                           function_ref<Value(OpBuilder &, Location, ValueRange)> build) {
  ArrayRef<int64_t> shape = shapeOf(x);
  SmallVector<Value> values = {x};
  values.append(reduced.begin(), reduced.end());
  SmallVector<AffineMap> maps(values.size(), dropAxes(node.builder, shape.size(), axes));
  maps[0] = node.builder.getMultiDimIdentityMap(shape.size());
  return buildElementwise(node.builder, node.loc, values, maps, node.mixedSizes(shape, x), node.builder.getF32Type(), build);
}

LogSumExp importer::buildLogSumExp(Node &node, Value x, ArrayRef<int64_t> axes) {
  Value greatest = buildReduction(node, "ReduceMax", x, axes);
  Value powers = buildAlong(node, x, greatest, axes, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return math::ExpOp::create(b, l, arith::SubFOp::create(b, l, e[0], e[1]));
  });
  return {greatest, buildReduction(node, "ReduceLogSum", powers, axes)};
}

Value importer::keepAxes(Node &node, Value x, ArrayRef<int64_t> full, ArrayRef<int64_t> axes) {
  SmallVector<int64_t> shape(full);
  for (int64_t axis : axes)
    shape[axis] = 1;
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices group;
  for (int64_t d = 0; d < static_cast<int64_t>(shape.size()); ++d) {
    group.push_back(d);
    if (llvm::is_contained(axes, d))
      continue;
    groups.push_back(group);
    group.clear();
  }
  if (!groups.empty())
    groups.back().append(group);
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(x.getType()).getElementType());
  return tensor::ExpandShapeOp::create(node.builder, node.loc, type, x, groups, node.mixedSizes(shape, x));
}

/// Over no axis: what is done with each element alone (of ReduceSumSquare its square), nothing for sums, means, extrema and products.
static void setReducedOverNone(Node &node, const Tensor &x) {
  static constexpr StringLiteral kComposed[] = {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceSumSquare"};
  if (!llvm::is_contained(kComposed, node.type())) {
    node.setResult(x);
    return;
  }
  const Reduction *row = llvm::find_if(kReductions, [&](const Reduction &r) { return r.type == node.type(); });
  Value operand = node.operand(0);
  auto build = [&](OpBuilder &b, Location l, ValueRange e) {
    Value result = row->combine(b, l, e[0], scalarConstant(b, l, b.getF32Type(), row->start));
    return row->finish ? row->finish(b, l, result, 1) : result;
  };
  node.setResult(buildElementwise(node.builder, node.loc, operand, {}, node.mixedSizes(x.shape, operand), node.builder.getF32Type(), build));
}

LogicalResult onnx_operators::buildReduce(Node &node) {
  Tensor x = node.input(0);
  bool keep = node.getInt("keepdims", 1);
  FailureOr<SmallVector<int64_t>> axes = readReducedAxes(node, x.rank());
  if (failed(axes))
    return failure();
  if (axes->empty()) {
    setReducedOverNone(node, x);
    return success();
  }
  for (int64_t axis : *axes)
    if (ShapedType::isDynamic(x.shape[axis]))
      return node.unsupported("a reduction of the dynamic dimension");
  if (!x.element.isF32()) {
    Value result = buildIntegerReduction(node, x, *axes);
    if (!result)
      return failure();
    node.setResult(keep ? keepAxes(node, result, x.shape, *axes) : result, x.element);
    return success();
  }
  bool last = *axes == ArrayRef<int64_t>{1, 2};
  if (node.type() == "ReduceMean" && x.rank() == 4 && (last || *axes == ArrayRef<int64_t>{2, 3})) {
    Value mean = buildSpatialMean(node, x, last);
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2, 3}};
    node.setResult(keep ? mean : tensor::CollapseShapeOp::create(node.builder, node.loc, mean, groups).getResult());
    return success();
  }
  Value operand = node.operand(0);
  Value result;
  if (node.type() == "ReduceLogSumExp") {
    auto [greatest, rest] = buildLogSumExp(node, operand, *axes);
    result = buildAlong(node, greatest, rest, {}, [](OpBuilder &b, Location l, ValueRange e) -> Value {
      return arith::AddFOp::create(b, l, e[0], e[1]);
    });
  } else {
    result = buildReduction(node, node.type(), operand, *axes);
  }
  node.setResult(keep ? keepAxes(node, result, x.shape, *axes) : result);
  return success();
}

LogicalResult onnx_operators::buildArgument(Node &node) {
  const Tensor x = node.input(0);
  const int64_t axis = fromStart(node.getInt("axis", 0), x.rank());
  if (!(x.element.isF32() || isa<IntegerType>(x.element)) || axis < 0 || axis >= x.rank() || ShapedType::isDynamic(x.shape[axis]))
    return node.unsupported("an element type that is not f32 or an integer, or an axis outside its static dimensions");
  ArgumentRule rule = {node.type() == "ArgMax", node.getInt("select_last_index", 0) != 0};
  Value operand = node.operand(0);
  if (x.element.isUnsignedInteger())
    operand = buildBroadcast(node, x, node.builder.getI32Type(), [](OpBuilder &b, Location l, ValueRange e) -> Value {
      return arith::ExtUIOp::create(b, l, b.getI32Type(), e[0]);
    });
  Value result = halftone::buildArgument(node.builder, node.loc, operand, axis, rule);
  node.setResult(node.getInt("keepdims", 1) ? keepAxes(node, result, x.shape, axis) : result);
  return success();
}

/// 1 at the first of the greatest elements along the axis, 0 elsewhere. Before opset 13 the dimensions from the axis on are one row.
LogicalResult onnx_operators::buildHardmax(Node &node) {
  const Tensor x = node.input(0);
  const int64_t axis = fromStart(node.getInt("axis", node.opset < 13 ? 1 : -1), x.rank());
  if (!x.element.isF32() || axis < 0 || axis >= x.rank() || ShapedType::isDynamicShape(ArrayRef(x.shape).drop_front(axis)))
    return node.unsupported("an input that is not f32, or an axis outside its static dimensions");
  OpBuilder &b = node.builder;
  SmallVector<int64_t> shape(x.shape);
  if (node.opset < 13) {
    shape.resize(axis);
    shape.push_back(ShapedType::getNumElements(ArrayRef(x.shape).drop_front(axis)));
  }
  Value rows = reshape(node, node.operand(0), shape);
  Value place = keepAxes(node, halftone::buildArgument(b, node.loc, rows, axis, {/*greatest=*/true, /*last=*/false}), shape, axis);
  SmallVector<int64_t> along(shape.size(), 1);
  along[axis] = shape[axis];
  Tensor positions = toTensor(HostTensor::fromIntegers(b.getI64Type(), along, llvm::to_vector(llvm::seq<int64_t>(0, shape[axis]))));
  Value result = buildBroadcast(node, {toTensor(place), positions}, x.element, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    Value equal = arith::CmpIOp::create(n, l, arith::CmpIPredicate::eq, e[0], e[1]);
    return arith::SelectOp::create(n, l, equal, scalarConstant(n, l, x.element, 1), scalarConstant(n, l, x.element, 0));
  });
  node.setResult(reshape(node, result, x.shape));
  return success();
}

/// Each position's sum, or product, of those before it (reverse: behind it), itself included unless exclusive: one reduction over pairs of positions.
LogicalResult onnx_operators::buildCumulative(Node &node) {
  const Tensor x = node.input(0);
  HostTensorRef constant = node.constant(1);
  const bool exclusive = node.getInt("exclusive", 0), reverse = node.getInt("reverse", 0);
  const int64_t axis = fromStart(constant && constant->count() == 1 ? static_cast<int64_t>(constant->scalar()) : x.rank(), x.rank());
  if (axis < 0 || axis >= x.rank() || ShapedType::isDynamic(x.shape[axis]) || !(x.element.isF32() || isa<IntegerType>(x.element)))
    return node.unsupported("an axis that is not constant or outside the static dimensions");
  OpBuilder &b = node.builder;
  const int64_t rank = x.rank();
  const bool isProduct = node.type() == "CumProd";
  Value init = makeFilled(node, x.shape, node.operand(0), scalarConstant(b, node.loc, x.element, isProduct ? 1 : 0));
  SmallVector<AffineMap> maps = {readLines(b, rank, axis), b.getMultiDimIdentityMap(rank + 1).dropResult(rank)};
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  using arith::CmpIPredicate;
  CmpIPredicate counts = reverse ? (exclusive ? CmpIPredicate::sgt : CmpIPredicate::sge) : exclusive ? CmpIPredicate::slt : CmpIPredicate::sle;
  auto build = [&](OpBuilder &n, Location l, ValueRange e) {
    Value from = linalg::IndexOp::create(n, l, rank), to = linalg::IndexOp::create(n, l, axis);
    Value next;
    if (isProduct)
      next = x.isFloat() ? arith::MulFOp::create(n, l, e[1], e[0]).getResult() : arith::MulIOp::create(n, l, e[1], e[0]).getResult();
    else
      next = x.isFloat() ? arith::AddFOp::create(n, l, e[1], e[0]).getResult() : arith::AddIOp::create(n, l, e[1], e[0]).getResult();
    linalg::YieldOp::create(n, l, arith::SelectOp::create(n, l, arith::CmpIOp::create(n, l, counts, from, to), next, e[1]).getResult());
  };
  node.setResult(linalg::GenericOp::create(b, node.loc, init.getType(), node.operand(0), init, maps, iterators, build).getResult(0), x.element);
  return success();
}
