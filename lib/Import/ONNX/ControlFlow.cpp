//===- ControlFlow.cpp - ONNX's If and Loop ---------------------------------===//
//
// Decided while importing: of an If the branch is imported that its constant condition takes, of a Loop its body once for each iteration. What
// decides (trip counts, conditions) is computed from constants and shapes by the operators' own evaluation.
//
//===----------------------------------------------------------------------===//
#include "Broadcast.h"
#include "GraphImporter.h"
#include "Shape.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

/// Each iteration is code of its own.
static constexpr int64_t kMaxIterations = 2048;

/// The graph in an attribute of the node; null if it has none.
static const onnx::GraphProto *findGraph(const onnx::NodeProto &proto, StringRef name) {
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (attribute.name() == name && attribute.has_g())
      return &attribute.g();
  return nullptr;
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// Imports the branch of an If that its constant condition takes; the other is not looked at. Names of the branch end with it.
std::string GraphImporter::importBranch(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators) {
  HostTensorRef condition = tensors[proto.input(0)].constant;
  if (!condition || condition->count() != 1)
    return "a condition that is not constant: where it is computed from an input, --value gives that input a value";
  StringRef name = condition->scalar() != 0 ? "then_branch" : "else_branch";
  const onnx::GraphProto *branch = findGraph(proto, name);
  if (!branch || branch->output_size() != proto.output_size())
    return "a branch that does not give its outputs";
  TensorMap outside = tensors;
  readInitializers(*branch);
  bool complete = importNodes(*branch, operators);
  SmallVector<Tensor> results;
  for (const onnx::ValueInfoProto &output : branch->output()) {
    auto found = tensors.find(output.name());
    if (found == tensors.end())
      break;
    results.push_back(found->second);
  }
  tensors = std::move(outside);
  if (!complete || results.size() != static_cast<size_t>(proto.output_size()))
    return "its " + name.str() + " is not supported";
  for (auto [output, result] : llvm::zip(proto.output(), results))
    tensors[output] = result;
  return "";
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// What a body defines: names that hold until its next iteration.
static SmallVector<std::string> namesOf(const onnx::GraphProto &body) {
  SmallVector<std::string> names;
  for (const onnx::ValueInfoProto &input : body.input())
    names.push_back(input.name());
  for (const onnx::NodeProto &node : body.node())
    for (const std::string &output : node.output())
      if (!output.empty())
        names.push_back(output);
  return names;
}

/// The number in an optional constant input; `absent` without one, nothing if it is no constant.
static std::optional<int64_t> readControl(const TensorMap &tensors, const onnx::NodeProto &proto, int i, int64_t absent) {
  if (proto.input_size() <= i || proto.input(i).empty())
    return absent;
  HostTensorRef constant = tensors.find(proto.input(i))->second.constant;
  if (!constant || constant->count() != 1 || constant->symbolic)
    return std::nullopt;
  return constant->integers().front();
}

/// The results of all iterations, along a new leading dimension; null if they are not of one shape.
static Value stack(Node &node, ArrayRef<Tensor> results) {
  SmallVector<Value> rows;
  for (const Tensor &result : results) {
    if (result.shape != results.front().shape || result.element != results.front().element || result.isDynamic())
      return {};
    SmallVector<int64_t> shape = result.shape;
    shape.insert(shape.begin(), 1);
    rows.push_back(reshape(node, materialize(node, result), shape));
  }
  return rows.size() == 1 ? rows.front() : tensor::ConcatOp::create(node.builder, node.loc, 0, rows).getResult();
}

/// Imports the body of a Loop once for each iteration.
std::string GraphImporter::importLoop(const onnx::NodeProto &proto, Node &node, std::vector<OnnxOperator> &operators) {
  static const std::string kUnknownLength = "only a run knows how often: it is computed from an input, to which --value may give a value";
  const onnx::GraphProto *body = findGraph(proto, "body");
  const int carried = std::max(proto.input_size() - 2, 0);
  if (!body || body->input_size() != carried + 2 || body->output_size() < carried + 1 || proto.output_size() > body->output_size() - 1)
    return "a body that does not fit its inputs and outputs";
  std::optional<int64_t> trips = readControl(tensors, proto, 0, std::numeric_limits<int64_t>::max());
  std::optional<int64_t> goesOn = readControl(tensors, proto, 1, 1);
  if (!trips || !goesOn)
    return kUnknownLength;
  SmallVector<std::string> names = namesOf(*body);
  for (const std::string &name : names)
    if (tensors.contains(name))
      return "its body gives '" + name + "' a second meaning";
  SmallVector<Tensor> state;
  for (int i = 0; i < carried; ++i)
    state.push_back(tensors.find(proto.input(i + 2))->second);
  readInitializers(*body);

  MLIRContext *context = builder.getContext();
  std::vector<SmallVector<Tensor>> scans(body->output_size() - 1 - carried);
  std::string reason;
  for (int64_t iteration = 0; iteration < *trips && *goesOn && reason.empty(); ++iteration) {
    if (iteration == kMaxIterations) {
      reason = "more than " + std::to_string(kMaxIterations) + " iterations, each of which is written out";
      break;
    }
    tensors[body->input(0).name()] = toTensor(HostTensor::fromIntegers(IntegerType::get(context, 64), {}, {iteration}));
    tensors[body->input(1).name()] = toTensor(HostTensor::fromIntegers(IntegerType::get(context, 1), {}, {1}));
    for (auto [i, tensor] : llvm::enumerate(state))
      tensors[body->input(i + 2).name()] = tensor;
    std::vector<OnnxOperator> again; // the rows of the first iteration are those of all
    if (!importNodes(*body, iteration ? again : operators))
      reason = "its body is not supported";
    SmallVector<Tensor> results;
    for (const onnx::ValueInfoProto &output : body->output())
      if (auto found = tensors.find(output.name()); found != tensors.end())
        results.push_back(found->second);
    if (reason.empty() && static_cast<int>(results.size()) != body->output_size())
      reason = "a body that does not give its outputs";
    HostTensorRef condition = reason.empty() ? results.front().constant : HostTensorRef();
    if (reason.empty() && (!condition || condition->count() != 1 || condition->symbolic))
      reason = kUnknownLength;
    for (const std::string &name : names)
      tensors.erase(name);
    if (!reason.empty())
      break;
    goesOn = condition->integers().front();
    state.assign(results.begin() + 1, results.begin() + 1 + carried);
    for (auto [scan, result] : llvm::zip_equal(scans, ArrayRef(results).drop_front(1 + carried)))
      scan.push_back(result);
  }
  for (const onnx::TensorProto &initializer : body->initializer())
    tensors.erase(initializer.name());

  for (int i = 0; i < proto.output_size() && reason.empty(); ++i) {
    if (proto.output(i).empty())
      continue;
    if (i < carried) {
      tensors[proto.output(i)] = state[i];
      continue;
    }
    ArrayRef<Tensor> results = scans[i - carried];
    Value all = results.empty() ? Value() : stack(node, results);
    if (all)
      tensors[proto.output(i)] = toTensor(all);
    else
      reason = "output " + std::to_string(i) + " has no iterations, or iterations of different shapes";
  }
  return reason;
}
