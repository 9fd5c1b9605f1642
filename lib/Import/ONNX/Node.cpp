//===- Node.cpp - one ONNX node while it is imported ------------------------===//
#include "Node.h"
#include "SmallFloats.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MathExtras.h"
#include <onnx/onnx_pb.h>

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

Tensor importer::toTensor(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return {type.getElementType(), SmallVector<int64_t>(type.getShape()), value, nullptr};
}

Tensor importer::toTensor(HostTensor tensor) {
  Tensor result{tensor.element, tensor.shape, {}, nullptr};
  result.constant = std::make_shared<HostTensor>(std::move(tensor));
  return result;
}

/// The numbers of a tensor of f64 in f32.
static HostTensor narrowed(const HostTensor &doubles) {
  HostTensor narrow = HostTensor::fromNumbers(Float32Type::get(doubles.element.getContext()), doubles.shape, doubles.numbers());
  narrow.name = doubles.name;
  return narrow;
}

Type importer::storageType(Type element) {
  if (isSmallFloat(element))
    return Float32Type::get(element.getContext());
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer)
    return element;
  unsigned width = integer.getWidth();
  return IntegerType::get(element.getContext(), width == 4 ? 8 : width == 16 ? 32 : width);
}

StringRef Node::type() const { return proto.op_type(); }

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

unsigned Node::numInputs() const { return proto.input_size(); }

bool Node::hasInput(unsigned i) const { return i < numInputs() && !proto.input(i).empty(); }

const Tensor &Node::input(unsigned i) const { return tensors.find(proto.input(i))->second; }

HostTensorRef Node::constant(unsigned i) const { return hasInput(i) ? input(i).constant : nullptr; }

Value Node::operand(unsigned i) {
  Tensor &tensor = tensors.find(proto.input(i))->second;
  if (!tensor.value)
    tensor.value = materialize(*tensor.constant);
  return tensor.value;
}

Value Node::materialize(const HostTensor &tensor) {
  if (tensor.element.isF64())
    return materialize(narrowed(tensor));
  if (isSmallFloat(tensor.element))
    return materialize(widenSmallFloats(tensor));
  auto type = RankedTensorType::get(tensor.shape, storageType(tensor.element));
  Location constantLoc = tensor.name.empty() ? loc : NameLoc::get(builder.getStringAttr(llvm::json::fixUTF8(tensor.name)));
  if (tensor.symbolic)
    (void)unsupported("it uses the size of the dynamic dimension as data");
  if (int64_t(tensor.bytes.size()) != tensor.count() * elementBytes(type.getElementType())) { // 16 bits
    (void)unsupported("element type " + llvm::formatv("{0}", tensor.element));
    return tensor::EmptyOp::create(builder, loc, tensor.shape, type.getElementType());
  }
  StringRef name = tensor.name.empty() ? StringRef("constant") : StringRef(tensor.name);
  return arith::ConstantOp::create(builder, constantLoc, makeConstant(type, ArrayRef<char>(tensor.bytes), name));
}

void Node::narrowDoubles() {
  for (const std::string &name : proto.input())
    if (auto found = tensors.find(name); found != tensors.end())
      if (Tensor &tensor = found->second; tensor.constant && tensor.element.isF64())
        tensor = toTensor(narrowed(*tensor.constant));
}

/// An argument of the function that is built, of the dynamic size, of which a model has but one.
static Value findDynamicArgument(OpBuilder &builder) {
  for (BlockArgument argument : builder.getInsertionBlock()->getArguments())
    if (auto type = dyn_cast<RankedTensorType>(argument.getType()); type && type.getRank() && type.isDynamicDim(0))
      return argument;
  return {};
}

SmallVector<OpFoldResult> Node::mixedSizes(ArrayRef<int64_t> shape, Value like) {
  if (!like && ShapedType::isDynamicShape(shape))
    like = findDynamicArgument(builder);
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : shape)
    sizes.push_back(ShapedType::isDynamic(size) ? OpFoldResult(tensor::DimOp::create(builder, loc, like, 0).getResult())
                                                : builder.getIndexAttr(size));
  return sizes;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

const onnx::AttributeProto *Node::getAttribute(StringRef name) const {
  readAttributes.insert(name);
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

bool Node::hasAttribute(StringRef name) const { return getAttribute(name); }

int64_t Node::getInt(StringRef name, int64_t otherwise) const {
  const onnx::AttributeProto *attribute = getAttribute(name);
  return attribute ? attribute->i() : otherwise;
}

float Node::getFloat(StringRef name, float otherwise) const {
  const onnx::AttributeProto *attribute = getAttribute(name);
  return attribute ? attribute->f() : otherwise;
}

std::string Node::getString(StringRef name, StringRef otherwise) const {
  const onnx::AttributeProto *attribute = getAttribute(name);
  return attribute ? attribute->s() : otherwise.str();
}

SmallVector<std::string> Node::getStrings(StringRef name, ArrayRef<std::string> otherwise) const {
  const onnx::AttributeProto *attribute = getAttribute(name);
  if (!attribute)
    return SmallVector<std::string>(otherwise);
  return SmallVector<std::string>(attribute->strings().begin(), attribute->strings().end());
}

SmallVector<int64_t> Node::getInts(StringRef name, ArrayRef<int64_t> otherwise) const {
  const onnx::AttributeProto *attribute = getAttribute(name);
  if (!attribute)
    return SmallVector<int64_t>(otherwise);
  return SmallVector<int64_t>(attribute->ints().begin(), attribute->ints().end());
}

std::string Node::unreadAttribute() const {
  for (const onnx::AttributeProto &attribute : proto.attribute())
    if (!readAttributes.contains(attribute.name()))
      return attribute.name();
  return "";
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

unsigned Node::numResults() const { return proto.output_size(); }

StringRef Node::resultName(unsigned i) const { return i < numResults() ? StringRef(proto.output(i)) : StringRef(); }

bool Node::hasResult(unsigned i) const { return !resultName(i).empty(); }

void Node::setResult(Value value, Type element, unsigned i) {
  if (!value) // its maker has recorded the reason
    return;
  Tensor tensor = toTensor(value);
  tensor.element = element ? element : tensor.element;
  setResult(tensor, i);
}

void Node::setResult(HostTensor tensor, unsigned i) {
  if (!hasResult(i))
    return;
  tensor.name = proto.output(i);
  setResult(toTensor(std::move(tensor)), i);
}

void Node::setResult(const Tensor &tensor, unsigned i) {
  if (!hasResult(i))
    return;
  int64_t bytes = elementBytes(tensor.element);
  for (int64_t size : tensor.shape)
    if (!ShapedType::isDynamic(size) && (size < 0 || llvm::MulOverflow(bytes, std::max<int64_t>(size, 1), bytes)))
      (void)unsupported("a result that no memory can hold");
  Tensor copy = tensor; // the map may move what `tensor` refers to
  tensors[proto.output(i)] = copy;
}

LogicalResult Node::unsupported(const Twine &reason) const {
  if (why.empty())
    why = reason.str();
  return failure();
}
