//===- Graph.cpp - an ONNX graph while it is made ---------------------------===//
#include "Graph.h"
#include <onnx/onnx_pb.h>
#include <map>
#include <set>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

/// Reductions have their axes as an input from this version on, which is the newest that most runtimes read.
static constexpr int64_t kLeastOpset = 18;

int32_t exporter::onnxType(Type element) {
  if (element.isF32())
    return onnx::TensorProto::FLOAT;
  if (element.isF64())
    return onnx::TensorProto::DOUBLE;
  if (element.isUnsignedInteger(8))
    return onnx::TensorProto::UINT8;
  if (!element.isSignlessInteger())
    return 0;
  switch (element.getIntOrFloatBitWidth()) {
  case 1:
    return onnx::TensorProto::BOOL;
  case 8:
    return onnx::TensorProto::INT8;
  case 16:
    return onnx::TensorProto::INT16;
  case 32:
    return onnx::TensorProto::INT32;
  case 64:
    return onnx::TensorProto::INT64;
  default:
    return 0;
  }
}

Graph::Graph(StringRef name) : model(std::make_unique<onnx::ModelProto>()), version(kLeastOpset) {
  model->mutable_graph()->set_name(name.empty() ? "main" : name.str());
}

Graph::~Graph() = default;

std::string Graph::makeUnique(StringRef hint, StringRef type) {
  std::string name = hint.empty() ? type.str() : hint.str();
  if (names.insert(name).second)
    return name;
  if (!hint.empty() && !type.empty()) {
    name += "/" + type.str();
    if (names.insert(name).second)
      return name;
  }
  for (int64_t count = 1;; ++count)
    if (std::string numbered = name + "_" + std::to_string(count); names.insert(numbered).second)
      return numbered;
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

static void describe(onnx::ValueInfoProto &info, StringRef name, Type element, ArrayRef<int64_t> shape,
                     ArrayRef<std::string> symbols) {
  info.set_name(name.str());
  onnx::TypeProto::Tensor &tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnxType(element));
  tensor.mutable_shape();
  for (auto [size, symbol] : llvm::zip_equal(shape, symbols)) {
    onnx::TensorShapeProto::Dimension &dim = *tensor.mutable_shape()->add_dim();
    if (ShapedType::isDynamic(size))
      dim.set_dim_param(symbol);
    else
      dim.set_dim_value(size);
  }
}

void Graph::addInput(StringRef name, Type element, ArrayRef<int64_t> shape, ArrayRef<std::string> symbols) {
  reserve(name);
  describe(*model->mutable_graph()->add_input(), name, element, shape, symbols);
}

void Graph::addOutput(StringRef name, Type element, ArrayRef<int64_t> shape, ArrayRef<std::string> symbols) {
  reserve(name);
  describe(*model->mutable_graph()->add_output(), name, element, shape, symbols);
}

void Graph::setOutput(StringRef output, const std::string &name) {
  if (output == name)
    return; // an input that is an output
  onnx::NodeProto *producer = findProducer(name);
  if (producer && renamed.try_emplace(name, output.str()).second)
    return;
  onnx::NodeProto &copy = *model->mutable_graph()->add_node();
  copy.set_op_type("Identity");
  copy.set_name(makeUnique(output, "Identity"));
  copy.add_input(name);
  copy.add_output(output.str());
}

//===----------------------------------------------------------------------===//
// Nodes and constants
//===----------------------------------------------------------------------===//

static void setAttribute(onnx::AttributeProto &proto, const NodeAttribute &attribute) {
  proto.set_name(attribute.name.str());
  if (auto *integer = std::get_if<int64_t>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::INT);
    proto.set_i(*integer);
  } else if (auto *number = std::get_if<float>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::FLOAT);
    proto.set_f(*number);
  } else if (auto *text = std::get_if<std::string>(&attribute.value)) {
    proto.set_type(onnx::AttributeProto::STRING);
    proto.set_s(*text);
  } else {
    proto.set_type(onnx::AttributeProto::INTS);
    for (int64_t item : std::get<SmallVector<int64_t>>(attribute.value))
      proto.add_ints(item);
  }
}

std::string Graph::addNode(StringRef type, ArrayRef<std::string> inputs, StringRef hint,
                           ArrayRef<NodeAttribute> attributes) {
  std::string name = makeUnique(hint, type);
  producers[name] = model->graph().node_size();
  onnx::NodeProto &node = *model->mutable_graph()->add_node();
  node.set_op_type(type.str());
  node.set_name(name);
  for (const std::string &input : inputs)
    node.add_input(input);
  node.add_output(name);
  for (const NodeAttribute &attribute : attributes)
    setAttribute(*node.add_attribute(), attribute);
  return name;
}

std::string Graph::addReshape(const std::string &input, ArrayRef<int64_t> from, ArrayRef<int64_t> shape, StringRef hint) {
  if (from == shape)
    return input;
  auto before = reshaped.find(input);
  if (before != reshaped.end()) {
    auto [source, sourceShape] = before->second;
    return addReshape(source, sourceShape, shape, hint);
  }
  SmallVector<int64_t> sizes(shape);
  std::replace(sizes.begin(), sizes.end(), int64_t(ShapedType::kDynamic), int64_t(-1));
  std::string name = addNode("Reshape", {input, addIntegers(sizes, "")}, hint);
  reshaped[name] = {input, SmallVector<int64_t>(from)};
  return name;
}

std::string Graph::addConstant(ConstantTensor tensor, StringRef hint) {
  // Scales, zero points, shapes and the like occur often.
  constexpr size_t small = 256;
  std::string key;
  if (tensor.bytes.size() <= small) {
    key = std::to_string(tensor.type) + ":";
    for (int64_t size : tensor.shape)
      key += std::to_string(size) + "x";
    key += ":" + tensor.bytes;
    if (auto found = smallConstants.find(key); found != smallConstants.end())
      return found->second;
  }
  std::string name = makeUnique(hint, "constant");
  if (!key.empty())
    smallConstants[key] = name;
  onnx::TensorProto &proto = *model->mutable_graph()->add_initializer();
  proto.set_name(name);
  proto.set_data_type(tensor.type);
  for (int64_t size : tensor.shape)
    proto.add_dims(size);
  proto.set_raw_data(std::move(tensor.bytes));
  return name;
}

std::string Graph::addIntegers(ArrayRef<int64_t> values, StringRef hint) {
  std::string bytes(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(int64_t));
  return addConstant({onnx::TensorProto::INT64, {static_cast<int64_t>(values.size())}, std::move(bytes)}, hint);
}

std::string Graph::addScalar(float value, StringRef hint) {
  return addConstant({onnx::TensorProto::FLOAT, {}, std::string(reinterpret_cast<const char *>(&value), sizeof(value))}, hint);
}

onnx::NodeProto *Graph::findProducer(StringRef name) {
  auto found = producers.find(name);
  return found == producers.end() ? nullptr : model->mutable_graph()->mutable_node(found->second);
}

//===----------------------------------------------------------------------===//
// The end
//===----------------------------------------------------------------------===//

/// The nodes that the outputs need, each behind those whose results it reads: a bias may have come after its contraction.
static std::vector<onnx::NodeProto *> sortNeeded(onnx::GraphProto &graph, std::set<std::string> &needed) {
  std::map<std::string, onnx::NodeProto *> makers;
  for (onnx::NodeProto &node : *graph.mutable_node())
    makers[node.output(0)] = &node;
  std::vector<onnx::NodeProto *> sorted;
  std::set<onnx::NodeProto *> done;
  std::vector<onnx::NodeProto *> open;
  for (const onnx::ValueInfoProto &output : graph.output())
    if (auto maker = makers.find(output.name()); maker != makers.end())
      open.push_back(maker->second);
  std::reverse(open.begin(), open.end());
  while (!open.empty()) {
    onnx::NodeProto *node = open.back();
    size_t waiting = open.size();
    for (const std::string &input : llvm::reverse(node->input())) {
      needed.insert(input);
      auto maker = makers.find(input);
      if (maker != makers.end() && !done.count(maker->second))
        open.push_back(maker->second);
    }
    if (open.size() != waiting)
      continue;
    open.pop_back();
    if (done.insert(node).second)
      sorted.push_back(node);
  }
  return sorted;
}

void Graph::removeUnused() {
  onnx::GraphProto &graph = *model->mutable_graph();
  std::set<std::string> needed;
  google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
  for (onnx::NodeProto *node : sortNeeded(graph, needed))
    *nodes.Add() = std::move(*node);
  graph.mutable_node()->Swap(&nodes);
  google::protobuf::RepeatedPtrField<onnx::TensorProto> constants;
  for (onnx::TensorProto &constant : *graph.mutable_initializer())
    if (needed.count(constant.name()))
      constants.Add(std::move(constant));
  graph.mutable_initializer()->Swap(&constants);
}

std::unique_ptr<onnx::ModelProto> Graph::finish() {
  auto rename = [&](std::string &name) {
    if (auto found = renamed.find(name); found != renamed.end())
      name = found->second;
  };
  for (onnx::NodeProto &node : *model->mutable_graph()->mutable_node()) {
    for (std::string &input : *node.mutable_input())
      rename(input);
    for (std::string &output : *node.mutable_output())
      rename(output);
  }
  removeUnused();
  onnx::OperatorSetIdProto &opset = *model->add_opset_import();
  opset.set_domain("");
  opset.set_version(version);
  // The version of the file format that came with the operators: 8 for 15 to 18, 9 for 19 and 20, 10 for 21.
  model->set_ir_version(version <= 18 ? 8 : version <= 20 ? 9 : 10);
  return std::move(model);
}
