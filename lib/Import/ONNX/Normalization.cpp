//===- Normalization.cpp - ONNX's normalizations and Softmax ----------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "Operators.h"
#include "Reduction.h"
#include "Shape.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

LogicalResult onnx_operators::buildBatchNormalization(Node &node) {
  const Tensor &x = node.input(0);
  float epsilon = node.getFloat("epsilon", 1e-5f);
  (void)node.getFloat("momentum", 0.9f); // for training only
  if (node.getInt("training_mode", 0) || node.hasResult(1) || !node.getInt("spatial", 1))
    return node.unsupported("training_mode, or statistics of each position");
  if (!x.element.isF32() || x.rank() < 2)
    return node.unsupported("an input that is not f32 with a channel dimension");
  for (unsigned i = 1; i < 5; ++i)
    if (!node.hasInput(i) || !node.input(i).element.isF32() ||
        node.input(i).shape != ArrayRef<int64_t>{x.shape[1]})
      return node.unsupported("scale, bias, mean and variance must be f32 with one entry for each channel");
  node.setResult(buildBatchNorm(node.builder, node.loc, node.operand(0), node.operand(1), node.operand(2),
                                node.operand(3), node.operand(4), epsilon, /*axis=*/1));
  return success();
}

//===----------------------------------------------------------------------===//
// Normalizations with the statistics of the input itself
//===----------------------------------------------------------------------===//

namespace {
/// `(x - mean) / sqrt(variance + epsilon)` along axes; the statistics are without the axes.
struct Normalized {
  Value value, mean, inverseDeviation;
};
} // namespace

static Normalized normalize(Node &node, Value x, ArrayRef<int64_t> axes, float epsilon) {
  Value mean = buildReduction(node, "ReduceMean", x, axes);
  Value centred = buildAlong(node, x, mean, axes, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::SubFOp::create(b, l, e[0], e[1]);
  });
  Value squares = buildAlong(node, centred, {}, {}, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::MulFOp::create(b, l, e[0], e[0]);
  });
  Value variance = buildReduction(node, "ReduceMean", squares, axes);
  Value inverse = buildAlong(node, variance, {}, {}, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value sum = arith::AddFOp::create(b, l, e[0], scalarConstant(b, l, b.getF32Type(), epsilon));
    return arith::DivFOp::create(b, l, scalarConstant(b, l, b.getF32Type(), 1), math::SqrtOp::create(b, l, sum));
  });
  Value value = buildAlong(node, centred, inverse, axes, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::MulFOp::create(b, l, e[0], e[1]);
  });
  return {value, mean, inverse};
}

/// `x scale + bias`, both broadcast to `x`; a bias that the node has not is 0. Null if they don't broadcast.
static Value scaleAndShift(Node &node, const Tensor &x, const Tensor &scale, const Tensor *bias) {
  SmallVector<Tensor> tensors = {x, scale};
  if (bias)
    tensors.push_back(*bias);
  return buildBroadcast(node, tensors, x.element, [&](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value product = arith::MulFOp::create(b, l, e[0], e[1]);
    return bias ? arith::AddFOp::create(b, l, product, e[2]).getResult() : product;
  });
}

/// Whether all inputs are f32 and all dimensions but the first are static.
static LogicalResult requireStaticFloats(Node &node, unsigned minimumRank) {
  const Tensor &x = node.input(0);
  bool isStatic = x.rank() >= minimumRank && !ShapedType::isDynamicShape(ArrayRef<int64_t>(x.shape).drop_front(x.rank() > 0));
  for (unsigned i = 0; i < node.numInputs(); ++i)
    if (node.hasInput(i) && !node.input(i).element.isF32())
      return node.unsupported("element type " + llvm::formatv("{0}", node.input(i).element));
  return isStatic ? success() : node.unsupported("an input of rank below " + Twine(minimumRank) + ", or a dynamic dimension that does not lead");
}

LogicalResult onnx_operators::buildLayerNormalization(Node &node) {
  const Tensor x = node.input(0);
  const int64_t axis = fromStart(node.getInt("axis", -1), x.rank());
  float epsilon = node.getFloat("epsilon", 1e-5f);
  if (failed(requireStaticFloats(node, 1)))
    return failure();
  if (axis < 0 || axis >= x.rank() || ShapedType::isDynamic(x.shape[axis]) || node.getInt("stash_type", 1) != 1)
    return node.unsupported("an axis outside the static dimensions, or statistics that are not f32");
  SmallVector<int64_t> axes = llvm::to_vector(llvm::seq<int64_t>(axis, x.rank()));
  Normalized normalized = normalize(node, node.operand(0), axes, epsilon);
  std::optional<Tensor> bias;
  if (node.hasInput(2))
    bias = node.input(2);
  Value result = scaleAndShift(node, toTensor(normalized.value), node.input(1), bias ? &*bias : nullptr);
  if (!result)
    return failure();
  node.setResult(result);
  for (auto [i, statistic] : {std::pair(1u, normalized.mean), std::pair(2u, normalized.inverseDeviation)})
    if (node.hasResult(i))
      node.setResult(keepAxes(node, statistic, x.shape, axes), {}, i);
  return success();
}

/// The tensor of one entry for each channel with dimensions of size 1 for all that is behind the channels.
static Tensor placeAtChannels(Node &node, unsigned i, int64_t rank) {
  Tensor tensor = node.input(i);
  SmallVector<int64_t> shape(rank - 1, 1);
  shape[0] = tensor.shape[0];
  return toTensor(reshape(node, materialize(node, tensor), shape));
}

/// InstanceNormalization (a group for each channel) and GroupNormalization.
LogicalResult onnx_operators::buildGroupNormalization(Node &node) {
  const Tensor x = node.input(0);
  float epsilon = node.getFloat("epsilon", 1e-5f);
  if (failed(requireStaticFloats(node, 3)))
    return failure();
  int64_t channels = x.shape[1], groups = node.type() == "GroupNormalization" ? node.getInt("num_groups", 0) : channels;
  bool byGroup = node.type() == "GroupNormalization" && node.opset < 21;
  if (node.getInt("stash_type", 1) != 1 || groups < 1 || channels % groups)
    return node.unsupported("num_groups that does not divide the channels, or statistics that are not f32");
  for (unsigned i : {1, 2})
    if (node.input(i).shape != ArrayRef<int64_t>{byGroup ? groups : channels})
      return node.unsupported("scale and bias must have one entry for each " + Twine(byGroup ? "group" : "channel"));
  int64_t inner = ShapedType::getNumElements(ArrayRef<int64_t>(x.shape).drop_front(2));
  SmallVector<int64_t> grouped = {x.shape[0], groups, channels / groups * inner}, shape = byGroup ? grouped : x.shape;
  Value value = normalize(node, reshape(node, node.operand(0), grouped), 2, epsilon).value;
  Tensor normalized = toTensor(reshape(node, value, shape));
  Tensor scale = placeAtChannels(node, 1, shape.size()), bias = placeAtChannels(node, 2, shape.size());
  node.setResult(reshape(node, scaleAndShift(node, normalized, scale, &bias), x.shape));
  return success();
}

/// Without epsilon; the axes are those of a batch of pictures unless they are named.
LogicalResult onnx_operators::buildMeanVarianceNormalization(Node &node) {
  const Tensor x = node.input(0);
  SmallVector<int64_t> axes = node.getInts("axes", {0, 2, 3});
  for (int64_t &axis : axes)
    axis = fromStart(axis, x.rank());
  llvm::sort(axes);
  auto isOutside = [&](int64_t d) { return d < 0 || d >= x.rank() || ShapedType::isDynamic(x.shape[d]); };
  if (!x.element.isF32() || axes.empty() || llvm::any_of(axes, isOutside))
    return node.unsupported("an input that is not f32, or axes outside its static dimensions");
  node.setResult(normalize(node, node.operand(0), axes, /*epsilon=*/0).value);
  return success();
}

/// Divided by the sum of absolute values, or by the root of the sum of squares; what is 0 stays 0.
LogicalResult onnx_operators::buildLpNormalization(Node &node) {
  const Tensor x = node.input(0);
  const int64_t p = node.getInt("p", 2);
  const int64_t axis = fromStart(node.getInt("axis", -1), x.rank());
  if (!x.element.isF32() || axis < 0 || axis >= x.rank() || ShapedType::isDynamic(x.shape[axis]) || (p != 1 && p != 2))
    return node.unsupported("an input that is not f32, an axis outside its static dimensions, or p that is not 1 or 2");
  Value value = node.operand(0), norm = buildReduction(node, p == 1 ? "ReduceL1" : "ReduceL2", value, axis);
  node.setResult(buildAlong(node, value, norm, axis, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    Value zero = scalarConstant(b, l, b.getF32Type(), 0);
    Value isZero = arith::CmpFOp::create(b, l, arith::CmpFPredicate::OEQ, e[1], zero);
    return arith::SelectOp::create(b, l, isZero, zero, arith::DivFOp::create(b, l, e[0], e[1]));
  }));
  return success();
}

/// x / (bias + alpha / size sum(x^2))^beta, the sum over a window of channels.
LogicalResult onnx_operators::buildLRN(Node &node) {
  const Tensor x = node.input(0);
  int64_t size = node.getInt("size", 1);
  float alpha = node.getFloat("alpha", 1e-4f), beta = node.getFloat("beta", 0.75f), bias = node.getFloat("bias", 1);
  if (failed(requireStaticFloats(node, 2)))
    return failure();
  if (size < 1)
    return node.unsupported("size = " + Twine(size));
  OpBuilder &b = node.builder;
  Value operand = node.operand(0), squares = buildAlong(node, operand, {}, {}, [](OpBuilder &n, Location l, ValueRange e) -> Value {
    return arith::MulFOp::create(n, l, e[0], e[0]);
  });
  SmallVector<OpFoldResult> low(x.rank(), b.getIndexAttr(0)), high(low), steps(x.rank(), b.getIndexAttr(1));
  low[1] = b.getIndexAttr((size - 1) / 2);
  high[1] = b.getIndexAttr(size / 2);
  SmallVector<int64_t> padded(x.shape);
  padded[1] += size - 1;
  squares = tensor::PadOp::create(b, node.loc, RankedTensorType::get(padded, b.getF32Type()), squares, low, high,
                                  scalarConstant(b, node.loc, b.getF32Type(), 0));
  SmallVector<Value> neighbours;
  for (int64_t i = 0; i < size; ++i) {
    SmallVector<OpFoldResult> offsets(x.rank(), b.getIndexAttr(0));
    offsets[1] = b.getIndexAttr(i);
    neighbours.push_back(tensor::ExtractSliceOp::create(b, node.loc, squares, offsets, node.mixedSizes(x.shape, operand), steps));
  }
  node.setResult(buildAlong(node, operand, neighbours, {}, [&](OpBuilder &n, Location l, ValueRange e) -> Value {
    auto number = [&](float value) { return scalarConstant(n, l, n.getF32Type(), value); };
    Value sum = e[1];
    for (Value next : e.drop_front(2))
      sum = arith::AddFOp::create(n, l, sum, next);
    sum = arith::AddFOp::create(n, l, arith::MulFOp::create(n, l, sum, number(alpha / size)), number(bias));
    return arith::DivFOp::create(n, l, e[0], math::PowFOp::create(n, l, sum, number(beta)));
  }));
  return success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

static Value buildLogSoftmax(Node &node, Value x, int64_t axis) {
  auto [greatest, rest] = buildLogSumExp(node, x, axis);
  return buildAlong(node, x, {greatest, rest}, axis, [](OpBuilder &b, Location l, ValueRange e) -> Value {
    return arith::SubFOp::create(b, l, arith::SubFOp::create(b, l, e[0], e[1]), e[2]);
  });
}

LogicalResult onnx_operators::buildSoftmax(Node &node) {
  const Tensor &x = node.input(0);
  SmallVector<int64_t> shape(x.shape), joined;
  bool joins = node.opset < 13; // from the axis on, all dimensions are one
  int64_t rank = x.rank(), axis = fromStart(node.getInt("axis", joins ? 1 : -1), rank);
  if (!x.element.isF32() || axis < 0 || axis >= rank || ShapedType::isDynamic(shape[axis]))
    return node.unsupported("an input that is not f32, or axis outside its static dimensions");
  Value value = node.operand(0);
  if (joins && axis + 1 < rank) {
    joined.assign(shape.begin(), shape.begin() + axis);
    joined.push_back(ShapedType::getNumElements(ArrayRef<int64_t>(shape).drop_front(axis)));
    value = reshape(node, value, joined);
  }
  value = node.type() == "LogSoftmax" ? buildLogSoftmax(node, value, axis) : halftone::buildSoftmax(node.builder, node.loc, value, axis);
  node.setResult(joined.empty() ? value : reshape(node, value, shape));
  return success();
}
