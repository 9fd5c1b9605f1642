//===- Importer.cpp - ONNX graphs to modules --------------------------------===//
//
// Walks the nodes in their order, each by its row of the registry. A node that is not supported leaves its results
// unknown; nodes that read an unknown tensor are judged by their row alone, so that one run finds every problem.
//
//===----------------------------------------------------------------------===//
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Import/ONNX.h"
#include "Broadcast.h"
#include "Expansion.h"
#include "GraphImporter.h"
#include "Operators.h"
#include "Quantization.h"
#include "Reader.h"
#include "SmallFloats.h"
#include "halftone/Support/NameList.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

static constexpr int64_t kFirstOpset = 1, kLastOpset = 28;

bool mlir::halftone::parseDim(StringRef text, std::map<std::string, DimRange> &dims, std::string &error) {
  auto [name, sizes] = text.split('=');
  auto [low, high] = sizes.split("..");
  DimRange range;
  bool bad = name.empty() || low.getAsInteger(10, range.low);
  range.high = range.low;
  if (sizes.contains(".."))
    bad |= high.getAsInteger(10, range.high);
  if (bad || range.low < 1 || range.high < range.low) {
    error = "'" + text.str() + "' is not NAME=SIZE or NAME=LOW..HIGH with 1 <= LOW <= HIGH";
    return false;
  }
  dims[name.str()] = range;
  return true;
}

bool mlir::halftone::parseValue(StringRef text, std::map<std::string, double> &values, std::string &error) {
  auto [name, number] = text.rsplit('=');
  double value;
  if (name.empty() || number.getAsDouble(value)) {
    error = "'" + text.str() + "' is not NAME=NUMBER";
    return false;
  }
  values[name.str()] = value;
  return true;
}

/// A name of the file. ONNX says that it is UTF-8, reports rely on it, and not all files keep to it.
static StringAttr nameAttr(Builder &builder, StringRef name) { return builder.getStringAttr(llvm::json::fixUTF8(name)); }

//===----------------------------------------------------------------------===//
// The model
//===----------------------------------------------------------------------===//

LogicalResult GraphImporter::checkOpset() {
  for (const onnx::OperatorSetIdProto &import : file.model.opset_import())
    if (import.domain().empty() || import.domain() == "ai.onnx")
      opset = import.version();
  if (opset >= kFirstOpset && opset <= kLastOpset)
    return success();
  return emitError(loc) << "'" << file.path << "' uses opset " << opset << "; opsets " << kFirstOpset << " to "
                        << kLastOpset << " are read, export the model with one of them";
}

/// The name of a dimension by its place.
static std::string placeOf(StringRef input, int64_t axis) { return (input + "." + Twine(axis)).str(); }

/// Whether the model gives the dimension a name, not none and not a mere mark (?).
static bool isNamed(const onnx::TensorShapeProto::Dimension &dim) {
  return llvm::any_of(dim.dim_param(), [](char c) { return llvm::isAlnum(c); });
}

/// Every dimension that the options name must be one of the model's, by its name or by its place.
LogicalResult GraphImporter::checkDimNames() {
  std::set<std::string> known, places;
  for (const onnx::ValueInfoProto &input : graph.input())
    for (auto [axis, dim] : llvm::enumerate(input.type().tensor_type().shape().dim())) {
      if (dim.dim_value() > 0)
        continue;
      places.insert(placeOf(input.name(), axis));
      known.insert(isNamed(dim) ? dim.dim_param() : placeOf(input.name(), axis));
    }
  for (const auto &entry : options.dims)
    if (!known.count(entry.first) && !places.count(entry.first))
      return emitError(loc) << "the model has no symbolic dimension '" << entry.first << "'; it has "
                            << (known.empty() ? "none" : "'" + llvm::join(known, "', '") + "'");
  return success();
}

LogicalResult GraphImporter::checkValueNames() {
  std::set<std::string> names;
  for (const onnx::ValueInfoProto &input : graph.input())
    names.insert(input.name());
  for (const auto &entry : options.values)
    if (!names.count(entry.first))
      return emitError(loc) << "the model has no input '" << entry.first << "'; it has '" << llvm::join(names, "', '") << "'";
  return success();
}

void GraphImporter::readInitializers(const onnx::GraphProto &nodes) {
  for (const onnx::TensorProto &proto : nodes.initializer()) {
    std::string error;
    std::optional<HostTensor> tensor = readTensor(builder.getContext(), proto, error);
    if (!tensor) {
      unknown[proto.name()] = "its input '" + proto.name() + "' has " + error;
      continue;
    }
    tensors[proto.name()] = toTensor(std::move(*tensor));
  }
  for (const onnx::SparseTensorProto &proto : nodes.sparse_initializer())
    unknown[proto.values().name()] = "its input '" + proto.values().name() + "' is sparse";
}

//===----------------------------------------------------------------------===//
// Inputs and outputs
//===----------------------------------------------------------------------===//

/// Named dimensions that lead an input without a size given: they are 1 wherever they occur.
void GraphImporter::collectLeading() {
  for (const onnx::ValueInfoProto &input : graph.input()) {
    const auto &shape = input.type().tensor_type().shape();
    if (shape.dim_size() && shape.dim(0).dim_value() <= 0 && isNamed(shape.dim(0)) && !options.dims.count(shape.dim(0).dim_param()) &&
        !options.dims.count(placeOf(input.name(), 0)))
      leadingOnes.insert(shape.dim(0).dim_param());
  }
}

/// All dimensions that need a size, in one error.
LogicalResult GraphImporter::reportMissing() const {
  if (missing.empty())
    return success();
  std::string named;
  std::vector<std::string> flags;
  for (auto it = missing.begin(); it != missing.end();) {
    auto end = std::find_if(it, missing.end(), [&](const auto &entry) { return entry.first != it->first; });
    std::vector<std::string> symbols;
    for (auto entry = it; entry != end; ++entry) {
      symbols.push_back("'" + entry->second + "'");
      if (std::string flag = "--dim " + entry->second + "=SIZE"; !llvm::is_contained(flags, flag))
        flags.push_back(flag);
    }
    named += (named.empty() ? "input '" : "; input '") + it->first + "' has the dimension" + (symbols.size() > 1 ? "s " : " ") +
             llvm::join(symbols, ", ");
    it = end;
  }
  return emitError(loc) << named << " without a size: give " << (flags.size() > 1 ? "them" : "it") << " with "
                        << llvm::join(flags, " ");
}

/// Leading dimensions that are 1 because no size is given, in one remark, each with its inputs.
void GraphImporter::remarkOnes() const {
  if (setToOne.empty())
    return;
  std::vector<std::string> dimensions;
  for (const auto &[symbol, inputs] : setToOne)
    dimensions.push_back("'" + symbol + "' of " + (inputs.size() > 1 ? "inputs " : "input ") + listNames(inputs));
  const StringRef first = setToOne.front().first;
  if (dimensions.size() == 1)
    emitRemark(loc) << "the leading dimension " << dimensions.front() << " is set to 1; --dim " << first << "=LOW..HIGH leaves it open";
  else
    emitRemark(loc) << "leading dimensions are set to 1: " << llvm::join(dimensions, "; ") << "; --dim " << first << "=SIZE gives another size, --dim "
                    << first << "=LOW..HIGH leaves it open";
}

/// The size of a symbolic dimension, given for its place or else its name; `dim` describes it if it stays dynamic.
FailureOr<int64_t> GraphImporter::readSymbol(StringRef input, StringRef symbol, int64_t axis, Attribute &dim) {
  bool leads = axis == 0;
  if (leads && options.leading)
    return *options.leading;
  auto given = options.dims.find(placeOf(input, axis));
  if (given == options.dims.end())
    given = options.dims.find(symbol.str());
  if (given == options.dims.end()) {
    if (!leads && leadingOnes.count(symbol.str()))
      return options.leading.value_or(1);
    if (!leads) {
      if (std::pair<std::string, std::string> entry(input, symbol); !llvm::is_contained(missing, entry))
        missing.push_back(std::move(entry));
      return 1;
    }
    setToOne[symbol.str()].push_back("'" + input.str() + "'");
    return 1;
  }
  DimRange range = given->second;
  if (range.low == range.high)
    return range.low;
  if (!leads)
    return emitError(loc) << "the dimension '" << symbol << "' of input '" << input
                          << "' does not lead and can't have a range: give one size";
  if (dynamicSymbol.empty()) {
    dynamicSymbol = symbol.str();
    dynamicRange = range;
  }
  // Exporters give the batch of each input a name of its own.
  if (range.low != dynamicRange.low || range.high != dynamicRange.high)
    return emitError(loc) << "only one dimension can have a range, not '" << dynamicSymbol << "' and '" << symbol
                          << "': with the same range they are one";
  dim = DimAttr::get(builder.getContext(), dynamicSymbol, range.low, range.high);
  return ShapedType::kDynamic;
}

FailureOr<SmallVector<int64_t>> GraphImporter::readInputShape(const onnx::ValueInfoProto &input,
                                                              SmallVector<Attribute> &symbols) {
  SmallVector<int64_t> shape;
  for (const auto &dim : input.type().tensor_type().shape().dim()) {
    symbols.push_back(builder.getUnitAttr());
    if (dim.dim_value() > 0) {
      shape.push_back(dim.dim_value());
      continue;
    }
    std::string symbol = isNamed(dim) ? dim.dim_param() : placeOf(input.name(), shape.size());
    FailureOr<int64_t> size = readSymbol(input.name(), symbol, shape.size(), symbols.back());
    if (failed(size))
      return failure();
    shape.push_back(*size);
  }
  return shape;
}

/// The interface is the source's but for floating-point numbers in another precision than f32.
void GraphImporter::remarkPrecision(StringRef precision, llvm::function_ref<bool(int64_t)> hasPrecision) {
  SmallVector<std::string> names;
  auto collect = [&](const auto &values) {
    for (const onnx::ValueInfoProto &value : values)
      if (hasPrecision(value.type().tensor_type().elem_type()))
        names.push_back("'" + value.name() + "'");
  };
  collect(graph.input());
  collect(graph.output());
  if (!names.empty())
    emitRemark(loc) << precision << " precision is computed in f32: so are the inputs and outputs " << llvm::join(names, ", ");
}

LogicalResult GraphImporter::addInputs(func::FuncOp function) {
  remarkPrecision("half", isHalfPrecision);
  remarkPrecision("double", [](int64_t onnxType) { return onnxType == onnx::TensorProto::DOUBLE; });
  for (const onnx::ValueInfoProto &input : graph.input()) {
    if (tensors.contains(input.name()) || (reached && !reached->contains(input.name())))
      continue; // older models list their initializers as inputs
    Type element = runtimeType(elementType(builder.getContext(), input.type().tensor_type().elem_type()));
    if (!element || !input.type().has_tensor_type() || !input.type().tensor_type().has_shape())
      return emitError(loc) << "input '" << input.name()
                            << "' is not a tensor of known rank with elements f32, f16, bf16, f64, i64, i32, i8, u8 or bool";
    SmallVector<Attribute> symbols;
    FailureOr<SmallVector<int64_t>> shape = readInputShape(input, symbols);
    if (failed(shape))
      return failure();
    if (auto value = options.values.find(input.name()); value != options.values.end()) {
      if (failed(setValue(input, element, *shape, value->second)))
        return failure();
      continue;
    }
    SmallVector<NamedAttribute> attributes = {builder.getNamedAttr(kNameAttr, nameAttr(builder, input.name()))};
    if (ShapedType::isDynamicShape(*shape))
      attributes.push_back(builder.getNamedAttr(kDimsAttr, builder.getArrayAttr(symbols)));
    if (element.isUnsignedInteger())
      attributes.push_back(builder.getNamedAttr(kUnsignedAttr, builder.getUnitAttr()));
    unsigned index = function.getNumArguments();
    auto type = RankedTensorType::get(*shape, storageType(element));
    if (failed(function.insertArgument(index, type, builder.getDictionaryAttr(attributes),
                                       NameLoc::get(nameAttr(builder, input.name())))))
      return failure();
    tensors[input.name()] = Tensor{element, *shape, function.getArgument(index), nullptr};
  }
  if (failed(reportMissing()))
    return failure();
  remarkOnes();
  return success();
}

/// Makes the input a constant.
LogicalResult GraphImporter::setValue(const onnx::ValueInfoProto &input, Type element, ArrayRef<int64_t> shape, double value) {
  if (ShapedType::isDynamicShape(shape))
    return emitError(loc) << "input '" << input.name() << "' has a dynamic dimension and can't be the constant of --value";
  const int64_t count = ShapedType::getNumElements(shape);
  bool isFloat = isa<FloatType>(element);
  auto integer = static_cast<int64_t>(value);
  if (!isFloat && static_cast<double>(integer) != value)
    return emitError(loc) << "input '" << input.name() << "' has integers: --value " << input.name() << "=" << value << " is none";
  HostTensor constant = isFloat ? HostTensor::fromNumbers(element, shape, SmallVector<double>(count, value))
                                : HostTensor::fromIntegers(element, shape, SmallVector<int64_t>(count, integer));
  constant.name = input.name();
  tensors[input.name()] = toTensor(std::move(constant));
  return success();
}

LogicalResult GraphImporter::addOutputs(func::FuncOp function) {
  SmallVector<Value> values;
  SmallVector<Attribute> attributes;
  for (const std::string &name : outputs) {
    auto found = tensors.find(name);
    if (found == tensors.end())
      return emitError(loc) << "nothing in the model makes its output '" << name << "'";
    Tensor &tensor = found->second;
    onnx::NodeProto none;
    Node node(none, opset, tensors, builder, NameLoc::get(nameAttr(builder, name)));
    if (isSmallFloat(tensor.element))
      return emitError(loc) << "output '" << name << "' is not supported: element type " << tensor.element;
    values.push_back(materialize(node, tensor));
    if (!node.reason().empty())
      return emitError(loc) << "output '" << name << "' is not supported: " << node.reason();
    SmallVector<NamedAttribute> entries = {builder.getNamedAttr(kNameAttr, nameAttr(builder, name))};
    if (tensor.element.isUnsignedInteger())
      entries.push_back(builder.getNamedAttr(kUnsignedAttr, builder.getUnitAttr()));
    attributes.push_back(builder.getDictionaryAttr(entries));
  }
  func::ReturnOp::create(builder, NameLoc::get(nameAttr(builder, graph.name())), values);
  function.setType(builder.getFunctionType(function.getArgumentTypes(), ValueRange(values).getTypes()));
  for (auto [i, attribute] : llvm::enumerate(attributes))
    function.setResultAttrs(i, cast<DictionaryAttr>(attribute));
  return success();
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static StringRef nodeName(const onnx::NodeProto &proto) {
  if (!proto.name().empty() || proto.output().empty())
    return proto.name();
  return proto.output(0);
}

/// Evaluates the node if all that it reads is constant.
static bool evaluate(Node &node, const Operator &row) {
  if (!row.evaluate)
    return false;
  for (unsigned i = 0; i < node.numInputs(); ++i)
    if (node.hasInput(i) && !node.constant(i))
      return false;
  std::optional<HostTensor> result = row.evaluate(node);
  if (result)
    node.setResult(std::move(*result));
  return result.has_value();
}

static std::string buildNode(Node &node, const Operator &row) {
  if (evaluate(node, row))
    return "";
  if (!row.build)
    return "it is supported on constants only";
  node.narrowDoubles();
  if (failed(row.build(node)) || !node.reason().empty())
    return node.reason();
  std::string unread = node.unreadAttribute();
  return unread.empty() ? "" : "attribute '" + unread + "'";
}

/// The node's results that there are not stay unknown.
std::string GraphImporter::refuse(const onnx::NodeProto &proto, const std::string &reason) {
  for (const std::string &output : proto.output())
    if (!tensors.contains(output))
      unknown[output] = "";
  return reason;
}

/// Imports the nodes that stand for one.
std::string GraphImporter::importExpanded(const onnx::NodeProto &proto, ArrayRef<onnx::NodeProto> nodes, std::vector<OnnxOperator> &operators) {
  for (const onnx::NodeProto &node : nodes)
    if (std::string reason = importNode(node, operators); !reason.empty())
      return refuse(proto, node.op_type() == proto.op_type() ? reason : node.op_type() + ", of which it is made: " + reason);
  return "";
}

/// Why an input of the node has no value, or ""; the reason of what should have made it may be "", too.
std::optional<std::string> GraphImporter::findUnknownInput(const onnx::NodeProto &proto) const {
  for (const std::string &input : proto.input()) {
    if (input.empty() || tensors.contains(input))
      continue;
    auto found = unknown.find(input);
    return found == unknown.end() ? "nothing before it makes its input '" + input + "'" : found->second;
  }
  return std::nullopt;
}

/// Imports a node that does the work of several: why it is not supported, or ""; nothing if it does not.
std::optional<std::string> GraphImporter::importFused(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators) {
  if (!isFused(proto, opset))
    return std::nullopt;
  Node node(proto, opset, tensors, builder, NameLoc::get(nameAttr(builder, nodeName(proto))));
  Expansion expansion(proto, tensors);
  std::optional<std::string> reason = findUnknownInput(proto);
  if (!reason) {
    expandFused(node, proto, expansion);
    reason = node.reason();
  }
  llvm::SaveAndRestore definitions(opset, kFusedOpset);
  if (reason->empty() && !expansion.nodes.empty())
    return importExpanded(proto, expansion.nodes, operators);
  return refuse(proto, *reason);
}

/// Imports one node; returns why it is not supported, or "". Its results are in `tensors` or in `unknown`.
std::string GraphImporter::importNode(const onnx::NodeProto &proto, std::vector<OnnxOperator> &operators) {
  auto fail = [&](const std::string &reason) { return refuse(proto, reason); };
  if (std::vector<onnx::NodeProto> nodes = expandQuantized(proto, casts, tensors); !nodes.empty())
    return importExpanded(proto, nodes, operators);
  if (std::optional<std::string> reason = importCall(proto, operators))
    return *reason;
  if (std::optional<std::string> reason = importFused(proto, operators))
    return *reason;
  if (!proto.domain().empty() && proto.domain() != "ai.onnx")
    return fail(proto.domain() == kMicrosoft || proto.domain() == kClassical ? "not among the operators of this domain that are read"
                : proto.domain() == "com.microsoft.nchwc" ? "onnxruntime's optimization for one machine: use the model as it was before it, or as level "
                                                            "'extended' makes it"
                                                          : "its domain is not known");
  const Operator *row = findOperator(proto.op_type());
  if (!row)
    return fail("the operator is not known");
  if (opset < row->since)
    return fail("its definition of opset " + std::to_string(opset) + "; supported from " + std::to_string(row->since));
  if (std::optional<std::string> reason = findUnknownInput(proto))
    return fail(*reason);
  Node node(proto, opset, tensors, builder, NameLoc::get(nameAttr(builder, nodeName(proto))));
  unsigned required = row->inputs == kAllInputs ? std::max(1u, node.numInputs()) : row->inputs;
  for (unsigned i = 0; i < required; ++i)
    if (!node.hasInput(i))
      return fail("input " + std::to_string(i) + " is absent");
  for (unsigned i = 0; i < node.numInputs(); ++i)
    if (node.hasInput(i) && isSmallFloat(node.input(i).element) && !takesSmallFloats(row->type))
      return fail("elements of type " + llvm::formatv("{0}", node.input(i).element).str());
  std::string reason = row->type == "If"     ? importBranch(proto, operators)
                       : row->type == "Loop" ? importLoop(proto, node, operators)
                       : row->type == "Scan" ? importScan(proto, node, operators)
                                             : buildNode(node, *row);
  if (!reason.empty())
    return fail(reason);
  for (const std::string &output : proto.output())
    if (!output.empty() && !tensors.contains(output))
      return fail("its output '" + output + "'");
  if (proto.op_type() == "QuantizeLinear" && isa<IntegerType>(tensors[proto.output(0)].element))
    casts[proto.output(0)] = {proto.input(1), proto.input_size() > 2 ? proto.input(2) : ""};
  return "";
}

/// Imports nodes in their order; whether all of them are supported. `operators` gets a row for each.
bool GraphImporter::importNodes(const onnx::GraphProto &nodes, std::vector<OnnxOperator> &operators) {
  bool supported = true;
  for (const onnx::NodeProto &proto : nodes.node()) {
    if (&nodes == &graph && reached && llvm::none_of(proto.output(), [&](StringRef output) { return reached->contains(output); }))
      continue;
    std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain(), reason = importNode(proto, operators);
    operators.push_back({proto.op_type(), domain, domain.empty() ? opset : domains[domain], nodeName(proto).str(), reason});
    supported &= reason.empty();
    for (const std::string &input : proto.input())
      if (auto found = tensors.find(input); !reason.empty() && found != tensors.end() && isa_and_present<OpResult>(found->second.value))
        frontier.insert(input);
  }
  return supported;
}

LogicalResult GraphImporter::reportUnsupported(ArrayRef<OnnxOperator> operators) const {
  // One line for each operator and reason, with all its nodes.
  std::map<std::pair<std::string, std::string>, std::string> lines;
  for (const OnnxOperator &op : operators) {
    if (op.reason.empty())
      continue;
    std::string domain = op.domain.empty() ? "ai.onnx" : op.domain;
    std::string head = op.type + " (" + domain + ", opset " + std::to_string(op.opset) + ")";
    std::string &nodes = lines[{head, op.reason}];
    nodes += (nodes.empty() ? "'" : ", '") + op.node + "'";
  }
  if (lines.empty())
    return success();
  InFlightDiagnostic error = emitError(loc) << "'" << file.path << "' needs what is not supported:";
  for (auto &[key, nodes] : lines)
    error << "\n  " << key.first << ": " << key.second << "; in " << nodes;
  error << describePart();
  return error;
}

/// Erases what no result needs: constants and activations that larger operations took in.
static void eraseDeadOps(func::FuncOp function) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(function.getBody().front())))
    if (isOpTriviallyDead(&op))
      op.erase();
}

OwningOpRef<ModuleOp> GraphImporter::run(std::vector<OnnxOperator> &operators) {
  MLIRContext *context = builder.getContext();
  context->loadDialect<func::FuncDialect, linalg::LinalgDialect, tensor::TensorDialect, arith::ArithDialect,
                       math::MathDialect, HalftoneDialect>();
  if (failed(checkOpset()) || failed(checkDimNames()) || failed(checkValueNames()) || failed(selectOutputs()))
    return {};
  OwningOpRef<ModuleOp> module = ModuleOp::create(NameLoc::get(nameAttr(builder, graph.name())));
  (*module)->setAttr(kStageAttr, builder.getStringAttr("import"));
  (*module)->setAttr(kVersionAttr, builder.getI64IntegerAttr(1));
  (*module)->setAttr(kSourceHashAttr, builder.getStringAttr(file.hash));
  if (file.externalBytes)
    (*module)->setAttr(kExternalBytesAttr, builder.getI64IntegerAttr(file.externalBytes));
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, module->getLoc(), "main", builder.getFunctionType({}, {}));
  builder.setInsertionPointToStart(function.addEntryBlock());
  readInitializers(graph);
  collectLeading();
  if (failed(addInputs(function)))
    return {};
  for (const onnx::OperatorSetIdProto &import : file.model.opset_import())
    domains[import.domain()] = import.version();
  if (!importNodes(graph, operators) || failed(addOutputs(function)))
    return {};
  eraseDeadOps(function);
  if (failed(verify(*module)))
    return {};
  return module;
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

OwningOpRef<ModuleOp> mlir::halftone::importOnnx(StringRef path, MLIRContext *context, const ImportOptions &options) {
  std::unique_ptr<ModelFile> file = readModelFile(path, context);
  if (!file)
    return {};
  GraphImporter importer(*file, context, options);
  std::vector<OnnxOperator> operators;
  OwningOpRef<ModuleOp> module = importer.run(operators);
  if (failed(importer.reportUnsupported(operators)))
    return {};
  return module;
}

FailureOr<std::vector<OnnxOperator>> mlir::halftone::checkOnnx(StringRef path, MLIRContext *context,
                                                               const ImportOptions &options) {
  std::unique_ptr<ModelFile> file = readModelFile(path, context);
  if (!file)
    return failure();
  std::vector<OnnxOperator> operators;
  GraphImporter importer(*file, context, options);
  OwningOpRef<ModuleOp> module = importer.run(operators);
  bool complete = llvm::any_of(operators, [](const OnnxOperator &op) { return !op.reason.empty(); });
  if (!module && !complete)
    return failure();
  return operators;
}
