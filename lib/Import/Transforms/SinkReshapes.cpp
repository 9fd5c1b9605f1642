//===- SinkReshapes.cpp - a contraction's values are moved behind its tail ---===//
//
// A product of more than two dimensions is a product of matrices, whose rows are split again behind it; a transposed convolution is
// one whose channels become positions behind it. What is computed elementwise from the result (bias, normalization, activation, residual
// addition) is computed on the contraction's own result, and split or moved behind that: so it is the contraction's tail, as
// everywhere else, and no border between the two where values would be rounded.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/Interleaving.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_SINKRESHAPES
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether the value is a contraction for which `isKind` holds, or computed elementwise from one.
static bool followsContraction(Value value, llvm::function_ref<bool(Operation *)> isKind) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return false;
  OpKind kind = classify(op);
  if (kind == OpKind::Contraction)
    return isKind(op);
  auto composite = dyn_cast<CompositeOp>(op);
  bool isNormalization = composite && composite.getName() == "batch_norm";
  return (kind == OpKind::Elementwise || kind == OpKind::Unary || isNormalization) && llvm::any_of(op->getOperands(), [&](Value operand) {
           return operand.getType() == value.getType() && followsContraction(operand, isKind);
         });
}

/// The operation that splits only the rows of such a matrix, or null.
static tensor::ExpandShapeOp findSplit(Value value) {
  auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
  bool ofRows = expand && expand.getSrcType().getRank() == 2 && expand.getReassociationIndices().back().size() == 1;
  return ofRows && followsContraction(expand.getSrc(), llvm::IsaPred<linalg::MatmulOp>) ? expand : tensor::ExpandShapeOp();
}

/// How a contraction and its tail become `value` by moving their elements, if they do.
static std::optional<Interleaving> findInterleaving(Value value) {
  std::optional<Interleaving> found = value.hasOneUse() ? Interleaving::match(value) : std::nullopt;
  bool isTail = found && followsContraction(found->getSource(), [](Operation *) { return true; });
  return isTail && found->getSource().hasOneUse() ? found : std::nullopt;
}

/// The same moves of another value of the source's shape.
static Value interleave(OpBuilder &builder, Interleaving moves, Value source) {
  IRMapping mapping;
  mapping.map(moves.getSource(), source);
  for (Operation *op : {moves.expand.getOperation(), moves.transpose.getOperation(), moves.collapse.getOperation()})
    builder.clone(*op, mapping);
  return mapping.lookup(moves.collapse.getResult());
}

namespace {
/// A constant vector along a dimension of the result, as one along the source's that it comes from.
struct SpreadVector {
  int64_t dimension; ///< of the source
  SmallVector<float> values;

  Value materialize(OpBuilder &builder, Location loc) const {
    auto type = RankedTensorType::get(static_cast<int64_t>(values.size()), builder.getF32Type());
    return arith::ConstantOp::create(builder, loc, makeConstant<float>(type, ArrayRef<float>(values), "spread"));
  }
};
} // namespace

static std::optional<SpreadVector> spreadVector(Interleaving moves, Value vector, int64_t dimension) {
  std::optional<std::vector<float>> values = getConstantElements<float>(vector);
  std::optional<Interleaving::Origin> origin = values ? moves.findOrigin(dimension) : std::nullopt;
  if (!origin)
    return std::nullopt;
  return SpreadVector{origin->dimension, llvm::map_to_vector(origin->indices, [&](int64_t index) { return (*values)[index]; })};
}

namespace {
/// f(interleave x, v) -> interleave(f(x, v')), where v is constant along one dimension.
struct SinkInterleaving : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    AffineMap identity = rewriter.getMultiDimIdentityMap(op.getNumLoops());
    if (op.getNumParallelLoops() != op.getNumLoops() || op->getNumResults() != 1 || op.hasIndexSemantics() ||
        !op.getIndexingMapMatchingResult(op->getOpResult(0)).isIdentity() || !op.getDpsInits()[0].getDefiningOp<tensor::EmptyOp>())
      return rewriter.notifyMatchFailure(op, "not elementwise");
    std::optional<Interleaving> moves;
    for (OpOperand *operand : op.getDpsInputOperands())
      if (!moves && op.getMatchingIndexingMap(operand) == identity)
        moves = findInterleaving(operand->get());
    if (!moves || moves->expand.getSrcType().getRank() != op.getNumLoops())
      return rewriter.notifyMatchFailure(op, "no contraction whose elements are moved");
    auto element = cast<RankedTensorType>(op->getResult(0).getType()).getElementType();
    if (element != moves->expand.getSrcType().getElementType())
      return rewriter.notifyMatchFailure(op, "a result of another element type");
    DenseMap<OpOperand *, SpreadVector> vectors;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      if (operand->get() == moves->collapse.getResult() || map.getNumResults() == 0)
        continue;
      bool isVector = map.getNumResults() == 1 && isa<AffineDimExpr>(map.getResult(0));
      std::optional<SpreadVector> spread = isVector ? spreadVector(*moves, operand->get(), map.getDimPosition(0)) : std::nullopt;
      if (!spread)
        return rewriter.notifyMatchFailure(op, "an operand that is no vector of channels");
      vectors.try_emplace(operand, *spread);
    }
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto vector = vectors.find(operand);
      bool isMoved = operand->get() == moves->collapse.getResult();
      inputs.push_back(isMoved                  ? moves->getSource()
                       : vector == vectors.end() ? operand->get()
                                                 : vector->second.materialize(rewriter, op.getLoc()));
      maps.push_back(vector == vectors.end() ? op.getMatchingIndexingMap(operand)
                                             : AffineMap::get(op.getNumLoops(), 0, rewriter.getAffineDimExpr(vector->second.dimension)));
    }
    maps.push_back(identity);
    Value empty = tensor::EmptyOp::create(rewriter, op.getLoc(), tensor::getMixedSizes(rewriter, op.getLoc(), moves->getSource()), element);
    auto made = linalg::GenericOp::create(rewriter, op.getLoc(), moves->expand.getSrcType(), inputs, ValueRange{empty}, maps,
                                          op.getIteratorTypesArray());
    rewriter.cloneRegionBefore(op.getRegion(), made.getRegion(), made.getRegion().begin());
    rewriter.replaceOp(op, interleave(rewriter, *moves, made->getResult(0)));
    return success();
  }
};

/// The same for a function by name, and for a normalization by channel.
struct SinkInterleavingBehindComposite : OpRewritePattern<CompositeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompositeOp op, PatternRewriter &rewriter) const override {
    std::optional<Interleaving> moves = op.getInputs().empty() ? std::nullopt : findInterleaving(op.getInputs()[0]);
    if (!moves)
      return rewriter.notifyMatchFailure(op, "no contraction whose elements are moved");
    Value source = moves->getSource(), result;
    if (op.getName() == "batch_norm") {
      DictionaryAttr parameters = op.getParameters();
      SmallVector<SpreadVector> spread;
      for (Value vector : op.getInputs().drop_front())
        if (std::optional<SpreadVector> one = spreadVector(*moves, vector, parameters.getAs<IntegerAttr>("axis").getInt()))
          spread.push_back(*one);
      if (spread.size() == 4) {
        SmallVector<Value> vectors = llvm::map_to_vector(spread, [&](const SpreadVector &v) { return v.materialize(rewriter, op.getLoc()); });
        result = buildBatchNorm(rewriter, op.getLoc(), source, vectors[0], vectors[1], vectors[2], vectors[3],
                                parameters.getAs<FloatAttr>("epsilon").getValueAsDouble(), spread[0].dimension);
      }
    } else if (classify(op) == OpKind::Unary) {
      result = buildUnary(rewriter, op.getLoc(), op.getName(), source, op.getParameters());
    }
    if (!result)
      return rewriter.notifyMatchFailure(op, "no known function");
    rewriter.replaceOp(op, interleave(rewriter, *moves, result));
    return success();
  }
};

/// function(expand_shape x) -> expand_shape(function x).
struct SinkBehindComposite : OpRewritePattern<CompositeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompositeOp op, PatternRewriter &rewriter) const override {
    tensor::ExpandShapeOp expand = op.getInputs().empty() ? tensor::ExpandShapeOp() : findSplit(op.getInputs()[0]);
    if (!expand || classify(op) != OpKind::Unary)
      return rewriter.notifyMatchFailure(op, "no function of a matrix product's split rows");
    Value result = buildUnary(rewriter, op.getLoc(), op.getName(), expand.getSrc(), op.getParameters());
    if (!result)
      return rewriter.notifyMatchFailure(op, "no known function");
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, expand.getResultType(), result, expand.getReassociationIndices(),
                                                       expand.getMixedOutputShape());
    return success();
  }
};

/// dim(expand_shape x) -> the size that the expansion was given. Else sizes would keep it alive, as a reader of the tail.
struct ReadGivenSize : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    auto expand = op.getSource().getDefiningOp<tensor::ExpandShapeOp>();
    std::optional<int64_t> index = op.getConstantIndex();
    if (!expand || !index || *index >= expand.getResultType().getRank())
      return rewriter.notifyMatchFailure(op, "no known dimension of an expansion");
    OpFoldResult size = expand.getMixedOutputShape()[*index];
    rewriter.replaceOp(op, getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), size));
    return success();
  }
};

struct SinkReshapes : halftone::impl::SinkReshapesBase<SinkReshapes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns, [](OpOperand *operand) {
      return classify(operand->getOwner()) != OpKind::Other && findSplit(operand->get());
    });
    patterns.add<SinkInterleaving, SinkInterleavingBehindComposite, SinkBehindComposite, ReadGivenSize>(&getContext());
    // What the next operand is split by meets what this one joins.
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns); // initial tensors are no views of others
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
