//===- ShrinkChannels.cpp - takes channels out of a function ----------------===//
//
// Operations keep their place and get other types, since nothing but shapes, constants and offsets changes. Composites are
// made again: their bodies have types of their own. Starting tensors are shared between operations, so each gets its own.
//
//===----------------------------------------------------------------------===//
#include "halftone/Pruning/ShrinkChannels.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {
class Shrinker {
public:
  Shrinker(const ChannelClasses &classes, const llvm::BitVector &removed) : classes(classes), removed(removed) {}
  void shrink(Operation *op);

private:
  SmallVector<int64_t> keptIndices(const ChannelAxis &axis) const;
  void takeConstant(OpOperand &operand, int64_t dim, const ChannelAxis &axis) const;
  void shrinkWeights(Operation *op) const;
  void shrinkConstants(linalg::GenericOp op) const;
  void moveSlice(tensor::ExtractSliceOp op, int64_t extent) const;
  void resizeInit(Operation *op, RankedTensorType type) const;

  const ChannelClasses &classes;
  const llvm::BitVector &removed;
};
} // namespace

SmallVector<int64_t> Shrinker::keptIndices(const ChannelAxis &axis) const {
  SmallVector<int64_t> kept;
  for (auto [index, channel] : llvm::enumerate(axis.channels))
    if (!removed.test(channel))
      kept.push_back(index);
  return kept;
}

/// The elements at some indices of one dimension.
static std::vector<float> takeElements(ArrayRef<float> from, ArrayRef<int64_t> shape, int64_t dim, ArrayRef<int64_t> indices) {
  int64_t outer = 1, inner = 1;
  for (auto [i, extent] : llvm::enumerate(shape))
    (static_cast<int64_t>(i) < dim ? outer : inner) *= static_cast<int64_t>(i) == dim ? 1 : extent;
  std::vector<float> to;
  to.reserve(outer * indices.size() * inner);
  for (int64_t o = 0; o < outer; ++o)
    for (int64_t index : indices) {
      auto first = from.begin() + (o * shape[dim] + index) * inner;
      to.insert(to.end(), first, first + inner);
    }
  return to;
}

static RankedTensorType withExtent(RankedTensorType type, int64_t dim, int64_t extent) {
  SmallVector<int64_t> shape(type.getShape());
  shape[dim] = extent;
  return RankedTensorType::get(shape, type.getElementType(), type.getEncoding());
}

/// Leaves of dimension `dim` of a constant what stays of the channels.
void Shrinker::takeConstant(OpOperand &operand, int64_t dim, const ChannelAxis &axis) const {
  SmallVector<int64_t> kept = keptIndices(axis);
  if (kept.size() == axis.channels.size())
    return;
  auto type = cast<RankedTensorType>(operand.get().getType());
  std::vector<float> elements = takeElements(*getConstantElements<float>(operand.get()), type.getShape(), dim, kept);
  RankedTensorType shrunk = withExtent(type, dim, kept.size());
  OpBuilder builder(operand.getOwner());
  Location loc = operand.get().getLoc();
  Operation *old = operand.get().getDefiningOp();
  std::string name = locationName(loc);
  operand.set(arith::ConstantOp::create(builder, loc, makeConstant<float>(shrunk, elements, name.empty() ? "channels" : name)));
  if (old->use_empty())
    old->erase();
}

void Shrinker::shrinkWeights(Operation *op) const {
  OpOperand &weights = getWeightOperand(op);
  if (const ChannelAxis *input = classes.find(getActivationOperand(op).get()))
    takeConstant(weights, getInputChannelDims(op).back(), *input);
  if (const ChannelAxis *output = classes.find(op->getResult(0)); output && !isa<linalg::DepthwiseConv2DNhwcHwcOp>(op))
    takeConstant(weights, getOutputChannelDims(op).back(), *output);
}

/// Biases and other constants that run along the channels.
void Shrinker::shrinkConstants(linalg::GenericOp op) const {
  const ChannelAxis *axis = classes.find(op.getResult(0));
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (classes.find(operand->get()))
      continue;
    for (auto [dim, expression] : llvm::enumerate(op.getMatchingIndexingMap(operand).getResults()))
      if (expression == getAffineDimExpr(axis->axis, op.getContext()))
        takeConstant(*operand, dim, *axis);
  }
}

/// A slice of channels begins where its first kept one is now.
void Shrinker::moveSlice(tensor::ExtractSliceOp op, int64_t extent) const {
  const ChannelAxis *from = classes.find(op.getSource());
  SmallVector<int64_t> offsets(op.getStaticOffsets()), sizes(op.getStaticSizes());
  offsets[from->axis] = llvm::count_if(ArrayRef<int32_t>(from->channels).take_front(offsets[from->axis]),
                                       [&](int32_t channel) { return !removed.test(channel); });
  sizes[from->axis] = extent;
  op.setStaticOffsets(offsets);
  op.setStaticSizes(sizes);
}

void Shrinker::resizeInit(Operation *op, RankedTensorType type) const {
  OpBuilder builder(op);
  OpOperand &init = cast<DestinationStyleOpInterface>(op).getDpsInitsMutable()[0];
  auto fill = init.get().getDefiningOp<linalg::FillOp>();
  auto empty = (fill ? fill.getDpsInits()[0] : init.get()).getDefiningOp<tensor::EmptyOp>();
  RankedTensorType own = RankedTensorType::get(type.getShape(), empty.getType().getElementType());
  Value made = tensor::EmptyOp::create(builder, empty.getLoc(), own, empty.getDynamicSizes());
  if (fill)
    made = linalg::FillOp::create(builder, fill.getLoc(), fill.getInputs()[0], made).getResult(0);
  Operation *old = init.get().getDefiningOp();
  init.set(made);
  if (old->use_empty())
    old->erase();
  if (fill && empty->use_empty())
    empty->erase();
}

void Shrinker::shrink(Operation *op) {
  const ChannelAxis *axis = op->getNumResults() == 1 ? classes.find(op->getResult(0)) : nullptr;
  if (classify(op) == OpKind::Contraction && isConstant(getWeightOperand(op).get()))
    shrinkWeights(op);
  if (!axis)
    return;
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    shrinkConstants(generic);
  const int64_t extent = keptIndices(*axis).size();
  auto type = withExtent(cast<RankedTensorType>(op->getResult(0).getType()), axis->axis, extent);
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    moveSlice(slice, extent);
  if (extent == static_cast<int64_t>(axis->channels.size()))
    return;
  if (isa<DestinationStyleOpInterface>(op))
    resizeInit(op, type);
  if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
    expand.setStaticOutputShape(type.getShape());
  op->getResult(0).setType(type);
}

/// The composite again, of an input with less channels; one of those that ChannelClasses follows.
static Value rebuildComposite(OpBuilder &builder, CompositeOp op) {
  Value input = op.getInputs()[0];
  if (op.getName() == "avg_pool")
    return buildAvgPool(builder, op.getLoc(), input, AvgPool::fromParameters(op.getParameters()));
  if (op.getName() == "resize")
    return buildResizeNearest(builder, op.getLoc(), input, ResizeNearest::fromParameters(op.getParameters()));
  return buildUnary(builder, op.getLoc(), op.getName(), input, op.getParameters());
}

/// Whether the body is still for the shape that the input had.
static bool hasOtherInput(CompositeOp op) {
  return !op.getInputs().empty() && op.getInputs()[0].getType() != op.getBody().getArgument(0).getType();
}

void mlir::halftone::shrinkChannels(func::FuncOp function, const ChannelClasses &classes, const llvm::BitVector &removed) {
  Shrinker shrinker(classes, removed);
  SmallVector<Operation *> ops;
  for (Operation &op : function.getBody().front())
    if (classify(&op) != OpKind::Initial)
      ops.push_back(&op);
  for (Operation *op : ops)
    shrinker.shrink(op);
  for (Operation *op : ops)
    if (auto composite = dyn_cast<CompositeOp>(op); composite && hasOtherInput(composite)) {
      OpBuilder builder(op);
      composite.getResult(0).replaceAllUsesWith(rebuildComposite(builder, composite));
      composite.erase();
    }
}
