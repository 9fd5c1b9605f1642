//===- ConvertDataMovement.cpp - move codes instead of real numbers
//---------===//
#include "CodeTensors.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/IR/IRMapping.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTDATAMOVEMENT
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Reshapes, slices and concatenations: what can be cloned with operands of
/// another element type.
static bool isPlainMovement(Operation *op) {
  return isa<tensor::CastOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp,
             tensor::ExtractSliceOp, tensor::ConcatOp>(op);
}

/// The tensors that a movement reads; its other operands are sizes and offsets.
static SmallVector<Value> movedTensors(Operation *op) {
  return llvm::to_vector(llvm::make_filter_range(
      op->getOperands(), [](Value v) { return isa<TensorType>(v.getType()); }));
}

/// The movement on other tensors, of the element type that these have.
static Value cloneMovement(RewriterBase &rewriter, Operation *op,
                           ArrayRef<Value> tensors) {
  IRMapping mapping;
  for (auto [old, replacement] : llvm::zip(movedTensors(op), tensors))
    mapping.map(old, replacement);
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  Operation *moved = rewriter.clone(*op, mapping);
  moved->getResult(0).setType(
      type.clone(getElementTypeOrSelf(tensors[0].getType())));
  return moved->getResult(0);
}

static bool isF32(Type type) { return getElementTypeOrSelf(type).isF32(); }

/// Whether the body of a composite only copies floats, such as that of a
/// nearest resize.
static bool onlyCopies(Block &body) {
  WalkResult result = body.walk([](Operation *op) {
    bool copies =
        isa<linalg::GenericOp, linalg::YieldOp, YieldOp,
            tensor::CollapseShapeOp, tensor::EmptyOp, tensor::ExpandShapeOp,
            tensor::ExtractOp, tensor::ExtractSliceOp>(op);
    bool touches = llvm::any_of(op->getOperandTypes(), isF32) ||
                   llvm::any_of(op->getResultTypes(), isF32);
    return copies || !touches ? WalkResult::advance() : WalkResult::interrupt();
  });
  return !result.wasInterrupted();
}

/// Makes i8 of every f32 in an operation and its regions.
static void retypeToCodes(Operation *root) {
  auto retype = [](Value value) {
    Type i8 = IntegerType::get(value.getContext(), 8);
    if (auto tensor = dyn_cast<RankedTensorType>(value.getType()))
      i8 = tensor.clone(i8);
    if (isF32(value.getType()))
      value.setType(i8);
  };
  root->walk([&](Operation *op) {
    llvm::for_each(op->getResults(), retype);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), retype);
  });
}

/// What a real pad value is as a code: the zero point for 0, the lowest code
/// for -inf where only maxima read it.
static std::optional<int32_t> padCode(tensor::PadOp pad,
                                      const CodeFormat &format) {
  Value value = pad.getConstantPaddingValue();
  std::optional<float> number = value ? matchNumber(value) : std::nullopt;
  if (!number || pad.getNofold())
    return std::nullopt;
  if (*number == 0)
    return format.zero;
  bool lowest = std::isinf(*number) && *number < 0;
  if (lowest &&
      llvm::all_of(pad->getUsers(), llvm::IsaPred<linalg::PoolingNhwcMaxOp>))
    return format.low;
  return std::nullopt;
}

namespace {
/// Counts the rewrites of the pass.
template <typename Op> struct CountingPattern : OpRewritePattern<Op> {
  CountingPattern(MLIRContext *context, Pass::Statistic &moved)
      : OpRewritePattern<Op>(context), moved(moved) {}
  Pass::Statistic &moved;
};

/// A movement of dequantized tensors of one type, or of quantized ones, is one
/// of codes.
struct MoveCodes : RewritePattern {
  MoveCodes(MLIRContext *context, Pass::Statistic &moved)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context), moved(moved) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (!isPlainMovement(op))
      return failure();
    bool dequantizes = getElementTypeOrSelf(op->getResult(0).getType()).isF32();
    SmallVector<Value> sources;
    Type element;
    for (Value tensor : movedTensors(op)) {
      std::optional<Dequantized> source = matchDequantized(tensor);
      sources.push_back(source ? source->quantized : tensor);
      Type type = getElementTypeOrSelf(sources.back().getType());
      if (!CodeFormat::get(type) || (element && element != type))
        return rewriter.notifyMatchFailure(
            op, "not all operands have codes of one type");
      element = type;
    }
    SmallVector<Value> codes = llvm::map_to_vector(sources, [&](Value source) {
      return codesOf(rewriter, op->getLoc(), source);
    });
    Value result = cloneMovement(rewriter, op, codes);
    auto finish = dequantizes ? dequantizedFrom : quantizedFrom;
    rewriter.replaceOp(op, finish(rewriter, op->getLoc(), result, element));
    ++moved;
    return success();
  }

  Pass::Statistic &moved;
};

struct MovePad : CountingPattern<tensor::PadOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(tensor::PadOp pad,
                                PatternRewriter &rewriter) const override {
    std::optional<Dequantized> source = matchDequantized(pad.getSource());
    if (!source)
      return rewriter.notifyMatchFailure(
          pad, "its source has no codes of one scale");
    std::optional<int32_t> code = padCode(pad, source->format);
    if (!code)
      return rewriter.notifyMatchFailure(pad, "its pad value has no code");
    Location loc = pad.getLoc();
    Value codes = codesOf(rewriter, loc, source->quantized);
    Value padding = arith::ConstantOp::create(rewriter, loc,
                                              rewriter.getI8IntegerAttr(*code));
    auto type = pad.getResultType().clone(rewriter.getI8Type());
    Value padded =
        tensor::PadOp::create(rewriter, loc, type, codes, pad.getMixedLowPad(),
                              pad.getMixedHighPad(), padding);
    Type element = getElementTypeOrSelf(source->quantized.getType());
    rewriter.replaceOp(pad, dequantizedFrom(rewriter, loc, padded, element));
    ++moved;
    return success();
  }
};

/// The body of a composite that only copies is inlined on codes.
struct MoveComposite : CountingPattern<CompositeOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(CompositeOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getInputs().size() != 1 || op.getNumResults() != 1)
      return rewriter.notifyMatchFailure(op, "not a function of one tensor");
    Block &body = op.getBody().front();
    std::optional<Dequantized> source = matchDequantized(op.getInputs()[0]);
    if (!source || !onlyCopies(body))
      return rewriter.notifyMatchFailure(op,
                                         "not a copy of codes of one scale");
    IRMapping mapping;
    mapping.map(body.getArgument(0),
                codesOf(rewriter, op.getLoc(), source->quantized));
    for (Operation &inner : body.without_terminator())
      retypeToCodes(rewriter.clone(inner, mapping));
    Value codes = mapping.lookup(body.getTerminator()->getOperand(0));
    rewriter.replaceOp(
        op, dequantizedFrom(rewriter, op.getLoc(), codes,
                            getElementTypeOrSelf(source->quantized.getType())));
    ++moved;
    return success();
  }
};

struct MoveTranspose : CountingPattern<linalg::TransposeOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(linalg::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<Dequantized> source = matchDequantized(op.getInput());
    Value quantized = source ? source->quantized : op.getInput();
    Type element = getElementTypeOrSelf(quantized.getType());
    if (!CodeFormat::get(element))
      return rewriter.notifyMatchFailure(
          op, "its source has no codes of one scale");
    Location loc = op.getLoc();
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, op.getInit());
    Value init =
        tensor::EmptyOp::create(rewriter, loc, sizes, rewriter.getI8Type());
    auto moved8 = linalg::TransposeOp::create(rewriter, loc,
                                              codesOf(rewriter, loc, quantized),
                                              init, op.getPermutation());
    auto finish = source ? dequantizedFrom : quantizedFrom;
    rewriter.replaceOp(op,
                       finish(rewriter, loc, moved8->getResult(0), element));
    ++moved;
    return success();
  }
};

/// quantize(reshape x) is reshape(quantize x): the quantization comes next to
/// the operation that computes x.
struct QuantizeBeforeReshape : CountingPattern<QuantizeOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    Operation *reshape = op.getInput().getDefiningOp();
    auto type = cast<RankedTensorType>(op.getResult().getType());
    if (!isa_and_present<tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
            reshape) ||
        !reshape->hasOneUse() || !CodeFormat::get(type) ||
        isGroupedResult(reshape))
      return rewriter.notifyMatchFailure(op,
                                         "not the only reader of a reshape");
    Value source = reshape->getOperand(0);
    rewriter.setInsertionPoint(reshape);
    auto sourceType =
        cast<RankedTensorType>(source.getType()).clone(type.getElementType());
    Value quantized =
        QuantizeOp::create(rewriter, op.getLoc(), sourceType, source);
    Value result = cloneMovement(rewriter, reshape,
                                 codesOf(rewriter, op.getLoc(), quantized));
    rewriter.replaceOp(op, quantizedFrom(rewriter, op.getLoc(), result,
                                         type.getElementType()));
    ++moved;
    return success();
  }

  /// The collapse behind a grouped convolution is part of its tail.
  static bool isGroupedResult(Operation *reshape) {
    return isa_and_present<linalg::Conv2DNhwgcGfhwcOp>(
        reshape->getOperand(0).getDefiningOp());
  }
};

/// quantize(concat(dequantize a, dequantize b)): each input comes to the
/// result's type (rule A14).
struct RequantizeConcat : CountingPattern<QuantizeOp> {
  using CountingPattern::CountingPattern;
  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto concat = op.getInput().getDefiningOp<tensor::ConcatOp>();
    std::optional<CodeFormat> format =
        CodeFormat::get(op.getResult().getType());
    if (!concat || !format)
      return rewriter.notifyMatchFailure(
          op, "not the quantization of a concatenation");
    SmallVector<Dequantized> sources;
    for (Value input : concat.getInputs()) {
      std::optional<Dequantized> source = matchDequantized(input);
      if (!source)
        return rewriter.notifyMatchFailure(
            op, "an input has no codes of one scale");
      sources.push_back(*source);
    }
    Type element = getElementTypeOrSelf(op.getResult().getType());
    SmallVector<Value> codes;
    for (const Dequantized &source : sources)
      codes.push_back(
          requantize(rewriter, op.getLoc(), source, element, *format));
    Value result = cloneMovement(rewriter, concat, codes);
    rewriter.replaceOp(op,
                       quantizedFrom(rewriter, op.getLoc(), result, element));
    ++moved;
    return success();
  }

  static Value requantize(PatternRewriter &rewriter, Location loc,
                          const Dequantized &source, Type element,
                          const CodeFormat &format) {
    Value codes = codesOf(rewriter, loc, source.quantized);
    if (getElementTypeOrSelf(source.quantized.getType()) == element)
      return codes;
    float multiplier =
        static_cast<float>(double(source.format.scale) / double(format.scale));
    SmallVector<OpFoldResult> sizes = sizesOf(rewriter, loc, codes);
    return createElementwise(
        rewriter, loc, sizes, rewriter.getI8Type(), codes,
        rewriter.getMultiDimIdentityMap(sizes.size()),
        [&](OpBuilder &builder, Location nested, ValueRange scalars) {
          Value logical =
              emitLogical(builder, nested, scalars[0], source.format.zero);
          Value real = arith::SIToFPOp::create(builder, nested,
                                               builder.getF32Type(), logical);
          Value y = arith::MulFOp::create(
              builder, nested, real, emitFloat(builder, nested, multiplier));
          return emitCode(builder, nested, y, Bounds(format), format.zero);
        });
  }
};

struct ConvertDataMovement
    : halftone::impl::ConvertDataMovementBase<ConvertDataMovement> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MoveCodes, MoveComposite, MovePad, MoveTranspose,
                 QuantizeBeforeReshape, RequantizeConcat>(&getContext(), moved);
    if (failed(applyToEnd(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
