//===- SimplifyBroadcasts.cpp - operands without extents that only broadcast ===//
//
// torch-mlir reads a channel vector as C x 1 x 1 through (n, c, h, w) -> (c, 0, 0); the entry form reads it as C
// through (c). And it starts a convolution's sum at the broadcast bias; the entry form adds the bias afterwards.
//
//===----------------------------------------------------------------------===//
#include "halftone/Import/Recognize.h"
#include "halftone/Support/Constants.h"
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

template <typename OpTy>
struct BiasAfterConvolution : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getDpsInits()[0].template getDefiningOp<linalg::BroadcastOp>();
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!broadcast || !type || cast<RankedTensorType>(broadcast.getInput().getType()).getRank() != 1)
      return failure();
    Location loc = op.getLoc();
    Value init = broadcast.getInit();
    Value zero = arith::ConstantOp::create(rewriter, loc, rewriter.getZeroAttr(type.getElementType()));
    Value fill = linalg::FillOp::create(rewriter, loc, zero, init).getResult(0);
    int64_t rank = type.getRank(), axis = 0;
    while (llvm::is_contained(broadcast.getDimensions(), axis))
      ++axis;
    rewriter.setInsertionPointAfter(op);
    rewriter.modifyOpInPlace(op, [&] { op.getDpsInitsMutable()[0].set(fill); });
    AffineMap identity = rewriter.getMultiDimIdentityMap(rank);
    AffineMap channel = AffineMap::get(rank, 0, rewriter.getAffineDimExpr(axis));
    SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
    auto sum = linalg::GenericOp::create(rewriter, loc, type, ValueRange{op->getResult(0), broadcast.getInput()},
                                         ValueRange{init}, ArrayRef<AffineMap>{identity, channel, identity}, iterators,
                                         [](OpBuilder &b, Location l, ValueRange a) {
                                           Value s = arith::AddFOp::create(b, l, a[0], a[1]);
                                           linalg::YieldOp::create(b, l, s);
                                         });
    rewriter.replaceAllUsesExcept(op->getResult(0), sum.getResult(0), sum);
    return success();
  }
};
} // namespace

void mlir::halftone::populateSimplifyBroadcasts(RewritePatternSet &patterns) {
  patterns.add<DropUnitExtents, BiasAfterConvolution<linalg::Conv2DNchwFchwOp>,
               BiasAfterConvolution<linalg::Conv2DNhwcHwcfOp>, BiasAfterConvolution<linalg::DepthwiseConv2DNchwChwOp>,
               BiasAfterConvolution<linalg::DepthwiseConv2DNhwcHwcOp>, BiasAfterConvolution<linalg::MatmulOp>>(
      patterns.getContext());
}
