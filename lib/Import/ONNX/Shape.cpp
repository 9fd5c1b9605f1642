//===- Shape.cpp - ONNX's operators that keep all elements in order ---------===//
#include "Shape.h"
#include "Axis.h"
#include "Broadcast.h"
#include "Operators.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

//===----------------------------------------------------------------------===//
// Target shapes
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<int64_t>> importer::readAxes(Node &node, unsigned i, int64_t rank) {
  SmallVector<int64_t> axes = node.getInts("axes");
  if (node.hasInput(i)) {
    HostTensorRef constant = node.constant(i);
    if (!constant)
      return node.unsupported("axes that are not constant");
    axes = llvm::to_vector<4>(constant->integers());
  }
  for (int64_t &axis : axes) {
    axis = fromStart(axis, rank);
    if (axis < 0 || axis >= rank)
      return node.unsupported("an axis outside the rank of " + Twine(rank));
  }
  return axes;
}

/// The product of the sizes that are known and not -1.
static int64_t knownProduct(ArrayRef<int64_t> shape) {
  int64_t product = 1;
  for (int64_t size : shape)
    product *= ShapedType::isDynamic(size) || size == -1 ? 1 : size;
  return product;
}

/// Reshape: 0 copies a size (unless allowzero), -1 takes what is left, which may be the dynamic dimension.
static FailureOr<SmallVector<int64_t>> readReshape(Node &node) {
  const Tensor &x = node.input(0);
  HostTensorRef constant = node.constant(1);
  if (!constant)
    return node.unsupported("a shape that is not constant");
  SmallVector<int64_t> shape = llvm::to_vector<4>(constant->integers());
  bool allowZero = node.getInt("allowzero", 0);
  for (auto [d, size] : llvm::enumerate(shape))
    if (size == 0 && !allowZero && static_cast<int64_t>(d) < x.rank())
      size = x.shape[d];
  if (llvm::any_of(shape, [](int64_t size) { return size < -1 && !ShapedType::isDynamic(size); }) ||
      llvm::count(shape, -1) > 1)
    return node.unsupported("a shape that no tensor can have");
  int64_t known = knownProduct(shape), total = knownProduct(x.shape);
  auto refuse = [&] {
    return node.unsupported("a shape that does not fit the input: " + Twine(known) + " elements" + (llvm::is_contained(shape, -1) ? " times -1" : "") +
                            " of " + Twine(total));
  };
  auto *rest = llvm::find(shape, -1);
  bool dynamicIsPlaced = ShapedType::isDynamicShape(shape) || !x.isDynamic();
  if (rest != shape.end()) {
    if (known == 0 || total % known || (!dynamicIsPlaced && total != known))
      return refuse();
    *rest = dynamicIsPlaced ? total / known : ShapedType::kDynamic;
  }
  if (ShapedType::isDynamicShape(shape) != x.isDynamic() || knownProduct(shape) != total)
    return x.isDynamic() ? node.unsupported("a shape that does not keep the dynamic dimension apart") : refuse();
  return shape;
}

static FailureOr<SmallVector<int64_t>> readFlatten(Node &node) {
  const Tensor &x = node.input(0);
  const int64_t axis = fromStart(node.getInt("axis", 1), x.rank());
  if (axis < 0 || axis > x.rank())
    return node.unsupported("an axis outside the rank of " + Twine(x.rank()));
  ArrayRef<int64_t> shape = x.shape;
  if (x.isDynamic() && axis != 1)
    return node.unsupported("a shape that does not keep the dynamic dimension apart");
  int64_t first = x.isDynamic() ? ShapedType::kDynamic : knownProduct(shape.take_front(axis));
  return SmallVector<int64_t>{first, knownProduct(shape.drop_front(axis))};
}

static FailureOr<SmallVector<int64_t>> readSqueeze(Node &node) {
  const Tensor &x = node.input(0);
  FailureOr<SmallVector<int64_t>> axes = readAxes(node, 1, x.rank());
  if (failed(axes))
    return failure();
  bool all = axes->empty();
  SmallVector<int64_t> shape;
  for (auto [d, size] : llvm::enumerate(x.shape)) {
    bool squeezed = all ? size == 1 : llvm::is_contained(*axes, static_cast<int64_t>(d));
    if (squeezed && size != 1)
      return node.unsupported("an axis whose size is not 1");
    if (!squeezed)
      shape.push_back(size);
  }
  return shape;
}

static FailureOr<SmallVector<int64_t>> readUnsqueeze(Node &node) {
  const Tensor &x = node.input(0);
  HostTensorRef constant = node.constant(1);
  int64_t added = constant ? constant->count() : node.getInts("axes").size();
  FailureOr<SmallVector<int64_t>> axes = readAxes(node, 1, x.rank() + added);
  if (failed(axes))
    return failure();
  SmallVector<int64_t> shape(x.shape);
  llvm::sort(*axes);
  for (int64_t axis : *axes)
    shape.insert(shape.begin() + axis, 1);
  return shape;
}

FailureOr<SmallVector<int64_t>> importer::readTargetShape(Node &node) {
  if (node.type() == "Reshape")
    return readReshape(node);
  if (node.type() == "Flatten")
    return readFlatten(node);
  return node.type() == "Squeeze" ? readSqueeze(node) : readUnsqueeze(node);
}

//===----------------------------------------------------------------------===//
// Reshaping values
//===----------------------------------------------------------------------===//

/// Which dimensions of `from` join to give each of `to`; nothing if joining is not enough.
static std::optional<SmallVector<ReassociationIndices>> findJoin(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  SmallVector<ReassociationIndices> groups;
  size_t next = 0;
  for (int64_t size : to) {
    if (next == from.size())
      return std::nullopt;
    ReassociationIndices group = {static_cast<int64_t>(next)};
    int64_t product = from[next++];
    while (product != size && next < from.size() && product > 0 && !ShapedType::isDynamic(from[next])) {
      group.push_back(next);
      product *= from[next++];
    }
    if (product != size)
      return std::nullopt;
    groups.push_back(group);
  }
  for (; next < from.size(); ++next) {
    if (from[next] != 1)
      return std::nullopt;
    if (!groups.empty())
      groups.back().push_back(next);
  }
  return groups;
}

static Value expand(Node &node, Value x, ArrayRef<int64_t> shape, ArrayRef<ReassociationIndices> groups) {
  auto type = RankedTensorType::get(shape, cast<RankedTensorType>(x.getType()).getElementType());
  return tensor::ExpandShapeOp::create(node.builder, node.loc, type, x, groups, node.mixedSizes(shape, x));
}

Value importer::reshape(Node &node, Value x, ArrayRef<int64_t> shape) {
  ArrayRef<int64_t> from = cast<RankedTensorType>(x.getType()).getShape();
  if (from == shape)
    return x;
  if (from.size() > shape.size())
    if (auto groups = findJoin(from, shape))
      return tensor::CollapseShapeOp::create(node.builder, node.loc, x, *groups);
  if (from.size() < shape.size())
    if (auto groups = findJoin(shape, from))
      return expand(node, x, shape, *groups);
  // Through one static dimension, behind the dynamic one if there is one.
  bool dynamic = ShapedType::isDynamicShape(from);
  SmallVector<int64_t> flat;
  if (dynamic)
    flat.push_back(ShapedType::kDynamic);
  flat.push_back(knownProduct(from));
  return reshape(node, reshape(node, x, flat), shape);
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

LogicalResult onnx_operators::buildReshape(Node &node) {
  FailureOr<SmallVector<int64_t>> shape = readTargetShape(node);
  if (failed(shape))
    return failure();
  if (ShapedType::isDynamicShape(*shape) && !ShapedType::isDynamic(shape->front()))
    return node.unsupported("the dynamic dimension would not lead");
  if (llvm::is_contained(*shape, 0))
    return node.unsupported("an empty tensor");
  node.setResult(reshape(node, node.operand(0), *shape), node.input(0).element);
  return success();
}

LogicalResult onnx_operators::buildShape(Node &node) {
  ArrayRef<int64_t> shape = node.input(0).shape;
  int64_t rank = shape.size(), start = node.getInt("start", 0), end = node.getInt("end", rank);
  start = std::clamp<int64_t>(fromStart(start, rank), 0, rank);
  end = std::clamp<int64_t>(fromStart(end, rank), start, rank);
  ArrayRef<int64_t> part = shape.slice(start, end - start);
  node.setResult(HostTensor::fromIntegers(node.builder.getI64Type(), static_cast<int64_t>(part.size()), part));
  return success();
}

LogicalResult onnx_operators::buildSize(Node &node) {
  if (node.input(0).isDynamic())
    return node.unsupported("it counts elements along the dynamic dimension");
  node.setResult(HostTensor::fromIntegers(node.builder.getI64Type(), {}, ShapedType::getNumElements(node.input(0).shape)));
  return success();
}

LogicalResult onnx_operators::buildIdentity(Node &node) {
  node.setResult(node.input(0));
  return success();
}

/// Dropout does nothing at inference.
LogicalResult onnx_operators::buildDropout(Node &node) {
  (void)node.getInt("seed", 0);
  (void)node.getFloat("ratio", 0.5f); // an attribute before opset 12
  HostTensorRef training = node.constant(2);
  if (node.hasInput(2) && (!training || training->scalar() != 0))
    return node.unsupported("training mode");
  const Tensor x = node.input(0);
  node.setResult(x);
  if (!node.hasResult(1))
    return success();
  Type element = node.opset < 10 ? x.element : node.builder.getI1Type();
  HostTensor kept = isa<FloatType>(element) ? HostTensor::fromNumbers(element, {}, {1.0}) : HostTensor::fromIntegers(element, {}, {1});
  node.setResult(buildRepeated(node, toTensor(std::move(kept)), x.shape), element, 1);
  return success();
}
