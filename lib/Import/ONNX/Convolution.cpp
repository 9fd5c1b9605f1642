//===- Convolution.cpp - ONNX's Conv and ConvInteger ------------------------===//
//
// Conv in its own layout (NCHW, FCHW): padding as data, a named linalg convolution over zeros (plain, depthwise when
// every group has one channel and one filter, else grouped between expand_shape and collapse_shape), and the bias as a
// following generic. Of three spatial dimensions the depths that a window meets are channels side by side, and those of the
// result are a part of the batch. ConvInteger is a convolution of signed bytes where its weights are constant: padding is
// the zero point, and what it subtracts is a multiple of the sum of each channel's weights. Else all is i32, without zero points.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "Convolution.h"
#include "Movement.h"
#include "Operators.h"
#include "Quantization.h"
#include "Shape.h"
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
  auto type = RankedTensorType::get(shape, storageType(weights.element));
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
  Type element = cast<RankedTensorType>(conv.x.getType()).getElementType();
  Value x = tensor::ExpandShapeOp::create(b, node.loc, RankedTensorType::get(inShape, element), conv.x, split,
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
  if (x.rank() < 3 || x.rank() > 5)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  if (x.rank() == 5 && (x.isDynamic() || !weights.constant))
    return node.unsupported("three spatial dimensions with a dynamic dimension, or weights that are not constant");
  if (weights.rank() != x.rank())
    return node.unsupported("weights of rank " + Twine(weights.rank()));
  if (groups < 1 || weights.shape[1] * groups != x.shape[1] || weights.shape[0] % groups)
    return node.unsupported("weights and group do not fit the input's " + Twine(x.shape[1]) + " channels");
  return success();
}

/// The planes of the depths that the window meets, side by side as channels: N x C x D x H x W to (N Do) x (groups KD C/groups) x H x W.
static Value stackDepths(Node &node, Value x, const Window &depth, int64_t groups, Value padding) {
  OpBuilder &b = node.builder;
  auto type = cast<RankedTensorType>(x.getType());
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<OpFoldResult> low(5, b.getIndexAttr(0)), high(low);
  low[2] = b.getIndexAttr(depth.pads[0]);
  high[2] = b.getIndexAttr(depth.pads[2]);
  shape[2] += depth.pads[0] + depth.pads[2];
  if (shape[2] != type.getDimSize(2))
    x = tensor::PadOp::create(b, node.loc, RankedTensorType::get(shape, type.getElementType()), x, low, high, padding);
  const int64_t channels = shape[1] / groups;
  SmallVector<Value> taps;
  for (int64_t tap = 0; tap < depth.kernel[0]; ++tap) {
    SliceRange range{SmallVector<int64_t>(5, 0), shape, SmallVector<int64_t>(5, 1)};
    range.starts[2] = tap * depth.dilations[0];
    range.sizes[2] = depth.output[0];
    range.steps[2] = depth.strides[0];
    Value part = transpose(node, extract(node, x, range), {0, 2, 1, 3, 4});
    taps.push_back(reshape(node, part, {shape[0] * depth.output[0], groups, channels, shape[3], shape[4]}));
  }
  Value joined = taps.size() == 1 ? taps[0] : tensor::ConcatOp::create(b, node.loc, /*dim=*/2, taps).getResult();
  return reshape(node, joined, {shape[0] * depth.output[0], groups * depth.kernel[0] * channels, shape[3], shape[4]});
}

/// A convolution over depth, height and width, as one over height and width: its sums are over the same products.
static Value convolveDepths(Node &node, const Tensor &x, const Tensor &weights, const Window &window, int64_t groups, Value padding, Value zero) {
  auto [plane, depth] = splitWindow(window);
  ArrayRef<int64_t> shape = weights.shape;
  HostTensor filters = weights.constant->transposed({0, 2, 1, 3, 4}).reshaped({shape[0], shape[2] * shape[1], shape[3], shape[4]});
  filters.name = weights.constant->name;
  Value padded = padWindow(node, stackDepths(node, materialize(node, x), depth, groups, padding), plane, padding);
  return buildConvolution(node, {padded, toTensor(std::move(filters)), groups, plane}, zero);
}

/// (N Do) x F x H x W as N x F x Do x H x W.
static Value spreadDepths(Node &node, Value x, int64_t batch) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(x.getType()).getShape();
  return transpose(node, reshape(node, x, {batch, shape[0] / batch, shape[1], shape[2], shape[3]}), {0, 2, 1, 3, 4});
}

/// The result in the node's own shape.
static void setConvolved(Node &node, Value result, const Tensor &x) {
  node.setResult(x.rank() == 5 ? spreadDepths(node, result, x.shape[0]) : removeHeight(node, result, x.rank()));
}

/// Bytes padded with 0, with one that the run computes as padding instead. Not as the value of the pad: that would be a scalar that all layers share.
static Value fillBorder(Node &node, Value padded, const Window &window, const Tensor &byte) {
  auto type = cast<RankedTensorType>(padded.getType());
  std::vector<int64_t> mask;
  for (int64_t y = 0; y < type.getDimSize(2); ++y)
    for (int64_t x = 0; x < type.getDimSize(3); ++x) {
      const int64_t row = y - window.pads[0], column = x - window.pads[1];
      const bool isInside = row >= 0 && column >= 0 && y < type.getDimSize(2) - window.pads[2] - window.overhang[0] &&
                            x < type.getDimSize(3) - window.pads[3] - window.overhang[1];
      mask.push_back(isInside ? 0 : -1);
    }
  if (llvm::all_of(mask, [](int64_t bits) { return bits == 0; }))
    return padded;
  HostTensor border = HostTensor::fromIntegers(node.builder.getI8Type(), {1, 1, type.getDimSize(2), type.getDimSize(3)}, mask);
  return buildBroadcast(node, {toTensor(padded), toTensor(std::move(border)), byte}, node.builder.getI8Type(),
                        [](OpBuilder &b, Location l, ValueRange e) -> Value {
                          return arith::OrIOp::create(b, l, e[0], arith::AndIOp::create(b, l, e[1], e[2]));
                        });
}

/// The convolution of `x` and `weights` with the node's attributes, padded with `padding`, sums starting at `zero`, with a height
/// if the node's has none, and with depths as a part of the batch; null after `node.unsupported`. `border`, one element, is the padding
/// instead of a `padding` of 0, not of three dimensions.
static Value buildWindows(Node &node, const Tensor &x, Tensor weights, Value padding, Value zero, const Tensor *border = nullptr) {
  int64_t groups = node.getInt("group", 1);
  if (failed(checkConv(node, x, weights, groups)))
    return {};
  ArrayRef<int64_t> kernel = ArrayRef<int64_t>(weights.shape).drop_front(2);
  if (node.getInts("kernel_shape", kernel) != kernel) {
    (void)node.unsupported("kernel_shape differs from the weights");
    return {};
  }
  FailureOr<Window> window = readWindow(node, ArrayRef<int64_t>(x.shape).drop_front(2), kernel, /*isPool=*/false);
  if (failed(window))
    return {};
  if (x.rank() == 5)
    return convolveDepths(node, x, weights, *window, groups, padding, zero);
  if (x.rank() == 3 && weights.constant) {
    SmallVector<int64_t> shape(weights.shape);
    shape.insert(shape.begin() + 2, 1);
    weights.constant = std::make_shared<HostTensor>(weights.constant->reshaped(shape));
    weights.shape = shape;
  } else if (x.rank() == 3) {
    weights.value = addHeight(node, weights.value);
    weights.shape.insert(weights.shape.begin() + 2, 1);
  }
  Value padded = padWindow(node, addHeight(node, materialize(node, x)), *window, padding);
  if (border)
    padded = fillBorder(node, padded, *window, *border);
  return buildConvolution(node, {padded, weights, groups, *window}, zero);
}

LogicalResult onnx_operators::buildConv(Node &node) {
  const Tensor x = node.input(0), weights = node.input(1);
  if (!x.element.isF32() || !weights.element.isF32())
    return node.unsupported("it is not f32");
  if (node.hasInput(2) && weights.rank() && node.input(2).shape != ArrayRef<int64_t>{weights.shape[0]})
    return node.unsupported("a bias that does not fit the weights");
  Value zero = scalarConstant(node.builder, node.loc, x.element, 0);
  Value result = buildWindows(node, x, weights, zero, zero);
  if (!result)
    return failure();
  auto joined = result.getDefiningOp<tensor::CollapseShapeOp>();
  tagWeights(joined ? joined.getSrc() : result, weights, 0);
  if (node.hasInput(2))
    result = addBias(node, result, node.operand(2));
  setConvolved(node, result, x);
  return success();
}

//===----------------------------------------------------------------------===//
// ConvInteger
//===----------------------------------------------------------------------===//

/// The sum of each channel's weights.
static HostTensor sumChannels(Node &node, const HostTensor &weights) {
  std::vector<int64_t> elements = weights.integers(), sums(weights.shape[0], 0);
  for (auto [i, element] : llvm::enumerate(elements))
    sums[i * sums.size() / elements.size()] += element;
  return HostTensor::fromIntegers(node.builder.getI32Type(), {weights.shape[0], 1, 1}, sums);
}

/// The convolution with constant signed bytes. What zero points of weights subtract is a multiple of each window's sum, its convolution with ones.
static LogicalResult convolveBytes(Node &node, const Tensor &x, const SignedWeights &weights, const std::optional<Tensor> &given) {
  OpBuilder &b = node.builder;
  const Tensor codes = toTensor(toSigned(node, x));
  const bool isComputed = given && !given->constant;
  const int64_t code = given && given->constant ? given->constant->integers().front() : 0, shift = x.element.isUnsignedInteger() ? 128 : 0;
  Tensor border;
  if (isComputed)
    border = toTensor(toSigned(node, *given));
  Value padding = scalarConstant(b, node.loc, b.getI8Type(), isComputed ? 0 : code - shift), zero = scalarConstant(b, node.loc, b.getI32Type(), 0);
  auto convolve = [&](const HostTensor &filters) { return buildWindows(node, codes, toTensor(filters), padding, zero, isComputed ? &border : nullptr); };
  ArrayRef<int64_t> shape = weights.bytes.shape;
  IntegerProduct parts{convolve(weights.bytes), sumChannels(node, weights.bytes), std::nullopt, Value(), weights.bytes.count() / shape[0]};
  if (!parts.product)
    return failure();
  if (!weights.zeros.empty()) {
    parts.zeros = HostTensor::fromIntegers(b.getI32Type(), {int64_t(weights.zeros.size()), 1, 1}, weights.zeros);
    SmallVector<int64_t> ones(shape);
    ones[0] = node.getInt("group", 1);
    parts.inputSums = convolve(HostTensor::fromIntegers(b.getI8Type(), ones, std::vector<int64_t>(ones[0] * parts.count, 1)));
  }
  Value result = subtractZeros(node, std::move(parts), x.element, given);
  if (!result)
    return failure();
  setConvolved(node, result, x);
  return success();
}

/// Weights in i32 without their zero points.
static HostTensor widenWeights(Node &node, const SignedWeights &weights) {
  std::vector<int64_t> codes = weights.bytes.integers();
  if (!weights.zeros.empty())
    for (auto [i, code] : llvm::enumerate(codes))
      code -= weights.zeros[weights.zeros.size() == 1 ? 0 : i * weights.zeros.size() / codes.size()];
  HostTensor wide = HostTensor::fromIntegers(node.builder.getI32Type(), weights.bytes.shape, codes);
  wide.name = weights.bytes.name;
  return wide;
}

LogicalResult onnx_operators::buildConvInteger(Node &node) {
  const Tensor x = node.input(0), weights = node.input(1);
  if (x.element.getIntOrFloatBitWidth() != 8 || weights.element.getIntOrFloatBitWidth() != 8)
    return node.unsupported("factors that are not of 8 bits");
  std::optional<Tensor> xZero, weightsZero;
  if (node.hasInput(2))
    xZero = node.input(2);
  if (node.hasInput(3))
    weightsZero = node.input(3);
  if (xZero && ShapedType::getNumElements(xZero->shape) != 1)
    return node.unsupported("several zero points of its input");
  const bool isFilled = !xZero || xZero->constant || x.rank() != 5;
  std::optional<SignedWeights> bytes = readSignedWeights(node, 3, 0);
  const int64_t groups = node.getInt("group", 1);
  if (bytes && isFilled && (bytes->zeros.empty() || groups == 1 || groups == weights.shape[0])) // else sums of windows differ by groups of channels
    return convolveBytes(node, x, *bytes, xZero);
  if (weightsZero && weightsZero->rank() == 1 && weightsZero->shape[0] != 1) {
    SmallVector<int64_t> shape(weights.rank(), 1);
    shape[0] = weightsZero->shape[0];
    if (!weightsZero->constant)
      return node.unsupported("several zero points of its weights that are not constant");
    weightsZero = toTensor(weightsZero->constant->reshaped(shape));
  }
  Value wideX = subtractZero(node, x, xZero), wideWeights = bytes ? Value() : subtractZero(node, weights, weightsZero);
  if (!wideX || (!bytes && !wideWeights))
    return failure();
  Value zero = scalarConstant(node.builder, node.loc, node.builder.getI32Type(), 0);
  Value result = buildWindows(node, toTensor(wideX), bytes ? toTensor(widenWeights(node, *bytes)) : toTensor(wideWeights), zero, zero);
  if (!result)
    return failure();
  setConvolved(node, result, x);
  return success();
}
