//===- Reduction.cpp - ONNX's ReduceMean, ReduceSum, ReduceMax, ReduceMin ---===//
//
// A mean over height and width is the composite avg_pool; other reductions are one generic, and for a mean a division.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Operators.h"
#include "Shape.h"
#include "Window.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
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

static Value emitReduction(StringRef type, OpBuilder &b, Location l, Value x, Value accumulator) {
  if (type == "ReduceMax")
    return arith::MaximumFOp::create(b, l, x, accumulator);
  if (type == "ReduceMin")
    return arith::MinimumFOp::create(b, l, x, accumulator);
  return arith::AddFOp::create(b, l, accumulator, x);
}

/// The reduction without its axes.
static Value buildReduction(Node &node, const Tensor &x, ArrayRef<int64_t> axes) {
  OpBuilder &b = node.builder;
  Value operand = node.operand(0);
  AffineMap identity = b.getMultiDimIdentityMap(x.rank()), map = identity;
  SmallVector<utils::IteratorType> iterators(x.rank(), utils::IteratorType::parallel);
  SmallVector<int64_t> shape(x.shape);
  double count = 1;
  for (int64_t axis : llvm::reverse(axes)) {
    count *= shape[axis];
    iterators[axis] = utils::IteratorType::reduction;
    map = map.dropResult(axis);
    shape.erase(shape.begin() + axis);
  }
  double infinity = std::numeric_limits<double>::infinity();
  double start = node.type() == "ReduceMax" ? -infinity : node.type() == "ReduceMin" ? infinity : 0;
  Value init = makeFilled(node, shape, operand, scalarConstant(b, node.loc, x.element, start));
  Value result = linalg::GenericOp::create(
                     b, node.loc, init.getType(), operand, init, ArrayRef<AffineMap>{identity, map}, iterators,
                     [&](OpBuilder &n, Location l, ValueRange e) {
                       linalg::YieldOp::create(n, l, emitReduction(node.type(), n, l, e[0], e[1]));
                     })
                     .getResult(0);
  if (node.type() != "ReduceMean")
    return result;
  return buildElementwise(b, node.loc, result, {}, node.mixedSizes(shape, operand), x.element,
                          [&](OpBuilder &n, Location l, ValueRange e) -> Value {
                            return arith::DivFOp::create(n, l, e[0], scalarConstant(n, l, x.element, count));
                          });
}

/// Puts dimensions of size 1 at `axes`.
static Value keepAxes(Node &node, Value x, ArrayRef<int64_t> full, ArrayRef<int64_t> axes) {
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

LogicalResult onnx_operators::buildReduce(Node &node) {
  Tensor x = node.input(0);
  bool keep = node.getInt("keepdims", 1);
  if (!x.element.isF32())
    return node.unsupported("element type " + llvm::formatv("{0}", x.element));
  FailureOr<SmallVector<int64_t>> axes = readReducedAxes(node, x.rank());
  if (failed(axes))
    return failure();
  if (axes->empty()) {
    node.setResult(x);
    return success();
  }
  for (int64_t axis : *axes)
    if (ShapedType::isDynamic(x.shape[axis]))
      return node.unsupported("a reduction of the dynamic dimension");
  bool last = *axes == ArrayRef<int64_t>{1, 2};
  if (node.type() == "ReduceMean" && x.rank() == 4 && (last || *axes == ArrayRef<int64_t>{2, 3})) {
    Value mean = buildSpatialMean(node, x, last);
    SmallVector<ReassociationIndices> groups = {{0}, {1, 2, 3}};
    node.setResult(keep ? mean : tensor::CollapseShapeOp::create(node.builder, node.loc, mean, groups).getResult());
    return success();
  }
  Value result = buildReduction(node, x, *axes);
  node.setResult(keep ? keepAxes(node, result, x.shape, *axes) : result);
  return success();
}
