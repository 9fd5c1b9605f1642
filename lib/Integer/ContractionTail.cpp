//===- ContractionTail.cpp - what follows a contraction in its sandwich
//-----===//
#include "ContractionTail.h"
#include "halftone/Support/Constants.h"

using namespace mlir;
using namespace mlir::halftone;

/// The dimensions after the collapse; nothing if a group joins channels with
/// something else.
static std::optional<SmallVector<int64_t>>
collapseDimensions(tensor::CollapseShapeOp collapse,
                   ArrayRef<int64_t> dimensions) {
  SmallVector<int64_t> result;
  for (auto [i, group] : llvm::enumerate(collapse.getReassociationIndices())) {
    int64_t channels = llvm::count_if(
        group, [&](int64_t d) { return llvm::is_contained(dimensions, d); });
    if (channels == 0)
      continue;
    if (channels != static_cast<int64_t>(group.size()))
      return std::nullopt;
    result.push_back(i);
  }
  return result;
}

/// A constant operand's element for each channel; nothing if it differs along
/// another dimension.
static std::optional<std::vector<float>>
readByChannel(Value constant, AffineMap map, ArrayRef<int64_t> dimensions,
              ArrayRef<int64_t> shape) {
  std::optional<std::vector<float>> elements =
      getConstantElements<float>(constant);
  auto type = dyn_cast<RankedTensorType>(constant.getType());
  if (!elements || !type)
    return std::nullopt;
  int64_t count = ShapedType::getNumElements(shape);
  std::vector<int64_t> offsets(count, 0);
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto dimension = dyn_cast<AffineDimExpr>(expr);
    auto found = dimension ? llvm::find(dimensions, dimension.getPosition())
                           : dimensions.end();
    if (found == dimensions.end() && type.getDimSize(i) != 1)
      return std::nullopt;
    int64_t inner = found == dimensions.end()
                        ? 1
                        : ShapedType::getNumElements(
                              shape.drop_front(found - dimensions.begin() + 1));
    for (int64_t c = 0; c < count; ++c)
      offsets[c] =
          offsets[c] * type.getDimSize(i) +
          (type.getDimSize(i) == 1 ? 0 : c / inner % type.getDimSize(i));
  }
  std::vector<float> result(count);
  for (int64_t c = 0; c < count; ++c)
    result[c] = (*elements)[offsets[c]];
  return result;
}

namespace {
/// Follows the chain of single uses and takes what fits.
class TailMatcher {
public:
  TailMatcher(Value start, const ChannelTotals &totals) : shape(totals.shape) {
    tail.result = start;
    tail.dimensions = totals.dimensions;
  }

  ContractionTail run(bool isFloat) {
    takeCollapse();
    ContractionTail plain = tail;
    while (linalg::GenericOp generic = nextGeneric()) {
      ContractionTail before = tail;
      if (!takeGeneric(generic)) {
        tail = before;
        break;
      }
      // Without a quantization only the bias can be taken.
      if (!tail.residual && tail.clamps.empty())
        plain = tail;
    }
    auto quantize = tail.result.hasOneUse()
                        ? dyn_cast<QuantizeOp>(*tail.result.user_begin())
                        : QuantizeOp();
    if (isFloat || !quantize ||
        !CodeFormat::get(quantize.getResult().getType()))
      return plain;
    tail.quantize = quantize;
    tail.result = quantize.getResult();
    return tail;
  }

private:
  void takeCollapse() {
    if (!tail.result.hasOneUse())
      return;
    auto collapse =
        dyn_cast<tensor::CollapseShapeOp>(*tail.result.user_begin());
    std::optional<SmallVector<int64_t>> dimensions;
    if (!collapse ||
        !(dimensions = collapseDimensions(collapse, tail.dimensions)))
      return;
    tail.collapse = collapse;
    tail.result = collapse.getResult();
    tail.dimensions = *dimensions;
    shape.clear();
    for (int64_t d : tail.dimensions)
      shape.push_back(collapse.getResultType().getDimSize(d));
  }

  linalg::GenericOp nextGeneric() {
    if (!tail.result.hasOneUse())
      return {};
    OpOperand &use = *tail.result.use_begin();
    auto generic = dyn_cast<linalg::GenericOp>(use.getOwner());
    if (!generic || !isElementwise(generic) || generic.isDpsInit(&use) ||
        !generic.getMatchingIndexingMap(&use).isIdentity() ||
        generic.getResult(0).getType() != tail.result.getType())
      return {};
    return generic;
  }

  /// Takes every operation of the region, or says that one does not fit.
  bool takeGeneric(linalg::GenericOp generic) {
    Value chain = generic.getMatchingBlockArgument(&*tail.result.use_begin());
    for (Operation &op : generic.getBody()->without_terminator()) {
      if (op.hasTrait<OpTrait::ConstantLike>())
        continue;
      if (!chain.hasOneUse() || *chain.user_begin() != &op ||
          op.getNumOperands() != 2 || op.getNumResults() != 1)
        return false;
      Value other = op.getOperand(op.getOperand(0) == chain ? 1 : 0);
      if (!takeClamp(generic, op, other) && !takeAddition(generic, op, other))
        return false;
      chain = op.getResult(0);
    }
    tail.result = generic.getResult(0);
    return generic.getBody()->getTerminator()->getOperand(0) == chain;
  }

  bool takeClamp(linalg::GenericOp generic, Operation &op, Value other) {
    bool isMaximum = isa<arith::MaximumFOp, arith::MaxNumFOp>(op);
    if (!isMaximum && !isa<arith::MinimumFOp, arith::MinNumFOp>(op))
      return false;
    if (std::optional<float> number = matchNumber(other)) {
      tail.clamps.push_back({isMaximum, {*number}});
      return true;
    }
    auto argument = dyn_cast<BlockArgument>(other);
    if (!argument || argument.getOwner() != generic.getBody())
      return false;
    OpOperand *operand = generic.getMatchingOpOperand(argument);
    auto bounds =
        readByChannel(operand->get(), generic.getMatchingIndexingMap(operand),
                      tail.dimensions, shape);
    if (!bounds)
      return false;
    tail.clamps.push_back({isMaximum, std::move(*bounds)});
    return true;
  }

  bool takeAddition(linalg::GenericOp generic, Operation &op, Value other) {
    auto argument = dyn_cast<BlockArgument>(other);
    if (!isa<arith::AddFOp>(op) || !argument ||
        argument.getOwner() != generic.getBody() || tail.residual ||
        !tail.clamps.empty())
      return false;
    OpOperand *operand = generic.getMatchingOpOperand(argument);
    AffineMap map = generic.getMatchingIndexingMap(operand);
    if (tail.bias.empty())
      if (auto bias =
              readByChannel(operand->get(), map, tail.dimensions, shape)) {
        tail.bias = std::move(*bias);
        return true;
      }
    if (std::optional<Dequantized> source = matchDequantized(operand->get())) {
      tail.residual = ContractionTail::Residual{*source, map};
      return true;
    }
    return false;
  }

  ContractionTail tail;
  SmallVector<int64_t> shape;
};
} // namespace

ContractionTail ContractionTail::match(linalg::LinalgOp contraction,
                                       const ChannelTotals &totals) {
  return TailMatcher(contraction->getResult(0), totals).run(/*isFloat=*/false);
}

ContractionTail ContractionTail::matchFloat(linalg::LinalgOp contraction,
                                            const ChannelTotals &totals) {
  return TailMatcher(contraction->getResult(0), totals).run(/*isFloat=*/true);
}

SmallVector<int64_t> ContractionTail::channelShape() const {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(result.getType()).getShape();
  return llvm::map_to_vector(dimensions, [&](int64_t d) { return shape[d]; });
}

AffineMap ContractionTail::channelMap() const {
  MLIRContext *context = result.getContext();
  SmallVector<AffineExpr> exprs = llvm::map_to_vector(
      dimensions, [&](int64_t d) { return getAffineDimExpr(d, context); });
  return AffineMap::get(cast<RankedTensorType>(result.getType()).getRank(), 0,
                        exprs, context);
}
