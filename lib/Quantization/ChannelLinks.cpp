//===- ChannelLinks.cpp - where factors of channels can move -----------------===//
#include "halftone/Quantization/ChannelLinks.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "halftone/Support/Constants.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include <cmath>

using namespace mlir;
using namespace mlir::halftone;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

int64_t mlir::halftone::lastDimension(Value value) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(value.getType()).getShape();
  return shape.empty() ? 0 : shape.back();
}

bool mlir::halftone::hasFiniteWeights(Operation *contraction) {
  std::optional<std::vector<float>> weights = getConstantElements<float>(getWeightOperand(contraction).get());
  return weights && llvm::all_of(*weights, [](float value) { return std::isfinite(value); });
}

OpOperand *mlir::halftone::matchChannelVector(linalg::GenericOp generic, Value scalar) {
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument || argument.getOwner() != generic.getBody())
    return nullptr;
  OpOperand *operand = generic.getMatchingOpOperand(argument);
  AffineMap map = generic.getMatchingIndexingMap(operand);
  bool alongChannels = map.getNumResults() == 1 && map.getResult(0) == getAffineDimExpr(map.getNumDims() - 1, map.getContext());
  return alongChannels && getConstantElements<float>(operand->get()) ? operand : nullptr;
}

static std::optional<float> matchScalar(Value value) {
  APFloat number(0.0f);
  if (value.getType().isF32() && matchPattern(value, m_ConstantFloat(&number)))
    return number.convertToFloat();
  return std::nullopt;
}

/// The operand of an addition or a clamp that is no result of the chain, if the operation has such a form.
static Value otherOperand(Operation &op, Value chain) {
  bool known = isa<arith::AddFOp, arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op);
  if (!known || op.getOperand(0) == op.getOperand(1))
    return {};
  return op.getOperand(op.getOperand(0) == chain ? 1 : 0);
}

/// Whether a generic only adds constants to the value and clamps it.
static bool onlyAddsAndClamps(linalg::GenericOp generic, OpOperand &use) {
  OpKind kind = classify(generic);
  if ((kind != OpKind::Unary && kind != OpKind::Elementwise) || generic.isDpsInit(&use) ||
      !generic.getMatchingIndexingMap(&use).isIdentity() || generic.getResult(0).getType() != use.get().getType())
    return false;
  Value chain = generic.getMatchingBlockArgument(&use);
  for (Operation &op : generic.getBody()->without_terminator()) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!chain.hasOneUse() || *chain.user_begin() != &op)
      return false;
    Value other = otherOperand(op, chain);
    if (!other || !(matchScalar(other) || matchChannelVector(generic, other)))
      return false;
    chain = op.getResult(0);
  }
  return generic.getBody()->getTerminator()->getOperand(0) == chain;
}

static bool isPositivelyHomogeneous(Operation *op) {
  auto composite = dyn_cast<CompositeOp>(op);
  return composite && composite.getInputs().size() == 1 && composite.getNumResults() == 1 &&
         (composite.getName() == "avg_pool" || composite.getName() == "leaky_relu");
}

namespace {
/// Follows a value to all that read it.
class LinkMatcher {
public:
  std::optional<ChannelLink> match(Operation *contraction) {
    if (!hasFiniteWeights(contraction))
      return std::nullopt;
    link.producer = contraction;
    Value value = contraction->getResult(0);
    if (isa<linalg::Conv2DNhwgcGfhwcOp>(contraction)) {
      auto collapse = value.hasOneUse() ? dyn_cast<tensor::CollapseShapeOp>(*value.user_begin()) : tensor::CollapseShapeOp();
      if (!collapse || !joinsGroups(collapse.getSrcType().getShape(), collapse.getResultType().getShape()))
        return std::nullopt;
      value = collapse.getResult();
    }
    link.channels = lastDimension(value);
    if (ShapedType::isDynamic(link.channels) || !follow(value) || link.consumers.empty())
      return std::nullopt;
    return std::move(link);
  }

private:
  /// Whether the last two dimensions of one shape, group and channel, are the last of the other.
  static bool joinsGroups(ArrayRef<int64_t> apart, ArrayRef<int64_t> joined) {
    return apart.size() == joined.size() + 1 && !ShapedType::isDynamicShape(apart.take_back(2)) &&
           apart.take_back(2)[0] * apart.back() == joined.back();
  }

  bool follow(Value value) { return llvm::all_of(value.getUses(), [&](OpOperand &use) { return followUse(use); }); }

  bool followUse(OpOperand &use) {
    Operation *user = use.getOwner();
    if (classify(user) == OpKind::Contraction)
      return addConsumer(use);
    if (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(user))
      return followReshape(user);
    if (auto generic = dyn_cast<linalg::GenericOp>(user)) {
      if (!onlyAddsAndClamps(generic, use))
        return false;
      link.between.push_back(generic);
      return follow(generic.getResult(0));
    }
    bool first = use.getOperandNumber() == 0;
    bool pads = isa<tensor::PadOp>(user) && classify(user) == OpKind::Movement && lastDimension(user->getResult(0)) == link.channels;
    if (first && (pads || classify(user) == OpKind::MaxPool || isPositivelyHomogeneous(user)))
      return follow(user->getResult(0));
    return false;
  }

  /// A reshape that leaves the channels alone, or takes them apart for a grouped convolution.
  bool followReshape(Operation *reshape) {
    Value result = reshape->getResult(0);
    if (lastDimension(result) == link.channels)
      return follow(result);
    bool takesApart = isa<tensor::ExpandShapeOp>(reshape) &&
                      joinsGroups(cast<RankedTensorType>(result.getType()).getShape(),
                                  cast<RankedTensorType>(reshape->getOperand(0).getType()).getShape());
    return takesApart && llvm::all_of(result.getUses(), [&](OpOperand &use) {
             return isa<linalg::Conv2DNhwgcGfhwcOp>(use.getOwner()) && addConsumer(use);
           });
  }

  bool addConsumer(OpOperand &use) {
    Operation *contraction = use.getOwner();
    if (classify(contraction) != OpKind::Contraction || &use != &getActivationOperand(contraction) || !hasFiniteWeights(contraction) ||
        WeightChannels(contraction).inputs != link.channels)
      return false;
    link.consumers.push_back(contraction);
    return true;
  }

  ChannelLink link;
};
} // namespace

SmallVector<ChannelLink> mlir::halftone::findChannelLinks(func::FuncOp function) {
  SmallVector<ChannelLink> links;
  for (Operation &op : function.getBody().front())
    if (classify(&op) == OpKind::Contraction)
      if (std::optional<ChannelLink> link = LinkMatcher().match(&op))
        links.push_back(std::move(*link));
  return links;
}

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

WeightTable::Entry &WeightTable::get(Operation *contraction) {
  auto found = entries.find(contraction);
  if (found == entries.end())
    found = entries.insert({contraction, Entry{WeightChannels(contraction),
                                               *getConstantElements<float>(getWeightOperand(contraction).get())}}).first;
  return found->second;
}

static std::vector<float> largestByChannel(ArrayRef<float> values, ArrayRef<int32_t> channel, int64_t channels) {
  std::vector<float> largest(channels, 0);
  for (auto [value, c] : llvm::zip_equal(values, channel))
    largest[c] = std::max(largest[c], std::abs(value));
  return largest;
}

std::vector<float> WeightTable::largestByOutput(Operation *contraction) {
  Entry &entry = get(contraction);
  return largestByChannel(entry.values, entry.channels.output, entry.channels.outputs);
}

std::vector<float> WeightTable::largestByInput(Operation *contraction) {
  Entry &entry = get(contraction);
  return largestByChannel(entry.values, entry.channels.input, entry.channels.inputs);
}

void WeightTable::divideOutputs(Operation *contraction, ArrayRef<float> factors) {
  Entry &entry = get(contraction);
  entry.changed = true;
  for (auto [value, c] : llvm::zip_equal(entry.values, entry.channels.output))
    value /= factors[c];
}

void WeightTable::multiplyInputs(Operation *contraction, ArrayRef<float> factors) {
  Entry &entry = get(contraction);
  entry.changed = true;
  for (auto [value, c] : llvm::zip_equal(entry.values, entry.channels.input))
    value *= factors[c];
}

void WeightTable::write() {
  for (auto &[contraction, entry] : entries)
    if (entry.changed)
      replaceConstant(getWeightOperand(contraction), entry.values, "weights");
  entries.clear();
}

//===----------------------------------------------------------------------===//
// Biases and bounds
//===----------------------------------------------------------------------===//

std::vector<float> mlir::halftone::sumOfBiases(const ChannelLink &link) {
  std::vector<float> sums(link.channels, 0);
  for (linalg::GenericOp generic : link.between)
    for (arith::AddFOp addition : generic.getBody()->getOps<arith::AddFOp>())
      for (Value operand : addition->getOperands())
        if (OpOperand *vector = matchChannelVector(generic, operand))
          for (auto [sum, bias] : llvm::zip_equal(sums, *getConstantElements<float>(vector->get())))
            sum += bias;
  return sums;
}

/// Dividing 0 and the infinities changes nothing.
static bool needsDivision(float scalar) { return scalar != 0 && !std::isinf(scalar); }

/// Makes a scalar operand of the body a vector of channels, an operand of the generic.
static BlockArgument moveScalar(linalg::GenericOp generic, OpOperand &scalar, ArrayRef<float> elements) {
  OpBuilder builder(generic);
  Location loc = generic.getLoc();
  auto type = RankedTensorType::get({static_cast<int64_t>(elements.size())}, builder.getF32Type());
  Value vector = arith::ConstantOp::create(builder, loc, makeConstant<float>(type, elements, "bound"));
  unsigned position = generic.getNumDpsInputs();
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  maps.insert(maps.begin() + position, maps.back().getSliceMap(maps.back().getNumResults() - 1, 1));
  BlockArgument argument = generic.getBody()->insertArgument(position, builder.getF32Type(), loc);
  generic.getInputsMutable().append(vector);
  generic.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  scalar.set(argument);
  return argument;
}

static void divideConstantsOf(linalg::GenericOp generic, Value chain, ArrayRef<float> factors) {
  llvm::SmallPtrSet<void *, 4> divided; // a vector that two operations of the body read is divided once
  for (Operation &op : llvm::make_early_inc_range(generic.getBody()->without_terminator())) {
    if (op.hasTrait<OpTrait::ConstantLike>())
      continue;
    OpOperand &other = op.getOpOperand(op.getOperand(0) == chain ? 1 : 0);
    chain = op.getResult(0);
    if (OpOperand *vector = matchChannelVector(generic, other.get())) {
      if (!divided.insert(other.get().getAsOpaquePointer()).second)
        continue;
      std::vector<float> elements = *getConstantElements<float>(vector->get());
      for (auto [element, factor] : llvm::zip_equal(elements, factors))
        element /= factor;
      replaceConstant(*vector, elements, "bias");
    } else if (float number = *matchScalar(other.get()); needsDivision(number)) {
      BlockArgument moved = moveScalar(generic, other, llvm::map_to_vector(factors, [&](float factor) { return number / factor; }));
      divided.insert(moved.getAsOpaquePointer());
    }
  }
}

void mlir::halftone::divideConstants(const ChannelLink &link, ArrayRef<float> factors) {
  for (linalg::GenericOp generic : link.between) {
    SmallVector<OpOperand *> inputs = generic.getDpsInputOperands();
    OpOperand *activation = *llvm::find_if(inputs, [](OpOperand *operand) { return !isConstant(operand->get()); });
    divideConstantsOf(generic, generic.getMatchingBlockArgument(activation), factors);
  }
}
