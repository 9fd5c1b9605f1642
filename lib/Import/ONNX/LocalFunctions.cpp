//===- LocalFunctions.cpp - functions that a model brings along ---------------===//
//
// A call stands for the nodes of the function, with the call's tensors and attributes in place of the function's parameters. The schema that is built with
// has no defaults of attributes and no overloads, which came later: they are read as fields that it does not know.
//
//===----------------------------------------------------------------------===//
#include "GraphImporter.h"
#include "llvm/Support/SaveAndRestore.h"
#include <google/protobuf/unknown_field_set.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

// Numbers of later fields of onnx.proto.
static constexpr int kNodeOverload = 8, kFunctionDefaults = 11, kFunctionOverload = 13;

/// The contents of a field that the schema does not have, each time it is there.
static std::vector<std::string> readUnknown(const google::protobuf::Message &message, int number) {
  const google::protobuf::UnknownFieldSet &fields = message.GetReflection()->GetUnknownFields(message);
  std::vector<std::string> contents;
  for (int i = 0; i < fields.field_count(); ++i)
    if (fields.field(i).number() == number && fields.field(i).type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      contents.push_back(fields.field(i).length_delimited());
  return contents;
}

static std::string readOverload(const google::protobuf::Message &message, int number) {
  std::vector<std::string> contents = readUnknown(message, number);
  return contents.empty() ? "" : contents.back();
}

namespace {
/// What a function's names mean where it is called.
class Call {
public:
  Call(const onnx::NodeProto &call, const onnx::FunctionProto &function);

  std::vector<onnx::NodeProto> nodes() const;

private:
  std::string rename(const std::string &name) const;
  onnx::NodeProto instantiate(const onnx::NodeProto &node) const;
  onnx::GraphProto instantiate(const onnx::GraphProto &graph) const;
  void instantiate(const onnx::AttributeProto &attribute, onnx::NodeProto &node) const;

  const onnx::NodeProto &call;
  const onnx::FunctionProto &function;
  llvm::StringMap<std::string> names; ///< of parameters and results; absent inputs are ""
  llvm::StringMap<onnx::AttributeProto> attributes;
};
} // namespace

Call::Call(const onnx::NodeProto &call, const onnx::FunctionProto &function) : call(call), function(function) {
  for (int i = 0; i < function.input_size(); ++i)
    names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  for (int i = 0; i < function.output_size() && i < call.output_size(); ++i)
    if (!call.output(i).empty())
      names.try_emplace(function.output(i), call.output(i));
  for (const std::string &text : readUnknown(function, kFunctionDefaults)) {
    onnx::AttributeProto attribute;
    if (attribute.ParseFromString(text))
      attributes[attribute.name()] = attribute;
  }
  for (const onnx::AttributeProto &attribute : call.attribute())
    attributes[attribute.name()] = attribute;
}

std::string Call::rename(const std::string &name) const {
  auto found = names.find(name);
  return name.empty() || found != names.end() ? (name.empty() ? "" : found->second) : call.output(0) + "\x01" + name;
}

void Call::instantiate(const onnx::AttributeProto &attribute, onnx::NodeProto &node) const {
  if (attribute.ref_attr_name().empty()) {
    onnx::AttributeProto &made = *node.add_attribute();
    made = attribute;
    if (attribute.has_g())
      *made.mutable_g() = instantiate(attribute.g());
    return;
  }
  auto given = attributes.find(attribute.ref_attr_name());
  if (given == attributes.end())
    return; // the operator's own default
  onnx::AttributeProto &made = *node.add_attribute();
  made = given->second;
  made.set_name(attribute.name());
}

onnx::GraphProto Call::instantiate(const onnx::GraphProto &graph) const {
  onnx::GraphProto made = graph;
  made.clear_node();
  for (const onnx::NodeProto &node : graph.node())
    *made.add_node() = instantiate(node);
  for (auto *values : {made.mutable_input(), made.mutable_output()})
    for (onnx::ValueInfoProto &value : *values)
      value.set_name(rename(value.name()));
  for (onnx::TensorProto &tensor : *made.mutable_initializer())
    tensor.set_name(rename(tensor.name()));
  return made;
}

onnx::NodeProto Call::instantiate(const onnx::NodeProto &node) const {
  onnx::NodeProto made = node;
  made.set_name((call.name().empty() ? call.output(0) : call.name()) + "/" + (node.name().empty() && node.output_size() ? node.output(0) : node.name()));
  made.clear_attribute();
  for (const onnx::AttributeProto &attribute : node.attribute())
    instantiate(attribute, made);
  for (auto *tensors : {made.mutable_input(), made.mutable_output()})
    for (std::string &name : *tensors)
      name = rename(name);
  return made;
}

std::vector<onnx::NodeProto> Call::nodes() const {
  std::vector<onnx::NodeProto> result;
  for (const onnx::NodeProto &node : function.node())
    result.push_back(instantiate(node));
  // A result that is a parameter, or that the call has twice.
  for (int i = 0; i < function.output_size() && i < call.output_size(); ++i)
    if (std::string made = rename(function.output(i)); !call.output(i).empty() && made != call.output(i)) {
      onnx::NodeProto copy;
      copy.set_op_type("Identity");
      copy.add_input(made);
      copy.add_output(call.output(i));
      result.push_back(std::move(copy));
    }
  return result;
}

/// The model's function that the node calls; null if it calls none.
static const onnx::FunctionProto *findFunction(const onnx::ModelProto &model, const onnx::NodeProto &node) {
  for (const onnx::FunctionProto &function : model.functions())
    if (function.domain() == node.domain() && function.name() == node.op_type() &&
        readOverload(function, kFunctionOverload) == readOverload(node, kNodeOverload))
      return &function;
  return nullptr;
}

std::optional<std::string> GraphImporter::importCall(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators) {
  const onnx::FunctionProto *function = proto.output_size() ? findFunction(file.model, proto) : nullptr;
  if (!function)
    return std::nullopt;
  std::optional<std::string> reason = findUnknownInput(proto);
  if (!reason && !called.insert(function).second)
    reason = "the function calls itself";
  if (reason)
    return refuse(proto, *reason);
  llvm::SaveAndRestore definitions(opset);
  for (const onnx::OperatorSetIdProto &import : function->opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx")
      opset = import.version();
  std::string failed = importExpanded(proto, Call(proto, *function).nodes(), operators);
  called.erase(function);
  return failed;
}
