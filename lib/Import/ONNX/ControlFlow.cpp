//===- ControlFlow.cpp - ONNX's If, Loop and Scan ---------------------------===//
//
// Decided while importing: of an If the branch is imported that its constant condition takes, of a Loop or Scan its body once for each iteration. What
// decides (trip counts, conditions) is computed from constants and shapes by the operators' own evaluation.
//
//===----------------------------------------------------------------------===//
#include "Axis.h"
#include "Broadcast.h"
#include "GraphImporter.h"
#include "Movement.h"
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
// Loop and Scan
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
  if (rows.size() < 2)
    return rows.empty() ? Value() : rows.front();
  return tensor::ConcatOp::create(node.builder, node.loc, 0, rows);
}

/// Imports a body once, on `inputs`; its outputs, or nothing with a reason.
std::optional<SmallVector<Tensor>> GraphImporter::importIteration(const onnx::GraphProto &body, ArrayRef<Tensor> inputs,
                                                                  std::vector<OnnxOperator> &operators, std::string &reason) {
  SmallVector<std::string> names = namesOf(body);
  for (const std::string &name : names)
    if (tensors.contains(name)) {
      reason = "its body gives '" + name + "' a second meaning";
      return std::nullopt;
    }
  for (auto [value, tensor] : llvm::zip_equal(body.input(), inputs))
    tensors[value.name()] = tensor;
  const bool complete = importNodes(body, operators);
  SmallVector<Tensor> results;
  for (const onnx::ValueInfoProto &output : body.output())
    if (auto found = tensors.find(output.name()); found != tensors.end())
      results.push_back(found->second);
  for (const std::string &name : names)
    tensors.erase(name);
  if (!complete)
    reason = "its body is not supported";
  else if (static_cast<int>(results.size()) != body.output_size())
    reason = "a body that does not give its outputs";
  return reason.empty() ? std::optional(std::move(results)) : std::nullopt;
}

/// The node's outputs: the last states, and what the iterations gave, stacked. The reason if they can't be.
static std::string setResults(Node &node, const onnx::NodeProto &proto, TensorMap &tensors, ArrayRef<Tensor> state,
                              ArrayRef<SmallVector<Tensor>> scans, llvm::function_ref<Value(size_t, Value)> arrange) {
  for (auto [i, name] : llvm::enumerate(proto.output())) {
    if (name.empty())
      continue;
    if (i < state.size()) {
      tensors[name] = state[i];
      continue;
    }
    Value all = stack(node, scans[i - state.size()]);
    if (!all)
      return "output " + std::to_string(i) + " has no iterations, or iterations of different shapes";
    tensors[name] = toTensor(arrange(i - state.size(), all));
  }
  return "";
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
  SmallVector<Tensor> state;
  for (int i = 0; i < carried; ++i)
    state.push_back(tensors.find(proto.input(i + 2))->second);
  auto number = [&](unsigned bits, int64_t value) {
    return toTensor(HostTensor::fromIntegers(IntegerType::get(builder.getContext(), bits), {}, {value}));
  };
  readInitializers(*body);
  std::vector<SmallVector<Tensor>> scans(body->output_size() - 1 - carried);
  std::string reason;
  for (int64_t iteration = 0; iteration < *trips && *goesOn; ++iteration) {
    if (iteration == kMaxIterations)
      return "more than " + std::to_string(kMaxIterations) + " iterations, each of which is written out";
    SmallVector<Tensor> inputs = {number(64, iteration), number(1, 1)};
    llvm::append_range(inputs, state);
    std::vector<OnnxOperator> again; // the rows of the first iteration are those of all
    std::optional<SmallVector<Tensor>> results = importIteration(*body, inputs, iteration ? again : operators, reason);
    if (!results)
      return reason;
    HostTensorRef condition = results->front().constant;
    if (!condition || condition->count() != 1 || condition->symbolic)
      return kUnknownLength;
    goesOn = condition->integers().front();
    state.assign(results->begin() + 1, results->begin() + 1 + carried);
    for (auto [scan, result] : llvm::zip_equal(scans, ArrayRef(*results).drop_front(1 + carried)))
      scan.push_back(result);
  }
  return setResults(node, proto, tensors, state, scans, [](size_t, Value all) { return all; });
}

/// An attribute of one number for each of `count` tensors; zeros if it is absent.
static SmallVector<int64_t> readEach(Node &node, StringRef name, size_t count) {
  SmallVector<int64_t> values = node.getInts(name, SmallVector<int64_t>(count, 0));
  values.resize(count, 0);
  return values;
}

/// Imports the body of a Scan once for each position of the axes that it goes along.
std::string GraphImporter::importScan(const onnx::NodeProto &proto, Node &node, std::vector<OnnxOperator> &operators) {
  const onnx::GraphProto *body = findGraph(proto, "body");
  const int64_t scanned = node.getInt("num_scan_inputs", 0), carried = proto.input_size() - scanned;
  if (!body || scanned < 1 || carried < 0 || body->input_size() != proto.input_size() || body->output_size() != proto.output_size() ||
      body->output_size() < carried)
    return "a body that does not fit its inputs and outputs";
  const size_t given = body->output_size() - carried;
  SmallVector<int64_t> axes = readEach(node, "scan_input_axes", scanned), backwards = readEach(node, "scan_input_directions", scanned);
  SmallVector<int64_t> outputAxes = readEach(node, "scan_output_axes", given), outputBackwards = readEach(node, "scan_output_directions", given);
  int64_t steps = -1;
  for (int64_t i = 0; i < scanned; ++i) {
    const Tensor &x = node.input(carried + i);
    axes[i] = fromStart(axes[i], x.rank());
    if (axes[i] < 0 || axes[i] >= x.rank() || x.isDynamic() || (steps >= 0 && steps != x.shape[axes[i]]))
      return "axes outside its inputs, of different lengths or of a dynamic input";
    steps = x.shape[axes[i]];
  }
  if (steps > kMaxIterations)
    return "more than " + std::to_string(kMaxIterations) + " iterations, each of which is written out";
  SmallVector<Tensor> state;
  for (int64_t i = 0; i < carried; ++i)
    state.push_back(node.input(i));
  readInitializers(*body);
  std::vector<SmallVector<Tensor>> scans(given);
  std::string reason;
  for (int64_t step = 0; step < steps; ++step) {
    SmallVector<Tensor> inputs = state;
    for (int64_t i = 0; i < scanned; ++i) {
      const Tensor &x = node.input(carried + i);
      SliceRange range{SmallVector<int64_t>(x.rank(), 0), x.shape, SmallVector<int64_t>(x.rank(), 1)};
      range.starts[axes[i]] = backwards[i] ? steps - 1 - step : step;
      range.sizes[axes[i]] = 1;
      inputs.push_back(toTensor(extract(node, node.operand(carried + i), range, axes[i])));
      inputs.back().element = x.element;
    }
    std::vector<OnnxOperator> again;
    std::optional<SmallVector<Tensor>> results = importIteration(*body, inputs, step ? again : operators, reason);
    if (!results)
      return reason;
    state.assign(results->begin(), results->begin() + carried);
    for (auto [i, scan] : llvm::enumerate(scans))
      scan.insert(outputBackwards[i] ? scan.begin() : scan.end(), (*results)[carried + i]);
  }
  return setResults(node, proto, tensors, state, scans, [&](size_t i, Value all) {
    const int64_t rank = cast<RankedTensorType>(all.getType()).getRank(), axis = fromStart(outputAxes[i], rank);
    if (axis <= 0 || axis >= rank)
      return all;
    SmallVector<int64_t> order = llvm::to_vector(llvm::seq<int64_t>(1, rank));
    order.insert(order.begin() + axis, 0);
    return transpose(node, all, order);
  });
}
