//===- KeepHeights.cpp - sequences stay pictures of one row between convolutions -===//
//
// A 1-D convolution is one of two dimensions whose height is 1 (lib/Import/ONNX/Window.h), which is added before it and removed behind.
// What stands between two of them is computed with the height, so that the removal and the next addition meet and cancel: the chain is
// one of pictures, which has tails, folded batch normalization and one layout, as everywhere else.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Dialect/Halftone/IR/Composites.h"
#include "halftone/Import/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_KEEPHEIGHTS
#include "halftone/Import/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether a shape of rank 4 loses or gets the height of 1 by these groups.
static bool isHeight(RankedTensorType wide, ArrayRef<ReassociationIndices> groups) {
  return wide.getRank() == 4 && groups.size() == 3 && groups[2].size() == 2 && wide.getDimSize(2) == 1;
}

/// The N x C x 1 x W behind an N x C x W, or null.
static Value findWide(Value value) {
  auto collapse = value.getDefiningOp<tensor::CollapseShapeOp>();
  return collapse && isHeight(collapse.getSrcType(), collapse.getReassociationIndices()) ? collapse.getSrc() : Value();
}

static const SmallVector<ReassociationIndices> &heightGroups() {
  static const SmallVector<ReassociationIndices> groups = {{0}, {1}, {2, 3}};
  return groups;
}

/// A list of three with the height's entry.
static SmallVector<OpFoldResult> withHeight(ArrayRef<OpFoldResult> list, OpFoldResult height) {
  SmallVector<OpFoldResult> wide(list);
  wide.insert(wide.begin() + 2, height);
  return wide;
}

static void replaceBy(PatternRewriter &rewriter, Operation *op, Value wide) {
  rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, op->getResult(0).getType(), wide, heightGroups());
}

namespace {
/// function(collapse x) -> collapse(function x), and batch_norm, whose channels stay where they are.
struct WidenComposite : OpRewritePattern<CompositeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(CompositeOp op, PatternRewriter &rewriter) const override {
    Value wide = op.getInputs().empty() ? Value() : findWide(op.getInputs()[0]);
    if (!wide)
      return rewriter.notifyMatchFailure(op, "no sequence with a height");
    Value result = rebuildFunction(rewriter, op, wide);
    if (!result)
      return rewriter.notifyMatchFailure(op, "no function of one tensor");
    replaceBy(rewriter, op, result);
    return success();
  }
};

/// concat(collapse x, collapse y) -> collapse(concat(x, y)).
struct WidenConcat : OpRewritePattern<tensor::ConcatOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ConcatOp op, PatternRewriter &rewriter) const override {
    auto wide = llvm::map_to_vector(op.getInputs(), findWide);
    if (llvm::is_contained(wide, Value()))
      return rewriter.notifyMatchFailure(op, "not all are sequences with a height");
    const uint64_t axis = op.getDim() == 2 ? 3 : op.getDim();
    replaceBy(rewriter, op, tensor::ConcatOp::create(rewriter, op.getLoc(), axis, wide));
    return success();
  }
};

/// extract_slice(collapse x) -> collapse(extract_slice x).
struct WidenSlice : OpRewritePattern<tensor::ExtractSliceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    Value wide = findWide(op.getSource());
    if (!wide || op.getType().getRank() != 3)
      return rewriter.notifyMatchFailure(op, "no sequence of a sequence with a height");
    OpFoldResult zero = rewriter.getIndexAttr(0), one = rewriter.getIndexAttr(1);
    replaceBy(rewriter, op,
              tensor::ExtractSliceOp::create(rewriter, op.getLoc(), wide, withHeight(op.getMixedOffsets(), zero),
                                             withHeight(op.getMixedSizes(), one), withHeight(op.getMixedStrides(), one)));
    return success();
  }
};

/// pad(collapse x) -> collapse(pad x).
struct WidenPad : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    Value wide = findWide(op.getSource()), fill = op.getConstantPaddingValue();
    if (!wide || !fill)
      return rewriter.notifyMatchFailure(op, "no sequence with a height, padded with a constant");
    OpFoldResult zero = rewriter.getIndexAttr(0);
    SmallVector<int64_t> shape(op.getResultType().getShape());
    shape.insert(shape.begin() + 2, 1);
    auto type = RankedTensorType::get(shape, op.getResultType().getElementType());
    replaceBy(rewriter, op,
              tensor::PadOp::create(rewriter, op.getLoc(), type, wide, withHeight(op.getMixedLowPad(), zero),
                                    withHeight(op.getMixedHighPad(), zero), fill));
    return success();
  }
};

struct KeepHeights : halftone::impl::KeepHeightsBase<KeepHeights> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, [](OpOperand *operand) {
      return classify(operand->getOwner()) != OpKind::Other && findWide(operand->get());
    });
    patterns.add<WidenComposite, WidenConcat, WidenSlice, WidenPad>(&getContext());
    // The height that the next convolution adds meets the one that was removed.
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::populateFoldTensorEmptyPatterns(patterns); // initial tensors are no views of others
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
