//===- ConvertBoundaries.cpp - write out the remaining casts
//----------------===//
#include "CodeTensors.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/Rewriting.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTBOUNDARIES
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The scales of a per-axis type as a constant, with the map that reads them.
static std::pair<Value, AffineMap>
scalesByChannel(OpBuilder &builder, Location loc, RankedTensorType type) {
  auto axis = cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  SmallVector<float> scales(axis.getScales());
  auto scalesType =
      RankedTensorType::get({int64_t(scales.size())}, builder.getF32Type());
  Value constant = arith::ConstantOp::create(
      builder, loc, makeConstant<float>(scalesType, scales, "scales"));
  return {constant, builder.getMultiDimIdentityMap(type.getRank())
                        .getSliceMap(axis.getQuantizedDimension(), 1)};
}

/// The zero points of a per-axis type as an i32 constant; null if all are 0.
static Value zerosByChannel(OpBuilder &builder, Location loc,
                            RankedTensorType type) {
  auto axis = cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
  std::vector<int32_t> zeros(axis.getZeroPoints().begin(),
                             axis.getZeroPoints().end());
  if (llvm::all_of(zeros, [](int32_t zero) { return zero == 0; }))
    return {};
  auto zerosType =
      RankedTensorType::get({int64_t(zeros.size())}, builder.getI32Type());
  return arith::ConstantOp::create(
      builder, loc, makeConstant<int32_t>(zerosType, zeros, "zeros"));
}

namespace {
struct WriteOutQuantize : OpRewritePattern<QuantizeOp> {
  WriteOutQuantize(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(QuantizeOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<CodeFormat> format =
        CodeFormat::get(op.getResult().getType());
    if (!format)
      return rewriter.notifyMatchFailure(op, "activations have one scale");
    SmallVector<OpFoldResult> sizes =
        sizesOf(rewriter, op.getLoc(), op.getInput());
    Value codes = createElementwise(
        rewriter, op.getLoc(), sizes, rewriter.getI8Type(), op.getInput(),
        rewriter.getMultiDimIdentityMap(sizes.size()),
        [&](OpBuilder &builder, Location loc, ValueRange scalars) {
          return emitQuantized(builder, loc, scalars[0], *format);
        });
    Type element = getElementTypeOrSelf(op.getResult().getType());
    rewriter.replaceOp(op,
                       quantizedFrom(rewriter, op.getLoc(), codes, element));
    ++count;
    return success();
  }

  Pass::Statistic &count;
};

struct WriteOutDequantize : OpRewritePattern<DequantizeOp> {
  WriteOutDequantize(MLIRContext *context, Pass::Statistic &count)
      : OpRewritePattern(context), count(count) {}

  LogicalResult matchAndRewrite(DequantizeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    Value result = isa<CodebookType>(type.getElementType())
                       ? writeCodebook(rewriter, op)
                       : writeUniform(rewriter, op);
    if (!result)
      return rewriter.notifyMatchFailure(op, "its levels are no constant");
    rewriter.replaceOp(op, result);
    ++count;
    return success();
  }

private:
  static Value writeUniform(PatternRewriter &rewriter, DequantizeOp op) {
    auto type = cast<RankedTensorType>(op.getInput().getType());
    Value codes = codesOf(rewriter, op.getLoc(), op.getInput());
    if (std::optional<CodeFormat> format = CodeFormat::get(type)) {
      AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
      return createElementwise(
          rewriter, op.getLoc(), sizesOf(rewriter, op.getLoc(), codes),
          rewriter.getF32Type(), codes, identity,
          [&](OpBuilder &builder, Location loc, ValueRange scalars) {
            return emitReal(builder, loc, scalars[0], *format);
          });
    }
    auto [scales, map] = scalesByChannel(rewriter, op.getLoc(), type);
    return scaleLevels(rewriter, op.getLoc(), codes, scales, map,
                       zerosByChannel(rewriter, op.getLoc(), type));
  }

  /// f32(level - zero) * scale; `zeros` null: 0 for all.
  static Value scaleLevels(PatternRewriter &rewriter, Location loc,
                           Value levels, Value scales, AffineMap map,
                           Value zeros = Value()) {
    int64_t rank = cast<RankedTensorType>(levels.getType()).getRank();
    SmallVector<Value> inputs{levels, scales};
    SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(rank), map};
    if (zeros) {
      inputs.push_back(zeros);
      maps.push_back(map);
    }
    return createElementwise(
        rewriter, loc, sizesOf(rewriter, loc, levels), rewriter.getF32Type(),
        inputs, maps,
        [&](OpBuilder &builder, Location nested, ValueRange scalars) -> Value {
          Value logical = emitLogical(builder, nested, scalars[0], 0);
          if (zeros)
            logical =
                arith::SubIOp::create(builder, nested, logical, scalars[2]);
          Value real = arith::SIToFPOp::create(builder, nested,
                                               builder.getF32Type(), logical);
          return arith::MulFOp::create(builder, nested, real, scalars[1]);
        });
  }

  /// A table from codes (all of them >= 0) to levels, then the scale.
  static Value writeCodebook(PatternRewriter &rewriter, DequantizeOp op) {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getInput().getType());
    std::optional<std::vector<int8_t>> levels =
        getConstantElements<int8_t>(op.getLevels());
    auto cast = op.getInput().getDefiningOp<StorageCastOp>();
    if (!levels || !cast)
      return {};
    std::vector<int8_t> table(256, 0);
    // With 8 bits the codes from 128 on are stored as negative numbers.
    for (size_t code = 0; code < levels->size(); ++code)
      table[static_cast<int8_t>(code) + 128] = (*levels)[code];
    auto tableType = RankedTensorType::get({256}, rewriter.getI8Type());
    Value tableValue = arith::ConstantOp::create(
        rewriter, loc, makeConstant<int8_t>(tableType, table, "levels"));
    Value codes = cast.getInput();
    Value init = tensor::EmptyOp::create(
        rewriter, loc, sizesOf(rewriter, loc, codes), rewriter.getI8Type());
    Value decoded =
        LookupOp::create(rewriter, loc, init.getType(), codes, tableValue, init)
            .getResult(0);
    int64_t axis = mlir::cast<CodebookType>(type.getElementType()).getAxis();
    AffineMap map = axis < 0 ? AffineMap::get(type.getRank(), 0,
                                              rewriter.getAffineConstantExpr(0))
                             : rewriter.getMultiDimIdentityMap(type.getRank())
                                   .getSliceMap(axis, 1);
    return scaleLevels(rewriter, loc, decoded, op.getScales(), map);
  }

  Pass::Statistic &count;
};

/// Reads a size from a value that exists anyway, so that no float computation
/// lives on for its shape.
struct ReadSize : OpRewritePattern<tensor::DimOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(tensor::DimOp op,
                                PatternRewriter &rewriter) const override {
    std::optional<int64_t> index = op.getConstantIndex();
    if (!index || !isa<RankedTensorType>(op.getSource().getType()))
      return rewriter.notifyMatchFailure(op, "its dimension is no constant");
    if (!isSizeKnown(op.getSource(), *index))
      return rewriter.notifyMatchFailure(op, "nothing else tells the size");
    OpFoldResult size = sizeOf(rewriter, op.getLoc(), op.getSource(), *index);
    Value value = getValueOrCreateConstantIndexOp(rewriter, op.getLoc(), size);
    rewriter.replaceOp(op, value);
    return success();
  }
};

struct ConvertBoundaries
    : halftone::impl::ConvertBoundariesBase<ConvertBoundaries> {
  void runOnOperation() override {
    if (failed(apply<ReadSize>()) ||
        failed(apply<WriteOutQuantize>(quantizations)) ||
        failed(apply<WriteOutDequantize>(dequantizations)) ||
        failed(apply<ReadSize>()))
      signalPassFailure();
  }

  /// One pattern alone; the driver also folds the casts that meet and erases
  /// what nothing uses.
  template <typename Pattern, typename... Arguments>
  LogicalResult apply(Arguments &...arguments) {
    RewritePatternSet patterns(&getContext());
    patterns.add<Pattern>(&getContext(), arguments...);
    return applyToEnd(getOperation(), std::move(patterns));
  }
};
} // namespace
