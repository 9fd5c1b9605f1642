//===- Broadcast.cpp - elementwise operations with ONNX's broadcasting ------===//
#include "Broadcast.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;
using namespace mlir::halftone::importer;

std::optional<SmallVector<int64_t>> importer::broadcastShapes(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<int64_t> shape(a);
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t &size = shape[a.size() - b.size() + i];
    if (size == 1)
      size = b[i];
    else if (b[i] != 1 && b[i] != size)
      return std::nullopt;
  }
  return shape;
}

Value importer::materialize(Node &node, const Tensor &tensor) {
  return tensor.value ? tensor.value : node.materialize(*tensor.constant);
}

Value importer::scalarConstant(OpBuilder &builder, Location loc, Type element, double number) {
  Type type = storageType(element);
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(type, number));
  APInt value(type.getIntOrFloatBitWidth(), static_cast<uint64_t>(static_cast<int64_t>(number)), false, true);
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, value));
}

namespace {
/// How one tensor takes part in a broadcast: as a scalar, or as a value of the kept dimensions.
struct Part {
  Value value;
  AffineMap map;
};
} // namespace

/// Collapses the dimensions that are not kept into their neighbours.
static Value dropUnitDims(Node &node, Value value, ArrayRef<bool> keep) {
  SmallVector<ReassociationIndices> groups;
  ReassociationIndices group;
  for (size_t d = 0; d < keep.size(); ++d) {
    group.push_back(d);
    if (keep[d]) {
      groups.push_back(group);
      group.clear();
    }
  }
  if (!groups.empty())
    groups.back().append(group);
  return tensor::CollapseShapeOp::create(node.builder, node.loc, value, groups);
}

static Part makePart(Node &node, const Tensor &tensor, ArrayRef<int64_t> shape) {
  int64_t offset = shape.size() - tensor.rank();
  SmallVector<bool> keep;
  SmallVector<int64_t> kept;
  SmallVector<AffineExpr> expressions;
  bool leading = !tensor.value;
  for (int64_t d = 0; d < tensor.rank(); ++d) {
    leading &= tensor.shape[d] == 1;
    keep.push_back(!(tensor.shape[d] == 1 && (leading || shape[offset + d] != 1)));
    if (!keep.back())
      continue;
    kept.push_back(tensor.shape[d]);
    expressions.push_back(node.builder.getAffineDimExpr(offset + d));
  }
  AffineMap map = AffineMap::get(shape.size(), 0, expressions, node.builder.getContext());
  if (!tensor.value)
    return {node.materialize(tensor.constant->reshaped(kept)), map};
  if (llvm::all_of(keep, [](bool k) { return k; }))
    return {tensor.value, map};
  return {dropUnitDims(node, tensor.value, keep), map};
}

/// The sizes of the result; the dynamic one is that of the first tensor that has it.
static SmallVector<OpFoldResult> resultSizes(Node &node, ArrayRef<Tensor> tensors, ArrayRef<int64_t> shape) {
  Value like;
  for (const Tensor &tensor : tensors)
    if (!like && tensor.value && tensor.isDynamic())
      like = tensor.value;
  return node.mixedSizes(shape, like);
}

Value importer::buildBroadcast(Node &node, ArrayRef<Tensor> tensors, Type element, ElementBuilder build,
                                     ArrayRef<int64_t> atLeast) {
  SmallVector<int64_t> shape(atLeast);
  for (const Tensor &tensor : tensors) {
    auto common = broadcastShapes(shape, tensor.shape);
    if (!common) {
      (void)node.unsupported("shapes do not broadcast");
      return {};
    }
    shape = *common;
  }
  if (ShapedType::isDynamicShape(ArrayRef<int64_t>(shape).drop_front(shape.empty() ? 0 : 1))) {
    (void)node.unsupported("the dynamic dimension is broadcast to one that does not lead");
    return {};
  }
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
  auto isScalar = [](const Tensor &tensor) {
    return tensor.constant && tensor.constant->count() == 1 && !tensor.constant->symbolic;
  };
  for (const Tensor &tensor : tensors) {
    if (isScalar(tensor))
      continue;
    Part part = makePart(node, tensor, shape);
    values.push_back(part.value);
    maps.push_back(part.map);
  }
  SmallVector<OpFoldResult> sizes = resultSizes(node, tensors, shape);
  return buildElementwise(node.builder, node.loc, values, maps, sizes, storageType(element),
                          [&](OpBuilder &b, Location l, ValueRange arguments) {
                            SmallVector<Value> scalars;
                            size_t next = 0;
                            for (const Tensor &tensor : tensors)
                              scalars.push_back(isScalar(tensor)
                                                    ? scalarConstant(b, l, tensor.element, tensor.constant->scalar())
                                                    : arguments[next++]);
                            return build(b, l, scalars);
                          });
}

LogicalResult importer::setBroadcast(Node &node, ArrayRef<Tensor> tensors, Type element, ElementBuilder build) {
  Value value = buildBroadcast(node, tensors, element, build);
  if (!value)
    return failure();
  node.setResult(value, element);
  return success();
}

Value importer::buildRepeated(Node &node, const Tensor &tensor, ArrayRef<int64_t> shape) {
  return buildBroadcast(node, tensor, tensor.element, [](OpBuilder &, Location, ValueRange e) { return e[0]; }, shape);
}
