//===- Convolution.cpp - ONNX's Conv ----------------------------------------===//
//
// Conv in its own layout (NCHW, FCHW): padding as data, a named linalg convolution over zeros (plain, depthwise when
// every group has one channel and one filter, else grouped between expand_shape and collapse_shape), and the bias as a
// following generic.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Convolution.h"
#include "Operators.h"
#include "Quantization.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static int64_t sizeOf(Value x, int64_t d) { return cast<RankedTensorType>(x.getType()).getDimSize(d); }

/// The weights with another shape of the same elements: on the host if they are constant.
static Value reshapeWeights(Node &node, const Tensor &weights, ArrayRef<int64_t> shape,
                            ArrayRef<ReassociationIndices> groups) {
  if (weights.constant)
    return node.materialize(weights.constant->reshaped(shape));
  auto type = RankedTensorType::get(shape, node.builder.getF32Type());
  if (shape.size() < weights.shape.size())
    return tensor::CollapseShapeOp::create(node.builder, node.loc, type, weights.value, groups);
  return tensor::ExpandShapeOp::create(node.builder, node.loc, type, weights.value, groups);
}

/// The attributes of the named convolutions.
static std::pair<DenseIntElementsAttr, DenseIntElementsAttr> windowAttributes(Node &node, const Window &window) {
  return {node.builder.getI64TensorAttr(window.strides), node.builder.getI64TensorAttr(window.dilations)};
}

static Value buildDepthwise(Node &node, const Convolution &conv, Value init) {
  ArrayRef<int64_t> shape = conv.weights.shape;
  Value weights = reshapeWeights(node, conv.weights, {shape[0], shape[2], shape[3]}, {{0, 1}, {2}, {3}});
  auto [strides, dilations] = windowAttributes(node, conv.window);
  return linalg::DepthwiseConv2DNchwChwOp::create(node.builder, node.loc, init.getType(), ValueRange{conv.x, weights},
                                                  init, strides, dilations)
      .getResult(0);
}

static Value buildGrouped(Node &node, const Convolution &conv, Value zero) {
  OpBuilder &b = node.builder;
  ArrayRef<int64_t> shape = conv.weights.shape;
  int64_t groups = conv.groups, filters = shape[0] / groups;
  SmallVector<ReassociationIndices> split = {{0}, {1, 2}, {3}, {4}};
  Value weights = reshapeWeights(node, conv.weights, {groups, filters, shape[1], shape[2], shape[3]},
                                 {{0, 1}, {2}, {3}, {4}});
  SmallVector<int64_t> inShape = {sizeOf(conv.x, 0), groups, shape[1], sizeOf(conv.x, 2), sizeOf(conv.x, 3)};
  Value x = tensor::ExpandShapeOp::create(b, node.loc, RankedTensorType::get(inShape, b.getF32Type()), conv.x, split,
                                          node.mixedSizes(inShape, conv.x));
  SmallVector<int64_t> outShape = {inShape[0], groups, filters, conv.window.output[0], conv.window.output[1]};
  Value init = makeFilled(node, outShape, conv.x, zero);
  auto [strides, dilations] = windowAttributes(node, conv.window);
  Value result = linalg::Conv2DNgchwGfchwOp::create(b, node.loc, init.getType(), ValueRange{x, weights}, init, strides,
                                                    dilations)
                     .getResult(0);
  return tensor::CollapseShapeOp::create(b, node.loc, result, split);
}

Value importer::buildConvolution(Node &node, const Convolution &conv, Value zero) {
  ArrayRef<int64_t> shape = conv.weights.shape;
  bool depthwise = conv.groups > 1 && shape[1] == 1 && shape[0] == conv.groups;
  if (conv.groups > 1 && !depthwise)
    return buildGrouped(node, conv, zero);
  Value init = makeFilled(node, conv.outputShape(sizeOf(conv.x, 0)), conv.x, zero);
  if (depthwise)
    return buildDepthwise(node, conv, init);
  Value weights = conv.weights.constant ? node.materialize(*conv.weights.constant) : conv.weights.value;
  auto [strides, dilations] = windowAttributes(node, conv.window);
  return linalg::Conv2DNchwFchwOp::create(node.builder, node.loc, init.getType(), ValueRange{conv.x, weights}, init,
                                          strides, dilations)
      .getResult(0);
}

Value importer::addBias(Node &node, Value x, Value bias) {
  auto type = cast<RankedTensorType>(x.getType());
  AffineMap identity = node.builder.getMultiDimIdentityMap(4);
  return buildElementwise(node.builder, node.loc, {x, bias}, {identity, identity.getSliceMap(1, 1)},
                          node.mixedSizes(type.getShape(), x), type.getElementType(),
                          [](OpBuilder &b, Location l, ValueRange e) -> Value {
                            return arith::AddFOp::create(b, l, e[0], e[1]);
                          });
}

static LogicalResult checkConv(Node &node, const Tensor &x, const Tensor &weights, int64_t groups) {
  if (!x.element.isF32() || !weights.element.isF32())
    return node.unsupported("it is not f32");
  if (x.rank() != 3 && x.rank() != 4)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  if (weights.rank() != x.rank())
    return node.unsupported("weights of rank " + Twine(weights.rank()));
  if (groups < 1 || weights.shape[1] * groups != x.shape[1] || weights.shape[0] % groups)
    return node.unsupported("weights and group do not fit the input's " + Twine(x.shape[1]) + " channels");
  if (node.hasInput(2) && node.input(2).shape != ArrayRef<int64_t>{weights.shape[0]})
    return node.unsupported("a bias that does not fit the weights");
  return success();
}

LogicalResult onnx_operators::buildConv(Node &node) {
  const Tensor &x = node.input(0);
  Tensor weights = node.input(1);
  const Tensor source = weights;
  int64_t groups = node.getInt("group", 1);
  if (failed(checkConv(node, x, weights, groups)))
    return failure();
  ArrayRef<int64_t> kernel = ArrayRef<int64_t>(weights.shape).drop_front(2);
  if (node.getInts("kernel_shape", kernel) != kernel)
    return node.unsupported("kernel_shape differs from the weights");
  FailureOr<Window> window = readWindow(node, ArrayRef<int64_t>(x.shape).drop_front(2), kernel, /*isPool=*/false);
  if (failed(window))
    return failure();
  int64_t rank = x.rank();
  if (rank == 3 && weights.constant) {
    SmallVector<int64_t> shape(weights.shape);
    shape.insert(shape.begin() + 2, 1);
    weights.constant = std::make_shared<HostTensor>(weights.constant->reshaped(shape));
    weights.shape = shape;
  } else if (rank == 3) {
    weights.value = addHeight(node, weights.value);
    weights.shape.insert(weights.shape.begin() + 2, 1);
  }
  Value zero = scalarConstant(node.builder, node.loc, x.element, 0);
  Value padded = padWindow(node, addHeight(node, node.operand(0)), *window, zero);
  Value result = buildConvolution(node, {padded, weights, groups, *window}, zero);
  auto joined = result.getDefiningOp<tensor::CollapseShapeOp>();
  tagWeights(joined ? joined.getSrc() : result, source, 0);
  if (node.hasInput(2))
    result = addBias(node, result, node.operand(2));
  node.setResult(removeHeight(node, result, rank));
  return success();
}
