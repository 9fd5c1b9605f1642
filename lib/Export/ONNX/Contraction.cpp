//===- Contraction.cpp - convolutions and matrix products -------------------===//
//
// A bias that follows becomes the node's own (Conv, Gemm). Where both factors are dequantized it is written as int32 codes
// with the product of their scales, rounded as the integer stage rounds it (rule A6 of docs/Arithmetic.md): runtimes
// look for that form when they make an integer operator of a contraction between casts.
//
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "halftone/Support/Constants.h"
#include "mlir/IR/Matchers.h"
#include <cmath>
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

//===----------------------------------------------------------------------===//
// Scales and biases
//===----------------------------------------------------------------------===//

/// The scale of codes that a value shows, behind padding and groups.
static std::optional<float> findInputScale(Value value) {
  while (isa_and_nonnull<tensor::PadOp, tensor::ExpandShapeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  auto type = dequantize ? dyn_cast<quant::UniformQuantizedType>(getElementTypeOrSelf(dequantize.getInput().getType()))
                         : quant::UniformQuantizedType();
  return type ? std::optional<float>(type.getScale()) : std::nullopt;
}

/// Remembers the scales of the factors, if both are codes.
static void recordScales(Exporter &exporter, StringRef product, Value input, Value weights, int64_t channels) {
  std::optional<float> scale = findInputScale(input);
  std::optional<Codes> codes = scale ? findCodes(weights) : std::nullopt;
  if (!codes || llvm::any_of(codes->zeroPoints, [](int8_t zero) { return zero != 0; }))
    return;
  if (codes->scales.size() == 1)
    codes->scales.assign(channels, codes->scales.front());
  if (static_cast<int64_t>(codes->scales.size()) == channels)
    exporter.productScales[product] = {*scale, std::move(codes->scales)};
}

/// The bias as codes and its DequantizeLinear; "" if it does not fit into 32 bits.
static std::string makeIntegerBias(Exporter &exporter, const ProductScales &scales, ArrayRef<float> bias, StringRef hint) {
  std::vector<int32_t> codes;
  std::vector<float> products;
  for (auto [value, weight] : llvm::zip_equal(bias, scales.weights)) {
    double rounded = std::nearbyint(double(value) / (double(scales.input) * double(weight)));
    products.push_back(scales.input * weight);
    if (!(std::abs(rounded) < 2147483648.0) || !std::isnormal(products.back()))
      return "";
    codes.push_back(static_cast<int32_t>(rounded));
  }
  Graph &graph = exporter.graph;
  std::string constant = graph.addConstant(makeVector(ArrayRef<int32_t>(codes)), (hint + "/codes").str());
  std::string scale = graph.addConstant(makeVector(ArrayRef<float>(products)), "");
  std::string zero = graph.addConstant(makeVector(ArrayRef<int32_t>(std::vector<int32_t>(codes.size(), 0))), "");
  return graph.addNode("DequantizeLinear", {constant, scale, zero}, hint, {{"axis", int64_t(0)}});
}

bool exporter::addBias(Exporter &exporter, StringRef product, ArrayRef<float> bias) {
  onnx::NodeProto *node = exporter.graph.findProducer(product);
  if (!node || node->input_size() != 2 || (node->op_type() != "Conv" && node->op_type() != "MatMul"))
    return false;
  std::string hint = node->name() + "/bias", name;
  auto scales = exporter.productScales.find(product);
  if (scales != exporter.productScales.end() && scales->second.weights.size() == bias.size())
    name = makeIntegerBias(exporter, scales->second, bias, hint);
  if (name.empty())
    name = exporter.graph.addConstant(makeVector(bias), hint);
  node = exporter.graph.findProducer(product); // the graph may have moved it
  node->add_input(name);
  if (node->op_type() == "MatMul")
    node->set_op_type("Gemm");
  return true;
}

/// The result added to what the sum starts with, unless that is zero.
static std::string addStart(Exporter &exporter, linalg::LinalgOp op, std::string name, ArrayRef<int64_t> order) {
  Value init = op.getDpsInits()[0];
  auto fill = init.getDefiningOp<linalg::FillOp>();
  if (fill && isZero(fill.getInputs()[0]))
    return name;
  return exporter.graph.addNode("Add", {name, exporter.read(init, order, hintOf(op))}, hintOf(op));
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

namespace {
/// How a convolution's operands are laid out.
struct Layout {
  SmallVector<int64_t> weightsOrder; ///< to (filters, channels of a group, height, width)
  SmallVector<int64_t> weightsShape;
  int64_t groups = 1;
};
} // namespace

static constexpr int64_t kGroupsFirst[] = {0, 3, 4, 1, 2};

static Layout layoutOf(linalg::LinalgOp op, ArrayRef<int64_t> w) {
  if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(op))
    return {{2, 0, 1}, {w[2], 1, w[0], w[1]}, w[2]};
  if (isa<linalg::Conv2DNhwgcGfhwcOp>(op))
    return {{0, 1, 4, 2, 3}, {w[0] * w[1], w[4], w[2], w[3]}, w[0]};
  return {{3, 2, 0, 1}, {w[3], w[2], w[0], w[1]}, 1};
}

/// The source of a reshape that splits channels into groups, or null.
static Value findUngrouped(Value value) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  static const SmallVector<ReassociationIndices> split = {{0}, {1}, {2}, {3, 4}};
  return expand && expand.getReassociationIndices() == split ? expand.getSrc() : Value();
}

/// N x C x H x W of a grouped convolution's input, and the padding that is left to the node.
static std::string readGrouped(Exporter &exporter, Value input, SmallVectorImpl<int64_t> &pads, StringRef hint) {
  if (Value source = findUngrouped(input)) {
    PaddedInput padded = findPadding(source, {1, 2}, 0);
    pads.assign(padded.pads.begin(), padded.pads.end());
    return exporter.read(padded.source, kChannelsFirst, hint);
  }
  pads.assign(4, 0);
  // Codes may have been split into groups: what is dequantized is the whole.
  auto dequantize = input.getDefiningOp<DequantizeOp>();
  Value codes = dequantize ? findUngrouped(dequantize.getInput()) : Value();
  if (codes)
    if (FailureOr<Tensor> whole = dequantizeAs(exporter, dequantize, codes, kChannelsFirst); succeeded(whole))
      return whole->name;
  ArrayRef<int64_t> shape = shapeOf(input);
  return exporter.read(input, kGroupsFirst, {shape[0], shape[3] * shape[4], shape[1], shape[2]}, hint);
}

/// The weights in ONNX's order; those of a grouped convolution may have been split after they were dequantized.
static std::string readWeights(Exporter &exporter, Value &weights, const Layout &layout, StringRef hint) {
  auto expand = weights.getDefiningOp<tensor::ExpandShapeOp>();
  if (layout.groups == 1 || !expand || expand.getSrcType().getRank() != 4 ||
      expand.getReassociationIndices().front().size() != 2)
    return exporter.read(weights, layout.weightsOrder, layout.weightsShape, hint);
  weights = expand.getSrc();
  return exporter.read(weights, kChannelsFirst, layout.weightsShape, hint);
}

/// Binds N x F x H x W to the result, or to the collapsed one where its groups are joined at once.
static void bindResult(Exporter &exporter, linalg::LinalgOp op, const std::string &name) {
  Value result = op->getResult(0);
  if (!isa<linalg::Conv2DNhwgcGfhwcOp>(op))
    return exporter.bind(result, addStart(exporter, op, name, kChannelsFirst), kChannelsFirst);
  ArrayRef<int64_t> shape = shapeOf(result);
  auto collapse = result.hasOneUse() ? dyn_cast<tensor::CollapseShapeOp>(*result.user_begin()) : tensor::CollapseShapeOp();
  static const SmallVector<ReassociationIndices> joined = {{0}, {1}, {2}, {3, 4}};
  auto fill = op.getDpsInits()[0].getDefiningOp<linalg::FillOp>();
  if (collapse && collapse.getReassociationIndices() == joined && fill && matchPattern(fill.getInputs()[0], m_AnyZeroFloat()))
    return exporter.bind(collapse.getResult(), name, kChannelsFirst);
  SmallVector<int64_t> flat = {shape[0], shape[3] * shape[4], shape[1], shape[2]};
  std::string split = exporter.graph.addReshape(name, flat, permuted(shape, kGroupsFirst), hintOf(op));
  exporter.bind(result, addStart(exporter, op, split, kGroupsFirst), kGroupsFirst);
}

template <typename ConvOp>
static LogicalResult exportConvolution(Exporter &exporter, ConvOp conv) {
  linalg::LinalgOp op = conv;
  std::string hint = hintOf(op);
  Value input = op->getOperand(0), weights = op->getOperand(1);
  Layout layout = layoutOf(op, shapeOf(weights));
  SmallVector<int64_t> pads;
  std::string x;
  if (isa<linalg::Conv2DNhwgcGfhwcOp>(op)) {
    x = readGrouped(exporter, input, pads, hint);
  } else {
    PaddedInput padded = findPadding(input, {1, 2}, 0);
    pads.assign(padded.pads.begin(), padded.pads.end());
    x = exporter.read(padded.source, kChannelsFirst, hint);
  }
  std::string w = readWeights(exporter, weights, layout, hint.empty() ? "weight" : hint + "/weight");
  SmallVector<int64_t> kernel(ArrayRef<int64_t>(layout.weightsShape).drop_front(2));
  std::string name = exporter.graph.addNode("Conv", {x, w}, hint,
                                            {{"kernel_shape", kernel},
                                             {"strides", getInts(conv.getStrides())},
                                             {"dilations", getInts(conv.getDilations())},
                                             {"pads", pads},
                                             {"group", layout.groups}});
  recordScales(exporter, name, input, weights, layout.weightsShape[0]);
  bindResult(exporter, op, name);
  return success();
}

//===----------------------------------------------------------------------===//
// Matrix products
//===----------------------------------------------------------------------===//

static LogicalResult exportProduct(Exporter &exporter, linalg::LinalgOp op) {
  std::string hint = hintOf(op);
  Value left = op->getOperand(0), right = op->getOperand(1);
  SmallVector<int64_t> order = identityOrder(left);
  std::string x = exporter.read(left, order, hint);
  std::string w = exporter.read(right, order, hint.empty() ? "weight" : hint + "/weight");
  std::string name = exporter.graph.addNode("MatMul", {x, w}, hint);
  recordScales(exporter, name, left, right, shapeOf(right).back());
  exporter.bind(op->getResult(0), addStart(exporter, op, name, order), order);
  return success();
}

LogicalResult exporter::exportContraction(Exporter &exporter, linalg::LinalgOp op) {
  for (Value operand : op->getOperands())
    if (!isa<RankedTensorType>(operand.getType()) || !getElementTypeOrSelf(operand.getType()).isF32())
      return exporter.unsupported(op, "a contraction that is not of f32");
  if (auto conv = dyn_cast<linalg::Conv2DNhwcHwcfOp>(*op))
    return exportConvolution(exporter, conv);
  if (auto conv = dyn_cast<linalg::DepthwiseConv2DNhwcHwcOp>(*op))
    return exportConvolution(exporter, conv);
  if (auto conv = dyn_cast<linalg::Conv2DNhwgcGfhwcOp>(*op))
    return exportConvolution(exporter, conv);
  return exportProduct(exporter, op);
}
