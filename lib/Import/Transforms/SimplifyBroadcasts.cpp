//===- SimplifyBroadcasts.cpp - operands without extents that only broadcast ===//
//
// torch-mlir reads a channel vector as C x 1 x 1 through (n, c, h, w) -> (c, 0, 0); the entry form reads it as C
// through (c). And it starts a convolution's sum at the broadcast bias, as TOSA's lowering does; the entry form adds the bias afterwards.
//
//===----------------------------------------------------------------------===//
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Elementwise.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::halftone;

namespace {
struct DropUnitExtents : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    bool changed = false;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand->get().getType());
      auto elements = type && type.getElementType().isF32() && llvm::is_contained(type.getShape(), 1)
                          ? getConstantElements<float>(operand->get())
                          : std::nullopt;
      if (!elements)
        continue;
      unsigned number = operand->getOperandNumber();
      SmallVector<AffineExpr> results;
      SmallVector<int64_t> shape;
      for (auto [extent, expression] : llvm::zip_equal(type.getShape(), maps[number].getResults()))
        if (extent != 1) {
          results.push_back(expression);
          shape.push_back(extent);
        }
      SmallVector<AffineMap> fewer = maps;
      fewer[number] = AffineMap::get(maps[number].getNumDims(), 0, results, op.getContext());
      if (!inversePermutation(concatAffineMaps(fewer, op.getContext())))
        continue; // a loop that no other operand has
      maps = std::move(fewer);
      auto attribute = makeConstant<float>(RankedTensorType::get(shape, type.getElementType()), *elements, "constant");
      Value constant = arith::ConstantOp::create(rewriter, operand->get().getLoc(), attribute);
      rewriter.modifyOpInPlace(op, [&] { operand->set(constant); });
      changed = true;
    }
    if (!changed)
      return failure();
    rewriter.modifyOpInPlace(op, [&] { op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps)); });
    return success();
  }
};


/// A vector that is broadcast along all dimensions but `axis`.
struct BroadcastVector {
  Value vector, init;
  int64_t axis;
};
} // namespace

/// By `linalg.broadcast`, or by a generic that only yields its one input.
static std::optional<BroadcastVector> matchBroadcast(Value value) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op || op.getNumDpsInputs() != 1 || op->getNumResults() != 1 || op.getNumReductionLoops() != 0)
    return std::nullopt;
  auto yield = cast<linalg::YieldOp>(op.getBlock()->getTerminator());
  AffineMap read = op.getIndexingMapsArray()[0], written = op.getIndexingMapsArray()[1];
  unsigned rank = written.getNumResults();
  if (read.getNumResults() != 1 || !written.isIdentity() || rank < 2 || yield.getOperand(0) != op.getBlock()->getArgument(0))
    return std::nullopt;
  // One channel is read at 0.
  bool isChannel = isa<AffineDimExpr>(read.getResult(0));
  if (!isChannel && cast<RankedTensorType>(value.getType()).getDimSize(rank - 1) != 1)
    return std::nullopt;
  return BroadcastVector{op.getDpsInputs()[0], op.getDpsInits()[0], isChannel ? read.getDimPosition(0) : rank - 1};
}

/// `x + vector` along its axis, with a destination of the type of what was broadcast.
static linalg::GenericOp addVector(PatternRewriter &rewriter, Location loc, Value x, const BroadcastVector &bias) {
  auto type = cast<RankedTensorType>(x.getType());
  const int64_t rank = type.getRank();
  AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
  AffineMap channel = AffineMap::get(rank, 0, rewriter.getAffineDimExpr(bias.axis));
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  return linalg::GenericOp::create(rewriter, loc, type, ValueRange{x, bias.vector}, ValueRange{bias.init}, ArrayRef<AffineMap>{identity, channel, identity},
                                   iterators, [](OpBuilder &b, Location l, ValueRange a) {
                                     Value s = arith::AddFOp::create(b, l, a[0], a[1]);
                                     linalg::YieldOp::create(b, l, s);
                                   });
}

namespace {
template <typename OpTy>
struct BiasAfterConvolution : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    std::optional<BroadcastVector> bias = matchBroadcast(op.getDpsInits()[0]);
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!bias || !type)
      return failure();
    Location loc = op.getLoc();
    Value fill = buildZeros(rewriter, loc, tensor::getMixedSizes(rewriter, loc, bias->init), type.getElementType());
    rewriter.modifyOpInPlace(op, [&] { op.getDpsInitsMutable()[0].set(fill); });
    rewriter.setInsertionPointAfter(op);
    linalg::GenericOp sum = addVector(rewriter, loc, op->getResult(0), *bias);
    rewriter.replaceAllUsesExcept(op->getResult(0), sum.getResult(0), sum);
    return success();
  }
};

/// A grouped convolution has the channels of its bias split into groups: they are added where its result's are joined.
struct BiasAfterGroups : OpRewritePattern<linalg::Conv2DNgchwGfchwOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(linalg::Conv2DNgchwGfchwOp op, PatternRewriter &rewriter) const override {
    auto split = op.getDpsInits()[0].getDefiningOp<tensor::ExpandShapeOp>();
    std::optional<BroadcastVector> bias = split ? matchBroadcast(split.getSrc()) : std::nullopt;
    auto joined = op->hasOneUse() ? dyn_cast<tensor::CollapseShapeOp>(*op->user_begin()) : tensor::CollapseShapeOp();
    if (!bias || bias->axis != 1 || !joined || joined.getType() != split.getSrcType())
      return failure();
    Location loc = op.getLoc();
    Value fill = buildZeros(rewriter, loc, tensor::getMixedSizes(rewriter, loc, split), split.getType().getElementType());
    rewriter.modifyOpInPlace(op, [&] { op.getDpsInitsMutable()[0].set(fill); });
    rewriter.setInsertionPointAfter(joined);
    linalg::GenericOp sum = addVector(rewriter, loc, joined, *bias);
    rewriter.replaceAllUsesExcept(joined, sum.getResult(0), sum);
    return success();
  }
};
} // namespace

void mlir::halftone::populateSimplifyBroadcasts(RewritePatternSet &patterns) {
  patterns.add<DropUnitExtents, BiasAfterGroups, BiasAfterConvolution<linalg::Conv2DNchwFchwOp>,
               BiasAfterConvolution<linalg::Conv2DNhwcHwcfOp>, BiasAfterConvolution<linalg::DepthwiseConv2DNchwChwOp>,
               BiasAfterConvolution<linalg::DepthwiseConv2DNhwcHwcOp>, BiasAfterConvolution<linalg::MatmulOp>>(
      patterns.getContext());
}
