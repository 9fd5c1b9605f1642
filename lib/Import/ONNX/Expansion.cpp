//===- Expansion.cpp - ONNX nodes that stand for one -------------------------===//
#include "Expansion.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static onnx::AttributeProto makeAttribute(StringRef name, onnx::AttributeProto::AttributeType type) {
  onnx::AttributeProto attribute;
  attribute.set_name(name.str());
  attribute.set_type(type);
  return attribute;
}

onnx::AttributeProto importer::makeInt(StringRef name, int64_t value) {
  onnx::AttributeProto attribute = makeAttribute(name, onnx::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

onnx::AttributeProto importer::makeInts(StringRef name, ArrayRef<int64_t> values) {
  onnx::AttributeProto attribute = makeAttribute(name, onnx::AttributeProto::INTS);
  for (int64_t value : values)
    attribute.add_ints(value);
  return attribute;
}

onnx::AttributeProto importer::makeFloat(StringRef name, float value) {
  onnx::AttributeProto attribute = makeAttribute(name, onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
  return attribute;
}

onnx::AttributeProto importer::makeString(StringRef name, StringRef value) {
  onnx::AttributeProto attribute = makeAttribute(name, onnx::AttributeProto::STRING);
  attribute.set_s(value.str());
  return attribute;
}

onnx::NodeProto &Expansion::add(StringRef type, ArrayRef<std::string> inputs, const std::string &output, ArrayRef<onnx::AttributeProto> attributes) {
  onnx::NodeProto node;
  node.set_name((original.name().empty() ? original.output(0) : original.name()) + (part.empty() ? "" : "/" + part));
  node.set_op_type(type.str());
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(output);
  for (const onnx::AttributeProto &attribute : attributes)
    *node.add_attribute() = attribute;
  nodes.push_back(std::move(node));
  return nodes.back();
}

std::string Expansion::apply(StringRef type, ArrayRef<std::string> inputs, ArrayRef<onnx::AttributeProto> attributes) {
  return add(type, inputs, fresh(type), attributes).output(0);
}

std::string Expansion::constant(HostTensor tensor) {
  std::string name = fresh("constant");
  tensors[name] = toTensor(std::move(tensor));
  return name;
}

std::string Expansion::number(MLIRContext *context, float value) {
  return constant(HostTensor::fromNumbers(Float32Type::get(context), {}, {value}));
}

std::string Expansion::integers(MLIRContext *context, ArrayRef<int64_t> values) {
  return constant(HostTensor::fromIntegers(IntegerType::get(context, 64), {int64_t(values.size())}, values));
}

void Expansion::copyAttributes(onnx::NodeProto &node, ArrayRef<StringRef> except) const {
  for (const onnx::AttributeProto &attribute : original.attribute())
    if (!llvm::is_contained(except, StringRef(attribute.name())))
      *node.add_attribute() = attribute;
}

std::string Expansion::dequantize(const std::string &name, const std::string &scale, const std::string &zero, int axis) {
  return apply("DequantizeLinear", {name, scale, zero}, makeInt("axis", axis));
}

void Expansion::quantize(const std::string &name, const std::string &scale, const std::string &zero, const std::string &output) {
  add("QuantizeLinear", {name, scale, zero}, output);
}

std::string Expansion::dequantizeBias(const std::string &bias, const std::string &a, const std::string &b, float factor) {
  if (bias.empty())
    return bias;
  auto left = tensors.find(a), right = tensors.find(b);
  if (left == tensors.end() || right == tensors.end() || !left->second.constant || !right->second.constant)
    return ""; // the caller looks for constant scales first
  std::vector<double> lefts = left->second.constant->numbers(), rights = right->second.constant->numbers(), products;
  for (double scale : rights)
    products.push_back(lefts.front() * scale * factor);
  return dequantize(bias, constant(HostTensor::fromNumbers(left->second.element, right->second.shape, products)), "", -1);
}

void Expansion::multiplyCodes(const Codes &a, const Codes &b, const std::string &bias, const std::string &output) {
  std::string sum = apply("MatMulInteger", {a.codes, b.codes, a.zero, b.zero});
  std::string real = apply("Cast", sum, makeInt("to", onnx::TensorProto::FLOAT)), scale = apply("Mul", {a.scale, b.scale});
  std::string product = bias.empty() ? output : fresh("product");
  add("Mul", {real, scale}, product);
  if (!bias.empty())
    add("Add", {product, bias}, output);
}
