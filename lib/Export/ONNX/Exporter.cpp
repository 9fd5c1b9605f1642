//===- Exporter.cpp - values of a module as tensors of an ONNX graph --------===//
#include "Exporter.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Support/InterfaceType.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::exporter;

//===----------------------------------------------------------------------===//
// Orders
//===----------------------------------------------------------------------===//

SmallVector<int64_t> exporter::identityOrder(int64_t rank) { return llvm::to_vector(llvm::seq<int64_t>(0, rank)); }

SmallVector<int64_t> exporter::inverse(ArrayRef<int64_t> order) {
  SmallVector<int64_t> result(order.size());
  for (auto [i, dim] : llvm::enumerate(order))
    result[dim] = i;
  return result;
}

SmallVector<int64_t> exporter::permuted(ArrayRef<int64_t> values, ArrayRef<int64_t> order) {
  return llvm::map_to_vector(order, [&](int64_t dim) { return values[dim]; });
}

/// Whether two orders of a shape have its elements in the same sequence: they differ in dimensions of one element only.
static bool isSameSequence(ArrayRef<int64_t> shape, ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  auto large = [&](ArrayRef<int64_t> order) {
    SmallVector<int64_t> dims(order);
    llvm::erase_if(dims, [&](int64_t dim) { return shape[dim] == 1; });
    return dims;
  };
  return large(a) == large(b);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

std::string exporter::hintOf(Operation *op) { return locationName(op->getLoc()); }

void Exporter::bind(Value value, std::string name, ArrayRef<int64_t> order, bool isUnsigned) {
  tensors[value].push_back({std::move(name), SmallVector<int64_t>(order), isUnsigned});
}

std::string Exporter::makeWaiting(Value value, ArrayRef<int64_t> order, ArrayRef<int64_t> shape, StringRef hint) {
  Operation *source = value.getDefiningOp();
  Attribute attribute;
  if (matchPattern(value, m_Constant(&attribute))) {
    std::optional<ConstantTensor> constant = makeConstantTensor(attribute, order, shape);
    if (constant)
      return graph.addConstant(std::move(*constant), hint);
    (void)unsupported(source, "a constant of a type that ONNX has not");
    return "unsupported";
  }
  if (std::optional<Codes> codes = findCodes(value))
    return makeDequantized(*this, value, *codes, order, shape, hint);
  auto type = cast<RankedTensorType>(value.getType());
  if (auto fill = dyn_cast_or_null<linalg::FillOp>(source))
    if (matchPattern(fill.getInputs()[0], m_Constant(&attribute)) && type.hasStaticShape())
      if (auto constant = makeConstantTensor(DenseElementsAttr::get(type, attribute), order, shape))
        return graph.addConstant(std::move(*constant), hint);
  if (auto pad = dyn_cast_or_null<tensor::PadOp>(source))
    return graph.addReshape(makePad(*this, pad, order, hint), permuted(type.getShape(), order), shape, hint);
  return "";
}

Tensor Exporter::read(Value value, StringRef hint) {
  if (!isBound(value))
    (void)read(value, identityOrder(value), hint);
  return tensors[value].front();
}

std::string Exporter::read(Value value, ArrayRef<int64_t> order, StringRef hint) {
  return read(value, order, permuted(shapeOf(value), order), hint);
}

std::string Exporter::read(Value value, ArrayRef<int64_t> order, ArrayRef<int64_t> shape, StringRef hint) {
  SmallVector<int64_t> own = permuted(shapeOf(value), order);
  for (const Tensor &tensor : tensors.lookup(value))
    if (ArrayRef<int64_t>(tensor.order) == order)
      return graph.addReshape(tensor.name, own, shape, hint);
  if (!isBound(value)) {
    std::string name = makeWaiting(value, order, shape, hint);
    if (name.empty()) {
      (void)unsupported(value.getDefiningOp(), "its result is read as data");
      name = "unsupported";
    }
    auto pad = value.getDefiningOp<tensor::PadOp>();
    if (ArrayRef<int64_t>(own) == shape)
      bind(value, name, order, pad && read(pad.getSource(), hint).isUnsigned);
    return name;
  }
  Tensor from = tensors[value].front();
  std::string name;
  if (isSameSequence(shapeOf(value), from.order, order)) {
    name = graph.addReshape(from.name, permuted(shapeOf(value), from.order), own, hint);
  } else {
    SmallVector<int64_t> permutation = permuted(inverse(from.order), order);
    name = graph.addNode("Transpose", from.name, hint, {{"perm", permutation}});
  }
  bind(value, name, order, from.isUnsigned);
  return graph.addReshape(name, own, shape, hint);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult Exporter::unsupported(Operation *op, const Twine &why) {
  std::string name = op->getName().getStringRef().str();
  if (auto composite = dyn_cast<CompositeOp>(op))
    name += " '" + composite.getName().str() + "'";
  problems[{name, why.str()}].push_back(op->getLoc());
  return failure();
}

/// Only sizes, or tensors that are there to be written to; or what waits until it is read.
static bool makesNoTensor(Operation *op) {
  if (isa<tensor::EmptyOp, linalg::FillOp, tensor::PadOp>(op) || op->hasTrait<OpTrait::ConstantLike>())
    return true;
  if (isa<quant::StorageCastOp, StorageCastOp>(op) && isConstant(op->getOperand(0)))
    return true;
  return llvm::none_of(op->getResultTypes(), llvm::IsaPred<RankedTensorType>);
}

static LogicalResult exportGeneric(Exporter &exporter, linalg::GenericOp op) {
  return op.getNumReductionLoops() ? exportReduction(exporter, op) : exportElementwise(exporter, op);
}

/// Another name for the same tensor.
static LogicalResult exportAlias(Exporter &exporter, Operation *op) {
  exporter.bind(op->getResult(0), exporter.read(op->getOperand(0), hintOf(op)));
  return success();
}

static LogicalResult exportTensor(Exporter &exporter, Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<linalg::Conv2DNhwcHwcfOp, linalg::DepthwiseConv2DNhwcHwcOp, linalg::Conv2DNhwgcGfhwcOp, linalg::MatmulOp,
            linalg::BatchMatmulOp>([&](auto o) { return exportContraction(exporter, o); })
      .Case<linalg::PoolingNhwcMaxOp, linalg::PoolingNhwcMaxUnsignedOp>([&](auto o) { return exportMaxPool(exporter, o); })
      .Case([&](linalg::TransposeOp o) { return exportTranspose(exporter, o); })
      .Case([&](linalg::GenericOp o) { return exportGeneric(exporter, o); })
      .Case([&](CompositeOp o) { return exportComposite(exporter, o); })
      .Case([&](tensor::CollapseShapeOp o) { return exportCollapse(exporter, o); })
      .Case([&](tensor::ExpandShapeOp o) { return exportExpand(exporter, o); })
      .Case([&](tensor::ExtractSliceOp o) { return exportSlice(exporter, o); })
      .Case([&](tensor::ConcatOp o) { return exportConcat(exporter, o); })
      .Case([&](QuantizeOp o) { return exportQuantize(exporter, o); })
      .Case([&](DequantizeOp o) { return exportDequantize(exporter, o); })
      .Case<tensor::CastOp, quant::StorageCastOp, StorageCastOp>([&](Operation *o) { return exportAlias(exporter, o); })
      .Default([&](Operation *o) { return exporter.unsupported(o, "there is no operator for it"); });
}

void Exporter::exportOp(Operation *op) {
  // Contractions bind the results of reshapes that belong to them, and constants wait.
  bool isDone = llvm::all_of(op->getResults(), [&](Value result) { return isBound(result) || findCodes(result); });
  if (makesNoTensor(op) || isDone)
    return;
  if (succeeded(exportTensor(*this, op)))
    return;
  // The rest of the walk finds what else is unsupported.
  for (Value result : op->getResults())
    if (!isBound(result))
      bind(result, "unsupported", identityOrder(result));
}

void Exporter::exportBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    exportOp(&op);
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

std::string Exporter::graphName(ModuleOp module) { return locationName(module.getLoc()); }

/// The names of an argument's dynamic dimensions; "" for those that are not.
static std::vector<std::string> dimSymbols(func::FuncOp entry, unsigned argument, StringRef name) {
  std::vector<std::string> symbols;
  auto dims = entry.getArgAttrOfType<ArrayAttr>(argument, kDimsAttr);
  for (auto [i, size] : llvm::enumerate(shapeOf(entry.getArgument(argument)))) {
    auto dim = dims && i < dims.size() ? dyn_cast<DimAttr>(dims[i]) : DimAttr();
    std::string otherwise = i == 0 ? "batch" : (name + "." + Twine(i)).str();
    symbols.push_back(!ShapedType::isDynamic(size) ? "" : dim ? dim.getSymbol().str() : otherwise);
  }
  return symbols;
}

void Exporter::declareInterface(func::FuncOp entry) {
  std::string batch = "batch";
  for (BlockArgument argument : entry.getArguments()) {
    unsigned i = argument.getArgNumber();
    auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr);
    std::string known = name ? name.getValue().str() : "input" + std::to_string(i);
    Type type = interfaceType(argument.getType(), entry.getArgAttrDict(i));
    Type element = getElementTypeOrSelf(type);
    std::vector<std::string> symbols = dimSymbols(entry, i, known);
    if (!symbols.empty() && !symbols.front().empty())
      batch = symbols.front();
    graph.addInput(known, element, shapeOf(argument), symbols);
    bind(argument, known, identityOrder(argument), element.isUnsignedInteger());
  }
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes())) {
    auto name = entry.getResultAttrOfType<StringAttr>(i, kNameAttr);
    ArrayRef<int64_t> shape = cast<RankedTensorType>(type).getShape();
    std::vector<std::string> symbols(shape.size(), batch);
    Type element = getElementTypeOrSelf(interfaceType(type, entry.getResultAttrDict(i)));
    graph.addOutput(name ? name.getValue() : "output" + std::to_string(i), element, shape, symbols);
  }
}

/// "'conv1'", or "m.mlir:3:5".
static std::string describeLocation(Location location) {
  if (std::string name = locationName(location); !name.empty())
    return "'" + name + "'";
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" + Twine(file.getColumn())).str();
  return "an operation without a name";
}

LogicalResult Exporter::reportProblems(func::FuncOp entry) const {
  if (problems.empty())
    return success();
  InFlightDiagnostic error = mlir::emitError(entry.getLoc()) << "the model has what ONNX cannot express:";
  for (const auto &[key, locations] : problems) {
    auto places = llvm::map_to_vector(locations, describeLocation);
    error << "\n  " << key.first << ": " << key.second << "; in " << llvm::join(places, ", ");
  }
  return error;
}

/// The tensors of the interface whose type ONNX has not.
static LogicalResult checkInterface(func::FuncOp entry) {
  auto check = [&](Type type, DictionaryAttr attributes, StringRef what, unsigned i) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && onnxType(getElementTypeOrSelf(interfaceType(type, attributes))))
      return success();
    return entry.emitError(what) << " " << i << " is of type " << type << ", which ONNX has not";
  };
  for (auto [i, type] : llvm::enumerate(entry.getArgumentTypes()))
    if (failed(check(type, entry.getArgAttrDict(i), "argument", i)))
      return failure();
  for (auto [i, type] : llvm::enumerate(entry.getResultTypes()))
    if (failed(check(type, entry.getResultAttrDict(i), "result", i)))
      return failure();
  return success();
}

LogicalResult Exporter::run(func::FuncOp entry) {
  if (failed(checkInterface(entry)))
    return failure();
  declareInterface(entry);
  Block &body = entry.getBody().front();
  exportBlock(body);
  for (auto [i, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    auto name = entry.getResultAttrOfType<StringAttr>(i, kNameAttr);
    std::string output = name ? name.getValue().str() : "output" + std::to_string(i);
    std::string tensor = read(value, identityOrder(value), output);
    bool isUnsigned = entry.getResultAttr(i, kUnsignedAttr) != nullptr;
    if (read(value, output).isUnsigned != isUnsigned)
      tensor = graph.addNode("Cast", tensor, output,
                             {{"to", int64_t(isUnsigned ? onnx::TensorProto::UINT8 : onnx::TensorProto::INT8)}});
    graph.setOutput(output, tensor);
  }
  return reportProblems(entry);
}
