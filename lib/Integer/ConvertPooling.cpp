//===- ConvertPooling.cpp - pooling of codes
//--------------------------------===//
//
// The largest code belongs to the largest number, so a maximum passes codes
// through. An average is an exact i32 sum of codes, then one multiplication by
// s_x / (s_y * count) (rule A13).
//
//===----------------------------------------------------------------------===//
#include "CodeTensors.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Support/Constants.h"
#include "mlir/IR/PatternMatch.h"
#include <cfloat>

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTPOOLING
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Windows have a shape and no content.
static Value createWindow(OpBuilder &builder, Location loc, Value window) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(window.getType()).getShape();
  return tensor::EmptyOp::create(builder, loc, shape, builder.getI8Type());
}

//===----------------------------------------------------------------------===//
// Maximum
//===----------------------------------------------------------------------===//

/// Whether the maximum starts at a number below every code.
static bool startsAtLowest(linalg::PoolingNhwcMaxOp pool) {
  auto fill = pool.getOutputs()[0].getDefiningOp<linalg::FillOp>();
  std::optional<float> number =
      fill ? matchNumber(fill.getInputs()[0]) : std::nullopt;
  return number && *number <= -FLT_MAX;
}

static bool convertMaximum(IRRewriter &rewriter,
                           linalg::PoolingNhwcMaxOp pool) {
  std::optional<Dequantized> source = matchDequantized(pool.getInputs()[0]);
  if (!source)
    return false;
  if (!startsAtLowest(pool)) {
    setReason(pool, "its maximum does not start at the lowest number");
    return false;
  }
  Location loc = pool.getLoc();
  rewriter.setInsertionPoint(pool);
  SmallVector<OpFoldResult> sizes =
      sizesOf(rewriter, loc, pool.getOutputs()[0]);
  Value init = createFilled(rewriter, loc, sizes, rewriter.getI8Type(),
                            source->format.low);
  SmallVector<Value> inputs{codesOf(rewriter, loc, source->quantized),
                            createWindow(rewriter, loc, pool.getInputs()[1])};
  Value codes = linalg::PoolingNhwcMaxOp::create(
                    rewriter, loc, init.getType(), inputs, init,
                    pool.getStrides(), pool.getDilations())
                    .getResult(0);
  rewriter.replaceOp(
      pool, dequantizedFrom(rewriter, loc, codes,
                            getElementTypeOrSelf(source->quantized.getType())));
  return true;
}

//===----------------------------------------------------------------------===//
// Average
//===----------------------------------------------------------------------===//

namespace {
/// The body of an `avg_pool` composite: sums of windows, divided by their
/// counts.
struct Average {
  tensor::PadOp pad; // may be null
  linalg::PoolingNhwcSumOp sum;
  std::vector<float>
      counts; // one for all, or one for each element of `countsType`
  RankedTensorType countsType;
  AffineMap countsMap;

  int64_t getWindowSize() {
    return cast<RankedTensorType>(sum.getInputs()[1].getType())
        .getNumElements();
  }
};
} // namespace

/// The count that the generic divides by.
static bool matchCounts(linalg::GenericOp divide, Average &average) {
  auto quotient = divide.getBody()
                      ->getTerminator()
                      ->getOperand(0)
                      .getDefiningOp<arith::DivFOp>();
  if (!quotient || quotient.getLhs() != divide.getRegionInputArgs()[0])
    return false;
  if (std::optional<float> number = matchNumber(quotient.getRhs())) {
    average.counts = {*number};
    return true;
  }
  auto argument = dyn_cast<BlockArgument>(quotient.getRhs());
  if (!argument || argument.getOwner() != divide.getBody())
    return false;
  OpOperand *operand = divide.getMatchingOpOperand(argument);
  auto counts = getConstantElements<float>(operand->get());
  average.countsType = dyn_cast<RankedTensorType>(operand->get().getType());
  average.countsMap = divide.getMatchingIndexingMap(operand);
  if (counts)
    average.counts = std::move(*counts);
  return counts && average.countsType;
}

/// Matches `divide(pooling_nhwc_sum(pad 0 (x)))`.
static std::optional<Average> matchAverage(CompositeOp composite) {
  if (composite.getName() != "avg_pool" || composite.getInputs().size() != 1 ||
      composite.getNumResults() != 1)
    return std::nullopt;
  Block &body = composite.getBody().front();
  auto divide =
      body.getTerminator()->getOperand(0).getDefiningOp<linalg::GenericOp>();
  Average average;
  if (!divide || !isElementwise(divide) || !matchCounts(divide, average))
    return std::nullopt;
  average.sum = divide.getInputs()[0].getDefiningOp<linalg::PoolingNhwcSumOp>();
  if (!average.sum)
    return std::nullopt;
  Value source = average.sum.getInputs()[0];
  if (auto pad = source.getDefiningOp<tensor::PadOp>()) {
    Value value = pad.getConstantPaddingValue();
    if (!value || matchNumber(value) != 0.0f ||
        !llvm::all_of(pad.getMixedHighPad(), llvm::IsaPred<Attribute>) ||
        !llvm::all_of(pad.getMixedLowPad(), llvm::IsaPred<Attribute>))
      return std::nullopt;
    average.pad = pad;
    source = pad.getSource();
  }
  return source == body.getArgument(0) ? std::optional(std::move(average))
                                       : std::nullopt;
}

/// The i32 sums of raw codes; padding holds the zero point.
static Value createSums(OpBuilder &builder, Location loc,
                        const Dequantized &source, Average &average) {
  Value codes = codesOf(builder, loc, source.quantized);
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, codes);
  if (tensor::PadOp pad = average.pad) {
    Value zero = arith::ConstantOp::create(
        builder, loc, builder.getI8IntegerAttr(source.format.zero));
    auto type = pad.getResultType().clone(builder.getI8Type());
    codes =
        tensor::PadOp::create(builder, loc, type, codes, pad.getMixedLowPad(),
                              pad.getMixedHighPad(), zero);
  }
  ArrayRef<int64_t> shape =
      cast<RankedTensorType>(average.sum.getResult(0).getType()).getShape();
  for (int64_t i = 1; i < 4; ++i)
    sizes[i] = builder.getIndexAttr(shape[i]);
  Value init = createFilled(builder, loc, sizes, builder.getI32Type(), 0);
  SmallVector<Value> inputs{
      codes, createWindow(builder, loc, average.sum.getInputs()[1])};
  return linalg::PoolingNhwcSumOp::create(builder, loc, init.getType(), inputs,
                                          init, average.sum.getStrides(),
                                          average.sum.getDilations())
      .getResult(0);
}

/// f32(acc - n z) * m, as a code of `output` or, without one, as the result.
static Value requantizeSums(OpBuilder &builder, Location loc, Value sums,
                            const Dequantized &source, Average &average,
                            std::optional<CodeFormat> output) {
  std::vector<float> multipliers;
  for (float count : average.counts)
    multipliers.push_back(static_cast<float>(
        double(source.format.scale) /
        ((output ? double(output->scale) : 1.0) * double(count))));
  int32_t zeros = average.getWindowSize() * source.format.zero;
  SmallVector<Value> inputs{sums};
  SmallVector<AffineMap> maps{builder.getMultiDimIdentityMap(4)};
  if (average.countsType) {
    inputs.push_back(arith::ConstantOp::create(
        builder, loc,
        makeConstant<float>(average.countsType, ArrayRef<float>(multipliers),
                            "multiplier")));
    maps.push_back(average.countsMap);
  }
  Type element =
      output ? Type(builder.getI8Type()) : Type(builder.getF32Type());
  return createElementwise(
      builder, loc, sizesOf(builder, loc, sums), element, inputs, maps,
      [&](OpBuilder &nested, Location nestedLoc, ValueRange scalars) -> Value {
        Value logical =
            arith::SubIOp::create(nested, nestedLoc, scalars[0],
                                  emitInteger(nested, nestedLoc, zeros));
        Value real = arith::SIToFPOp::create(nested, nestedLoc,
                                             nested.getF32Type(), logical);
        Value m = scalars.size() > 1
                      ? scalars[1]
                      : emitFloat(nested, nestedLoc, multipliers[0]);
        Value y = arith::MulFOp::create(nested, nestedLoc, real, m);
        return output ? emitCode(nested, nestedLoc, y, Bounds(*output),
                                 output->zero)
                      : y;
      });
}

static bool convertAverage(IRRewriter &rewriter, CompositeOp composite) {
  if (composite.getName() != "avg_pool")
    return false;
  std::optional<Dequantized> source =
      matchDequantized(composite.getInputs()[0]);
  if (!source)
    return false;
  std::optional<Average> average = matchAverage(composite);
  if (!average ||
      ShapedType::isDynamicShape(
          cast<RankedTensorType>(average->sum.getResult(0).getType())
              .getShape()
              .drop_front())) {
    setReason(composite,
              "its windows are no sums in NHWC divided by constant counts");
    return false;
  }
  if (256 * average->getWindowSize() > std::numeric_limits<int32_t>::max()) {
    setReason(composite, "its window sum could overflow (rule A18)");
    return false;
  }
  Value result = composite.getResult(0);
  auto quantize = result.hasOneUse()
                      ? dyn_cast<QuantizeOp>(*result.user_begin())
                      : QuantizeOp();
  std::optional<CodeFormat> output;
  if (quantize && (output = CodeFormat::get(quantize.getResult().getType())))
    result = quantize.getResult();
  rewriter.setInsertionPoint(composite);
  Value sums = createSums(rewriter, composite.getLoc(), *source, *average);
  Value replacement = requantizeSums(rewriter, composite.getLoc(), sums,
                                     *source, *average, output);
  if (output)
    replacement = quantizedFrom(rewriter, composite.getLoc(), replacement,
                                getElementTypeOrSelf(result.getType()));
  rewriter.replaceAllUsesWith(result, replacement);
  return true;
}

namespace {
struct ConvertPooling : halftone::impl::ConvertPoolingBase<ConvertPooling> {
  void runOnOperation() override {
    SmallVector<Operation *> pools;
    for (Operation &op : getOperation().getBody().front())
      if (isa<linalg::PoolingNhwcMaxOp, CompositeOp>(op))
        pools.push_back(&op);
    IRRewriter rewriter(&getContext());
    for (Operation *op : pools) {
      if (auto composite = dyn_cast<CompositeOp>(op))
        converted += convertAverage(rewriter, composite);
      else
        converted +=
            convertMaximum(rewriter, cast<linalg::PoolingNhwcMaxOp>(op));
    }
    eraseUnused(rewriter, getOperation());
  }
};
} // namespace
