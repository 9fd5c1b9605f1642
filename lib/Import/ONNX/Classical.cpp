//===- Classical.cpp - what surrounds a network in a pipeline of scikit-learn ---===//
//
// Operators of the domain ai.onnx.ml that prepare the columns of a table for a network, or read its classes, as ONNX's own operators. Trees,
// support vectors and strings are no work for Halftone, and are refused.
//
//===----------------------------------------------------------------------===//
#include "Expansion.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// The input as floats: these operators take integers, too.
static std::string inputAsFloats(Node &node, Expansion &expansion) {
  if (isa<FloatType>(node.input(0).element))
    return expansion.input(0);
  return expansion.apply("Cast", expansion.input(0), makeInt("to", onnx::TensorProto::FLOAT));
}

static SmallVector<double> floatsOf(Node &node, StringRef name) {
  const onnx::AttributeProto *attribute = node.getAttribute(name);
  return attribute ? SmallVector<double>(attribute->floats().begin(), attribute->floats().end()) : SmallVector<double>();
}

static std::string row(Node &node, Expansion &expansion, ArrayRef<double> numbers) {
  return expansion.constant(HostTensor::fromNumbers(node.builder.getF32Type(), {int64_t(numbers.size())}, numbers));
}

/// (x - offset) * scale, for each column or for all alike.
LogicalResult importer::expandScaler(Node &node, Expansion &expansion) {
  SmallVector<double> offset = floatsOf(node, "offset"), scale = floatsOf(node, "scale");
  const Tensor x = node.input(0);
  if (x.rank() < 1 || x.rank() > 2)
    return node.unsupported("an input of rank " + Twine(x.rank()));
  for (ArrayRef<double> numbers : {ArrayRef<double>(offset), ArrayRef<double>(scale)})
    if (numbers.size() != offset.size() || (numbers.size() != 1 && int64_t(numbers.size()) != x.shape.back()))
      return node.unsupported(Twine(offset.size()) + " offsets and " + Twine(scale.size()) + " scales");
  std::string difference = expansion.apply("Sub", {inputAsFloats(node, expansion), row(node, expansion, offset)});
  expansion.add("Mul", {difference, row(node, expansion, scale)}, expansion.output(0));
  return success();
}

/// x divided by the norm of its row.
LogicalResult importer::expandNormalizer(Node &node, Expansion &expansion) {
  const std::string norm = node.getString("norm", "MAX");
  if (norm != "L1" && norm != "L2")
    return node.unsupported("norm '" + norm + "'");
  expansion.add("LpNormalization", inputAsFloats(node, expansion), expansion.output(0), {makeInt("axis", -1), makeInt("p", norm == "L1" ? 1 : 2)});
  return success();
}

/// Columns by their indices; of a vector a row.
LogicalResult importer::expandArrayFeatureExtractor(Node &node, Expansion &expansion) {
  MLIRContext *context = node.builder.getContext();
  std::string x = expansion.input(0);
  if (node.input(0).rank() == 1)
    x = expansion.apply("Unsqueeze", {x, expansion.integers(context, 0)});
  std::string indices = expansion.apply("Reshape", {expansion.input(1), expansion.integers(context, -1)});
  expansion.add("Gather", {x, indices}, expansion.output(0), makeInt("axis", -1));
  return success();
}

/// x times the transpose of coefficients, a row for each target, plus its intercept.
LogicalResult importer::expandLinearRegressor(Node &node, Expansion &expansion) {
  SmallVector<double> coefficients = floatsOf(node, "coefficients"), intercepts = floatsOf(node, "intercepts");
  const int64_t targets = node.getInt("targets", 1), columns = node.input(0).rank() == 2 ? node.input(0).shape.back() : 0;
  const std::string transform = node.getString("post_transform", "NONE");
  if (transform != "NONE")
    return node.unsupported("post_transform '" + transform + "'");
  if (targets < 1 || columns < 1 || int64_t(coefficients.size()) != targets * columns || (!intercepts.empty() && int64_t(intercepts.size()) != targets))
    return node.unsupported(Twine(coefficients.size()) + " coefficients and " + Twine(intercepts.size()) + " intercepts for " + Twine(targets) +
                            " targets of " + Twine(columns) + " columns");
  std::string weights = expansion.constant(HostTensor::fromNumbers(node.builder.getF32Type(), {targets, columns}, coefficients));
  std::string bias = intercepts.empty() ? "" : row(node, expansion, intercepts);
  expansion.add("Gemm", {inputAsFloats(node, expansion), weights, bias}, expansion.output(0), makeInt("transB", 1));
  return success();
}
