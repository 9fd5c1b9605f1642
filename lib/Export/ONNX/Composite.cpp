//===- Composite.cpp - composites by name -----------------------------------===//
//
// A name that ONNX has becomes its operator; of any other composite the body is exported, which is its meaning.
//
//===----------------------------------------------------------------------===//
#include "Exporter.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/ResizeModes.h"
#include "llvm/ADT/StringSwitch.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

static NodeAttribute floatAttribute(CompositeOp op, StringRef name) {
  return {name, static_cast<float>(op.getParameters().getAs<FloatAttr>(name).getValueAsDouble())};
}

static std::string makeUnary(Exporter &exporter, CompositeOp op, const std::string &x) {
  Graph &graph = exporter.graph;
  StringRef name = op.getName();
  std::string hint = hintOf(op);
  if (name == "silu")
    return graph.addNode("Mul", {x, graph.addNode("Sigmoid", x, hint)}, hint);
  if (name == "gelu") {
    graph.require(20);
    auto approximate = op.getParameters().getAs<StringAttr>("approximate");
    return graph.addNode("Gelu", x, hint, {{"approximate", approximate ? approximate.getValue().str() : "none"}});
  }
  if (name == "hard_sigmoid")
    return graph.addNode("HardSigmoid", x, hint, {floatAttribute(op, "alpha"), floatAttribute(op, "beta")});
  if (name == "leaky_relu")
    return graph.addNode("LeakyRelu", x, hint, {floatAttribute(op, "alpha")});
  StringRef type = llvm::StringSwitch<StringRef>(name)
                       .Case("sigmoid", "Sigmoid")
                       .Case("tanh", "Tanh")
                       .Case("exp", "Exp")
                       .Case("sqrt", "Sqrt")
                       .Case("hard_swish", "HardSwish")
                       .Default("");
  return type.empty() ? "" : graph.addNode(type, x, hint);
}

//===----------------------------------------------------------------------===//
// Resize
//===----------------------------------------------------------------------===//

namespace {
/// How Resize is told where to read.
struct ResizeModes {
  StringLiteral coordinates, rounding;
};
} // namespace

static constexpr ResizeModes kResizeModes[] = {
    {"asymmetric", "floor"},          {"half_pixel", "round_prefer_floor"}, {"half_pixel", "round_prefer_ceil"},
    {"half_pixel", "floor"},          {"half_pixel", "ceil"},               {"asymmetric", "round_prefer_floor"},
    {"asymmetric", "round_prefer_ceil"}, {"asymmetric", "ceil"},            {"align_corners", "round_prefer_floor"},
    {"align_corners", "round_prefer_ceil"}, {"align_corners", "floor"},     {"align_corners", "ceil"},
};

/// The modes in which a Resize to as many rows and columns reads at just these; nothing if there are none.
static std::optional<ResizeModes> findModes(const ResizeNearest &resize, int64_t height, int64_t width) {
  auto reads = [](const ResizeModes &modes, ArrayRef<int64_t> indices, int64_t extent) {
    int64_t out = indices.size();
    std::optional<SmallVector<int64_t>> found =
        nearestIndices(modes.coordinates, modes.rounding, {extent, out, static_cast<float>(out) / extent});
    return found && ArrayRef<int64_t>(*found) == indices;
  };
  for (const ResizeModes &modes : kResizeModes)
    if (reads(modes, resize.rows, height) && reads(modes, resize.columns, width))
      return modes;
  return std::nullopt;
}

/// Truth values and 64-bit integers are moved by few runtimes' Resize, but by all Gathers.
static bool isResizable(Value x) {
  Type element = getElementTypeOrSelf(x.getType());
  return !element.isInteger(1) && !element.isInteger(64);
}

/// A Resize where one reads at the same places, else two Gathers.
static LogicalResult exportResize(Exporter &exporter, CompositeOp op) {
  ResizeNearest resize = ResizeNearest::fromParameters(op.getParameters());
  SmallVector<int64_t> order = resize.channelsLast ? SmallVector<int64_t>(ArrayRef<int64_t>(kChannelsFirst)) : identityOrder(4);
  Value input = op.getInputs()[0];
  Graph &graph = exporter.graph;
  std::string x = exporter.read(input, order, hintOf(op));
  bool isUnsigned = exporter.read(input, hintOf(op)).isUnsigned;
  SmallVector<int64_t> sizes = {static_cast<int64_t>(resize.rows.size()), static_cast<int64_t>(resize.columns.size())};
  auto modes = isResizable(input) ? findModes(resize, shapeOf(input)[order[2]], shapeOf(input)[order[3]]) : std::nullopt;
  if (modes) {
    x = graph.addNode("Resize", {x, "", "", graph.addIntegers(sizes, "")}, hintOf(op),
                      {{"mode", std::string("nearest")},
                       {"coordinate_transformation_mode", modes->coordinates.str()},
                       {"nearest_mode", modes->rounding.str()},
                       {"axes", SmallVector<int64_t>{2, 3}}});
  } else {
    x = graph.addNode("Gather", {x, graph.addIntegers(resize.rows, "")}, hintOf(op), {{"axis", int64_t(2)}});
    x = graph.addNode("Gather", {x, graph.addIntegers(resize.columns, "")}, hintOf(op), {{"axis", int64_t(3)}});
  }
  exporter.bind(op->getResult(0), x, order, isUnsigned);
  return success();
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

static int64_t axisOf(CompositeOp op) { return op.getParameters().getAs<IntegerAttr>("axis").getInt(); }

static LogicalResult exportSoftmax(Exporter &exporter, CompositeOp op) {
  Tensor x = exporter.read(op.getInputs()[0], hintOf(op));
  int64_t axis = inverse(x.order)[axisOf(op)];
  exporter.bind(op->getResult(0), exporter.graph.addNode("Softmax", x.name, hintOf(op), {{"axis", axis}}), x.order);
  return success();
}

static LogicalResult exportGather(Exporter &exporter, CompositeOp op) {
  auto inOrder = [&](Value input) { return exporter.read(input, identityOrder(shapeOf(input).size()), hintOf(op)); };
  Value x = op.getInputs()[0], indices = op.getInputs()[1];
  bool isUnsigned = exporter.read(x, hintOf(op)).isUnsigned;
  std::string result = exporter.graph.addNode("Gather", {inOrder(x), inOrder(indices)}, hintOf(op), {{"axis", axisOf(op)}});
  exporter.bind(op->getResult(0), result, identityOrder(shapeOf(op->getResult(0)).size()), isUnsigned);
  return success();
}

static LogicalResult exportArgument(Exporter &exporter, CompositeOp op) {
  Value input = op.getInputs()[0];
  std::string x = exporter.read(input, identityOrder(shapeOf(input).size()), hintOf(op));
  std::string result = exporter.graph.addNode(op.getName() == "arg_max" ? "ArgMax" : "ArgMin", x, hintOf(op),
                                              {{"axis", axisOf(op)},
                                               {"keepdims", int64_t(0)},
                                               {"select_last_index", int64_t(op.getParameters().getAs<BoolAttr>("last").getValue())}});
  exporter.bind(op->getResult(0), result, identityOrder(shapeOf(op->getResult(0)).size()));
  return success();
}

/// The operations of the body, with the operands in the place of its arguments.
static LogicalResult exportBody(Exporter &exporter, CompositeOp op) {
  Block &body = op.getBody().front();
  for (auto [argument, operand] : llvm::zip_equal(body.getArguments(), op.getInputs()))
    if (isa<RankedTensorType>(operand.getType()))
      exporter.bind(argument, exporter.read(operand, hintOf(op)));
  exporter.exportBlock(body);
  for (auto [result, yielded] : llvm::zip_equal(op->getResults(), body.getTerminator()->getOperands()))
    exporter.bind(result, exporter.read(yielded, hintOf(op)));
  return success();
}

LogicalResult exporter::exportComposite(Exporter &exporter, CompositeOp op) {
  StringRef name = op.getName();
  bool isUnary = op.getInputs().size() == 1 && op->getNumResults() == 1;
  if (isUnary && name == "avg_pool")
    return exportAveragePool(exporter, op);
  if (isUnary && name == "resize")
    return exportResize(exporter, op);
  if (isUnary && name == "softmax")
    return exportSoftmax(exporter, op);
  if (isUnary && (name == "arg_max" || name == "arg_min"))
    return exportArgument(exporter, op);
  if (name == "gather")
    return exportGather(exporter, op);
  if (isUnary) {
    Tensor x = exporter.read(op.getInputs()[0], hintOf(op));
    if (std::string made = makeUnary(exporter, op, x.name); !made.empty()) {
      exporter.bind(op->getResult(0), made, x.order);
      return success();
    }
  }
  return exportBody(exporter, op);
}
