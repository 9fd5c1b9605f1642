//===- PropagateCasts.cpp - data movement on codes --------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/Passes.h"
#include "halftone/Support/Rewriting.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_PROPAGATECASTS
#include "halftone/Quantization/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The codes behind a dequantized activation (one scale for the tensor), or null.
static Value getCodes(Value value) {
  auto dequantize = value.getDefiningOp<DequantizeOp>();
  if (!dequantize || !isa<quant::UniformQuantizedType>(dequantize.getInput().getType().getElementType()))
    return {};
  return dequantize.getInput();
}

static Type withElement(Type tensor, Value codes) {
  return cast<RankedTensorType>(tensor).clone(getElementTypeOrSelf(codes.getType()));
}

/// Replaces `op` by the same on codes, and a dequantize of its result.
static void moveBehind(PatternRewriter &rewriter, Operation *op, ValueRange operands, llvm::Statistic *moved) {
  Type type = op->getResult(0).getType();
  Operation *onCodes = mlir::clone(rewriter, op, withElement(type, operands.front()), operands);
  onCodes->removeAttr(kRangeAttr);
  rewriter.replaceOpWithNewOp<DequantizeOp>(op, type, onCodes->getResult(0), Value(), Value());
  ++*moved;
}

namespace {
/// reshape(dequantize x) -> dequantize(reshape x); slices alike. Other operands (sizes) stay.
struct MoveReshape : RewritePattern {
  MoveReshape(MLIRContext *context, StringRef name, llvm::Statistic *moved)
      : RewritePattern(name, 1, context), moved(moved) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    Value codes = getCodes(op->getOperand(0));
    if (!codes)
      return rewriter.notifyMatchFailure(op, "does not read a dequantized activation");
    SmallVector<Value> operands = llvm::to_vector(op->getOperands());
    operands[0] = codes;
    moveBehind(rewriter, op, operands, moved);
    return success();
  }
  llvm::Statistic *moved;
};

struct MoveTranspose : OpRewritePattern<linalg::TransposeOp> {
  MoveTranspose(MLIRContext *context, llvm::Statistic *moved) : OpRewritePattern(context), moved(moved) {}

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    Value codes = getCodes(op.getInput());
    auto empty = op.getInit().getDefiningOp<tensor::EmptyOp>();
    if (!codes || !empty)
      return rewriter.notifyMatchFailure(op, "does not transpose a dequantized activation into a fresh tensor");
    auto type = cast<RankedTensorType>(withElement(op.getInit().getType(), codes));
    Value init = tensor::EmptyOp::create(rewriter, empty.getLoc(), type, empty.getDynamicSizes());
    auto onCodes = linalg::TransposeOp::create(rewriter, op.getLoc(), codes, init, op.getPermutation());
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, op.getResult().front().getType(), onCodes->getResult(0), Value(),
                                              Value());
    ++*moved;
    return success();
  }
  llvm::Statistic *moved;
};

struct MoveConcat : OpRewritePattern<tensor::ConcatOp> {
  MoveConcat(MLIRContext *context, llvm::Statistic *moved) : OpRewritePattern(context), moved(moved) {}

  LogicalResult matchAndRewrite(tensor::ConcatOp op, PatternRewriter &rewriter) const override {
    SmallVector<Value> codes;
    for (Value input : op.getInputs())
      codes.push_back(getCodes(input));
    if (llvm::is_contained(codes, Value()) ||
        !llvm::all_equal(llvm::map_range(codes, [](Value value) { return getElementTypeOrSelf(value.getType()); })))
      return rewriter.notifyMatchFailure(op, "does not join dequantized activations of one type");
    moveBehind(rewriter, op, codes, moved);
    return success();
  }
  llvm::Statistic *moved;
};

struct PropagateCastsPass : halftone::impl::PropagateCastsBase<PropagateCastsPass> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    for (StringRef name : {tensor::ExpandShapeOp::getOperationName(), tensor::CollapseShapeOp::getOperationName(),
                           tensor::ExtractSliceOp::getOperationName(), tensor::CastOp::getOperationName()})
      patterns.add<MoveReshape>(context, name, &moved);
    patterns.add<MoveTranspose, MoveConcat>(context, &moved);
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
