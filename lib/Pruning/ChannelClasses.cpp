//===- ChannelClasses.cpp - channels that can only go together --------------===//
#include "halftone/Pruning/ChannelClasses.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::halftone;

/// Whether the result that an operation starts from can be made anew in another shape.
static bool hasPlainInit(Operation *op) {
  Value init = cast<DestinationStyleOpInterface>(op).getDpsInits()[0];
  if (auto fill = init.getDefiningOp<linalg::FillOp>())
    init = fill.getDpsInits()[0];
  return init.getDefiningOp<tensor::EmptyOp>();
}

static RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Channels and classes
//===----------------------------------------------------------------------===//

SmallVector<int32_t, 0> ChannelClasses::addChannels(int64_t count) {
  auto channels = llvm::to_vector<0>(llvm::seq<int32_t>(numChannels, numChannels + count));
  numChannels += count;
  classes.grow(numChannels);
  return channels;
}

/// Channels that meet element by element; false if they are not as many.
bool ChannelClasses::join(ArrayRef<int32_t> some, ArrayRef<int32_t> others) {
  if (some.size() != others.size())
    return false;
  for (auto [a, b] : llvm::zip_equal(some, others))
    classes.join(a, b);
  return true;
}

const ChannelAxis *ChannelClasses::find(Value value) const {
  auto found = axes.find(value);
  return found == axes.end() ? nullptr : &found->second;
}

void ChannelClasses::fix(int32_t channel, const Twine &reason) {
  if (complete)
    fixed.try_emplace(classOf(channel), reason.str());
  else
    reasons.emplace_back(channel, reason.str());
}

StringRef ChannelClasses::fixedBecause(int32_t channel) const {
  auto found = fixed.find(classOf(channel));
  return found == fixed.end() ? StringRef() : StringRef(found->second);
}

void ChannelClasses::fixOperands(Operation *op, const Twine &reason) {
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (const ChannelAxis *axis = find(operand))
        for (int32_t channel : axis->channels)
          fix(channel, reason);
  });
}

//===----------------------------------------------------------------------===//
// What each operation does with channels
//===----------------------------------------------------------------------===//

FailureOr<ChannelAxis> ChannelClasses::followContraction(Operation *op) {
  Value weights = getWeightOperand(op).get();
  const ChannelAxis *input = find(getActivationOperand(op).get());
  const int64_t last = typeOf(op->getResult(0)).getRank() - 1;
  const bool isRead = !input || input->axis == typeOf(getActivationOperand(op).get()).getRank() - 1;
  if (!isConstant(weights) || !typeOf(weights).getElementType().isF32() || !hasPlainInit(op) || !isRead ||
      isa<linalg::Conv2DNhwgcGfhwcOp>(op)) {
    if (isConstant(weights))
      strangers.emplace_back(op, isa<linalg::Conv2DNhwgcGfhwcOp>(op) ? "it is a grouped convolution" : "its form is unknown");
    return failure();
  }
  if (isa<linalg::DepthwiseConv2DNhwcHwcOp>(op)) {
    if (!input)
      return failure();
    return *input;
  }
  SmallVector<int64_t> dims = getOutputChannelDims(op);
  ChannelAxis result{last, addChannels(typeOf(weights).getDimSize(dims.front()))};
  made.push_back({op, result.channels.front(), static_cast<int64_t>(result.channels.size())});
  return result;
}

/// Channels of all operands run along one loop, and meet there.
FailureOr<ChannelAxis> ChannelClasses::followGeneric(linalg::GenericOp op) {
  OpKind kind = classify(op);
  if ((kind != OpKind::Unary && kind != OpKind::Elementwise) || !hasPlainInit(op) || op.hasIndexSemantics())
    return failure();
  std::optional<unsigned> loop;
  ArrayRef<int32_t> channels;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    const ChannelAxis *axis = find(operand->get());
    if (!axis)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(op.getMatchingIndexingMap(operand).getResult(axis->axis));
    if (!dim || (loop && *loop != dim.getPosition()) || (loop && !join(channels, axis->channels)))
      return failure();
    loop = dim.getPosition();
    channels = axis->channels;
  }
  if (!loop)
    return failure();
  // What else runs along the loop is a constant, which shrinks as well.
  for (OpOperand *operand : op.getDpsInputOperands())
    for (AffineExpr expression : op.getMatchingIndexingMap(operand).getResults()) {
      if (find(operand->get()) || !expression.isFunctionOfDim(*loop))
        continue;
      if (!isConstant(operand->get()) || !isa<AffineDimExpr>(expression) || !isFloatTensor(operand->get()))
        return failure();
    }
  return ChannelAxis{*loop, llvm::to_vector_of<int32_t, 0>(channels)};
}

FailureOr<ChannelAxis> ChannelClasses::followConcat(Operation *op) {
  auto concat = cast<tensor::ConcatOp>(op);
  std::optional<ChannelAxis> result;
  for (Value input : concat.getInputs()) {
    const ChannelAxis *axis = find(input);
    if (axis && result && axis->axis != result->axis)
      return failure();
    if (axis && !result)
      result = ChannelAxis{axis->axis, {}};
  }
  const bool sideBySide = static_cast<int64_t>(concat.getDim()) == result->axis;
  for (Value input : concat.getInputs()) {
    const ChannelAxis *axis = find(input);
    SmallVector<int32_t, 0> channels;
    if (axis) {
      channels = axis->channels;
    } else {
      if (!sideBySide || typeOf(input).isDynamicDim(result->axis))
        return failure();
      channels = addChannels(typeOf(input).getDimSize(result->axis));
      for (int32_t channel : channels)
        fix(channel, "no contraction makes it");
    }
    if (sideBySide)
      result->channels.append(channels);
    else if (result->channels.empty())
      result->channels = channels;
    else if (!join(result->channels, channels))
      return failure();
  }
  return *result;
}

/// Flattened with other dimensions, each channel stands at many indices.
static FailureOr<ChannelAxis> followCollapse(tensor::CollapseShapeOp op, const ChannelAxis &from) {
  for (auto [to, group] : llvm::enumerate(op.getReassociationIndices())) {
    if (!llvm::is_contained(group, from.axis))
      continue;
    int64_t outer = 1, inner = 1;
    for (int64_t dim : group) {
      if (op.getSrcType().isDynamicDim(dim))
        return failure();
      (dim < from.axis ? outer : inner) *= dim == from.axis ? 1 : op.getSrcType().getDimSize(dim);
    }
    ChannelAxis result{static_cast<int64_t>(to), {}};
    for (int64_t i = 0; i < outer; ++i)
      for (int32_t channel : from.channels)
        result.channels.append(inner, channel);
    return result;
  }
  return failure();
}

/// Channels may get neighbours of extent 1, but are not split.
static FailureOr<ChannelAxis> followExpand(tensor::ExpandShapeOp op, const ChannelAxis &from) {
  ReassociationIndices group = op.getReassociationIndices()[from.axis];
  for (int64_t dim : group)
    if (op.getResultType().getDimSize(dim) == static_cast<int64_t>(from.channels.size()))
      return ChannelAxis{dim, from.channels};
  return failure();
}

static FailureOr<ChannelAxis> followSlice(tensor::ExtractSliceOp op, const ChannelAxis &from) {
  const int64_t offset = op.getStaticOffsets()[from.axis], size = op.getStaticSizes()[from.axis];
  if (op.getSourceType().getRank() != op.getType().getRank() || ShapedType::isDynamic(offset) ||
      ShapedType::isDynamic(size) || op.getStaticStrides()[from.axis] != 1)
    return failure();
  return ChannelAxis{from.axis, llvm::to_vector_of<int32_t, 0>(ArrayRef<int32_t>(from.channels).slice(offset, size))};
}

static FailureOr<ChannelAxis> followPad(tensor::PadOp op, const ChannelAxis &from) {
  if (op.getStaticLow()[from.axis] != 0 || op.getStaticHigh()[from.axis] != 0 || !op.getConstantPaddingValue())
    return failure();
  return from;
}

static FailureOr<ChannelAxis> followTranspose(linalg::TransposeOp op, const ChannelAxis &from) {
  if (!hasPlainInit(op))
    return failure();
  return ChannelAxis{llvm::find(op.getPermutation(), from.axis) - op.getPermutation().begin(), from.channels};
}

static bool isChannelsLast(CompositeOp op) {
  auto last = op.getParameters().getAs<BoolAttr>("channels_last");
  return last && last.getValue();
}

/// Those that can be made again for another number of channels.
static FailureOr<ChannelAxis> followComposite(CompositeOp op, const ChannelAxis &from) {
  OpKind kind = classify(op);
  if (kind == OpKind::Unary && op.getInputs().size() == 1)
    return from;
  if ((kind == OpKind::AveragePool || kind == OpKind::Movement) && isChannelsLast(op) && from.axis == 3)
    return from;
  return failure();
}

FailureOr<ChannelAxis> ChannelClasses::followMovement(Operation *op, const ChannelAxis &from) {
  return TypeSwitch<Operation *, FailureOr<ChannelAxis>>(op)
      .Case([&](tensor::CollapseShapeOp o) { return followCollapse(o, from); })
      .Case([&](tensor::ExpandShapeOp o) { return followExpand(o, from); })
      .Case([&](tensor::ExtractSliceOp o) { return followSlice(o, from); })
      .Case([&](tensor::PadOp o) { return followPad(o, from); })
      .Case([&](linalg::TransposeOp o) { return followTranspose(o, from); })
      .Case([&](CompositeOp o) { return followComposite(o, from); })
      .Case([&](linalg::PoolingNhwcMaxOp o) -> FailureOr<ChannelAxis> {
        if (from.axis != 3 || !hasPlainInit(o))
          return failure();
        return from;
      })
      .Default([](Operation *) { return failure(); });
}

/// The channels of the result; failure if those of the operands cannot be followed.
FailureOr<ChannelAxis> ChannelClasses::follow(Operation *op) {
  if (isa<linalg::BatchMatmulOp>(op)) // of two activations: no channels are its own
    return failure();
  if (classify(op) == OpKind::Contraction)
    return followContraction(op);
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    return followGeneric(generic);
  if (isa<tensor::ConcatOp>(op))
    return followConcat(op);
  const ChannelAxis *from = op->getNumOperands() > 0 ? find(op->getOperand(0)) : nullptr;
  if (!from || op->getNumResults() != 1)
    return failure();
  return followMovement(op, *from);
}

/// "tensor.insert 'name'", as reasons name an operation.
static std::string describe(Operation *op) {
  std::string text = op->getName().getStringRef().str(), name = locationName(op->getLoc());
  if (auto composite = dyn_cast<CompositeOp>(op))
    text = composite.getName().str();
  return name.empty() ? text : text + " '" + name + "'";
}

void ChannelClasses::visit(Operation *op) {
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    if (const ChannelAxis *axis = find(dim.getSource()); axis && dim.getConstantIndex() && *dim.getConstantIndex() != axis->axis)
      return;
  bool reads = false;
  op->walk([&](Operation *inner) {
    reads |= llvm::any_of(inner->getOperands(), [&](Value operand) { return find(operand) != nullptr; });
  });
  if (isa<func::ReturnOp>(op))
    return fixOperands(op, "is an output of the model");
  if (!reads && classify(op) != OpKind::Contraction)
    return;
  FailureOr<ChannelAxis> result = follow(op);
  if (succeeded(result))
    axes.try_emplace(op->getResult(0), std::move(*result));
  else
    fixOperands(op, "is read by " + describe(op) + ", which keeps its shape");
}

ChannelClasses::ChannelClasses(func::FuncOp function) {
  for (Operation &op : function.getBody().front())
    visit(&op);
  complete = true;
  for (auto &[channel, reason] : reasons)
    fix(channel, reason);
  reasons.clear();
}
