//===- ConvertFloatActivations.cpp - contractions of floats and codes -----===//
//
// Two ways to use quantized weights where the activations have no calibrated
// range. Dynamic (rule A19): each row of a matrix, each image of a convolution
// gets a scale and a zero point from its own extrema, so that a sample's bits do
// not depend on its neighbours; the contraction runs in integers.
// Weight-only (rule A20): the codes are the weights of a float contraction, and
// the scale of the channel multiplies the sum.
//
//===----------------------------------------------------------------------===//
#include "ContractionTail.h"
#include "NamedContraction.h"
#include "NonNegative.h"
#include "WeightZeros.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Precision/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTFLOATACTIVATIONS
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The least code, and how many steps the codes have.
static constexpr int32_t kLeastCode = -128, kSteps = 255;

namespace {
struct Match {
  linalg::LinalgOp op;
  DecodedWeights weights;
  ChannelTotals totals;
  bool dynamic; ///< else weight-only
};
} // namespace

/// The match, nothing with `reason` empty if the operation is of another kind.
static std::optional<Match> match(linalg::LinalgOp op, std::string &reason) {
  auto precision = op->getAttrOfType<StringAttr>(kPrecisionAttr);
  if (!precision || (precision.getValue() != kDynamicPrecision &&
                     precision.getValue() != kWeightsPrecision))
    return std::nullopt;
  std::optional<DecodedWeights> decoded = decodeWeights(op->getOperand(1));
  if (!decoded) {
    reason = "its weights are no quantized constant";
    return std::nullopt;
  }
  std::optional<ChannelTotals> totals =
      totalByChannel(op, op->getOpOperand(1), *decoded);
  if (!totals || !startsAtZero(op)) {
    reason = totals ? "its sum does not start at zero"
                    : "an output channel has weights of several scales";
    return std::nullopt;
  }
  bool dynamic = precision.getValue() == kDynamicPrecision;
  if (dynamic && totals->mayOverflow()) {
    reason = "its accumulator could overflow (rule A18)";
    return std::nullopt;
  }
  return Match{op, std::move(*decoded), std::move(*totals), dynamic};
}

//===----------------------------------------------------------------------===//
// Dynamic scales
//===----------------------------------------------------------------------===//

/// Says of what computes ranges, or from them, why it is floats.
static Value explain(Value value) {
  Operation *op = value.getDefiningOp();
  op->setAttr(kReasonAttr, StringAttr::get(op->getContext(),
                                           "ranges are found when it runs"));
  return value;
}

/// The largest of 0 and the elements, `isLow` of their negatives, over the
/// dimensions from `first` to `last`.
static Value createMaximum(OpBuilder &builder, Location loc, Value value,
                           int64_t first, int64_t last, bool isLow) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, value), kept;
  SmallVector<utils::IteratorType> iterators;
  SmallVector<AffineExpr> result;
  for (int64_t d = 0; d < type.getRank(); ++d) {
    bool reduced = d >= first && d <= last;
    iterators.push_back(reduced ? utils::IteratorType::reduction
                                : utils::IteratorType::parallel);
    if (reduced)
      continue;
    result.push_back(builder.getAffineDimExpr(d));
    kept.push_back(sizes[d]);
  }
  Value empty =
      tensor::EmptyOp::create(builder, loc, kept, type.getElementType());
  Value zero = emitFloat(builder, loc, 0.0f);
  Value init = linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
  SmallVector<AffineMap> maps{
      builder.getMultiDimIdentityMap(type.getRank()),
      AffineMap::get(type.getRank(), 0, result, builder.getContext())};
  return explain(
      linalg::GenericOp::create(
             builder, loc, TypeRange{init.getType()}, value, init, maps,
             iterators,
             [&](OpBuilder &body, Location nested, ValueRange scalars) {
               Value element = scalars[0];
               if (isLow)
                 element = arith::NegFOp::create(body, nested, element);
               // NaN compares false: it is left out.
               Value above = arith::CmpFOp::create(
                   body, nested, arith::CmpFPredicate::OGT, element,
                   scalars[1]);
               Value largest = arith::SelectOp::create(body, nested, above,
                                                       element, scalars[1]);
               linalg::YieldOp::create(body, nested, largest);
             })
          .getResult(0));
}

/// Splits the last dimension so that the inner part is a few vectors wide: the
/// maxima of its lanes are independent. The value itself if it has no such
/// part.
static Value splitLast(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  int64_t last = type.getShape().back(), lanes = 64;
  while (lanes > 8 && last % lanes != 0)
    lanes /= 2;
  if (last % lanes != 0 || last == lanes || ShapedType::isDynamic(last))
    return value;
  SmallVector<int64_t> shape(type.getShape().drop_back());
  shape.append({last / lanes, lanes});
  SmallVector<ReassociationIndices> groups;
  for (int64_t d = 0; d + 1 < type.getRank(); ++d)
    groups.push_back({d});
  groups.push_back({type.getRank() - 1, type.getRank()});
  return tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value,
      groups);
}

/// The largest of 0 and the elements, or of their negatives, at each index of the
/// first `rows` dimensions.
static Value createExtremum(OpBuilder &builder, Location loc, Value value,
                            int64_t rows, bool isLow) {
  auto rank = [](Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getRank();
  };
  Value parts = rank(value) == rows + 1 ? splitLast(builder, loc, value) : value;
  // Lanes first, which lie side by side; then over the lanes.
  if (rank(parts) == rows + 1)
    return createMaximum(builder, loc, parts, rows, rows, isLow);
  parts = createMaximum(builder, loc, parts, rows, rank(parts) - 2, isLow);
  return createMaximum(builder, loc, parts, rows, rows, /*isLow=*/false);
}

/// A value for each row, of others for each row.
static Value
createByRow(OpBuilder &builder, Location loc, ValueRange inputs, Type element,
            function_ref<Value(OpBuilder &, Location, ValueRange)> emit) {
  int64_t rows = cast<RankedTensorType>(inputs[0].getType()).getRank();
  SmallVector<AffineMap> maps(inputs.size(),
                              builder.getMultiDimIdentityMap(rows));
  return explain(createElementwise(builder, loc,
                                   sizesOf(builder, loc, inputs[0]), element,
                                   inputs, maps, emit));
}

namespace {
/// What the codes of each row stand for (rule A19): f32 scales, the least logical
/// value as f32, and the negated zero point as i32. The last two are null where no
/// element is negative: the least logical value is 0 in all rows then.
struct RowRanges {
  Value scales, least, shifts;
};

/// The codes of an activation and the ranges of its rows.
struct DynamicCodes {
  Value codes;
  RowRanges ranges;
};
} // namespace

static RowRanges createRanges(OpBuilder &builder, Location loc, Value value,
                              int64_t rows) {
  auto divide = [](OpBuilder &body, Location nested, Value extremum) -> Value {
    return arith::DivFOp::create(body, nested, extremum,
                                 emitFloat(body, nested, kSteps));
  };
  SmallVector<Value> extrema{
      createExtremum(builder, loc, value, rows, /*isLow=*/false)};
  if (!isNonNegative(value))
    extrema.push_back(createExtremum(builder, loc, value, rows, /*isLow=*/true));
  RowRanges ranges;
  ranges.scales = createByRow(
      builder, loc, extrema, builder.getF32Type(),
      [&](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value scale = divide(body, nested, scalars[0]);
        if (extrema.size() == 2)
          scale = arith::AddFOp::create(body, nested, scale,
                                        divide(body, nested, scalars[1]));
        Value normal = arith::CmpFOp::create(
            body, nested, arith::CmpFPredicate::OGE, scale,
            emitFloat(body, nested, std::numeric_limits<float>::min()));
        return arith::SelectOp::create(body, nested, normal, scale,
                                       emitFloat(body, nested, 1.0f));
      });
  if (extrema.size() == 1)
    return ranges;
  ranges.least = createByRow(
      builder, loc, {extrema[1], ranges.scales}, builder.getF32Type(),
      [](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value ratio =
            arith::DivFOp::create(body, nested, scalars[0], scalars[1]);
        // Infinite extrema have an infinite scale, and a ratio that is NaN.
        Value bounded =
            emitClamp(body, nested, ratio, emitFloat(body, nested, 0.0f),
                      emitFloat(body, nested, kSteps));
        Value rounded = math::RoundEvenOp::create(body, nested, bounded);
        return arith::NegFOp::create(body, nested, rounded);
      });
  ranges.shifts = createByRow(
      builder, loc, ranges.least, builder.getI32Type(),
      [](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value shift = arith::AddFOp::create(
            body, nested, scalars[0], emitFloat(body, nested, -kLeastCode));
        return arith::FPToSIOp::create(body, nested, body.getI32Type(), shift);
      });
  return ranges;
}

static AffineMap leadingDims(OpBuilder &builder, int64_t rank, int64_t count) {
  SmallVector<AffineExpr> dims;
  for (int64_t d = 0; d < count; ++d)
    dims.push_back(builder.getAffineDimExpr(d));
  return AffineMap::get(rank, 0, dims, builder.getContext());
}

static Value quantizeByRow(OpBuilder &builder, Location loc, Value value,
                           const RowRanges &ranges, int64_t rows) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  AffineMap byRow = leadingDims(builder, rank, rows);
  SmallVector<Value> inputs{value, ranges.scales};
  SmallVector<AffineMap> maps{builder.getMultiDimIdentityMap(rank), byRow};
  if (ranges.least) {
    inputs.push_back(ranges.least);
    maps.push_back(byRow);
  }
  return createElementwise(
      builder, loc, sizesOf(builder, loc, value), builder.getI8Type(), inputs,
      maps, [&](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value ratio =
            arith::DivFOp::create(body, nested, scalars[0], scalars[1]);
        if (!ranges.least)
          return emitCode(body, nested, ratio,
                          Bounds({1.0f, kLeastCode, kLeastCode, 127}),
                          kLeastCode);
        Value low = scalars[2];
        Value high = arith::AddFOp::create(body, nested, low,
                                           emitFloat(body, nested, kSteps));
        Value logical = math::RoundEvenOp::create(
            body, nested, emitClamp(body, nested, ratio, low, high));
        Value step = arith::FPToSIOp::create(
            body, nested, body.getI32Type(),
            arith::SubFOp::create(body, nested, logical, low));
        Value code = arith::AddIOp::create(body, nested, step,
                                           emitInteger(body, nested, kLeastCode));
        return arith::TruncIOp::create(body, nested, body.getI8Type(), code);
      });
}

/// Rounds what lies in front of an expansion into groups, which moves codes as
/// well, and of padding with zeros where 0 has the same code in all rows.
static DynamicCodes quantizeActivation(OpBuilder &builder, Location loc,
                                       Value value, int64_t rows) {
  if (auto expand = value.getDefiningOp<tensor::ExpandShapeOp>();
      expand && expand.getReassociationIndices().front().size() == 1) {
    DynamicCodes inner = quantizeActivation(builder, loc, expand.getSrc(), rows);
    Type type = expand.getResultType().clone(builder.getI8Type());
    inner.codes = tensor::ExpandShapeOp::create(
        builder, loc, type, inner.codes, expand.getReassociationIndices(),
        expand.getMixedOutputShape());
    return inner;
  }
  if (auto pad = value.getDefiningOp<tensor::PadOp>();
      pad && !pad.getNofold() &&
      matchNumber(pad.getConstantPaddingValue()) == 0.0f &&
      isNonNegative(pad.getSource())) {
    DynamicCodes inner = quantizeActivation(builder, loc, pad.getSource(), rows);
    Value zero = arith::ConstantIntOp::create(builder, loc, kLeastCode, 8);
    inner.codes = tensor::PadOp::create(
        builder, loc, pad.getResultType().clone(builder.getI8Type()),
        inner.codes, pad.getMixedLowPad(), pad.getMixedHighPad(), zero);
    return inner;
  }
  RowRanges ranges = createRanges(builder, loc, value, rows);
  return {quantizeByRow(builder, loc, value, ranges, rows), ranges};
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// The rows that have a scale of their own: of a matrix, else images.
static int64_t countRowDims(linalg::LinalgOp op) {
  return isa<linalg::BatchMatmulOp>(op) ? 2 : 1;
}

namespace {
/// The sums of a contraction, and (dynamic) the ranges of the rows.
struct Sums {
  Value accumulator, input; // input: what is summed
  RowRanges ranges;
};

/// The operands of the generic behind the sums, one after the other.
struct Operands {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;

  void add(Value value, AffineMap map) {
    values.push_back(value);
    maps.push_back(map);
  }
};
} // namespace

static Sums createSums(OpBuilder &builder, Match &match,
                       tensor::CollapseShapeOp collapse) {
  linalg::LinalgOp op = match.op;
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, op.getDpsInits()[0]);
  Value input = op->getOperand(0), init;
  RowRanges ranges;
  if (match.dynamic) {
    DynamicCodes codes =
        quantizeActivation(builder, loc, input, countRowDims(op));
    input = codes.codes;
    ranges = codes.ranges;
    init = createFilled(builder, loc, sizes, builder.getI32Type(), 0);
  } else {
    Value empty =
        tensor::EmptyOp::create(builder, loc, sizes, builder.getF32Type());
    init = linalg::FillOp::create(builder, loc, emitFloat(builder, loc, 0.0f),
                                  empty)
               .getResult(0);
  }
  auto weights = cast<RankedTensorType>(op->getOperand(1).getType());
  Value levels =
      createConstant(builder, loc, weights.getShape(), builder.getI8Type(),
                     match.weights.levels, "weights");
  Value accumulator = rebuildContraction(builder, op, {input, levels}, init);
  return {collapseAlike(builder, loc, accumulator, collapse), input, ranges};
}

/// What takes the zero points out of the sums: sum q_w[c] and the shift of the
/// row, or their product where it is the same for all rows.
static void addCorrection(OpBuilder &builder, Location loc, const Match &match,
                          const RowRanges &ranges, ArrayRef<int64_t> shape,
                          AffineMap byChannel, AffineMap byRow,
                          Operands &operands) {
  std::vector<int32_t> totals;
  for (int64_t sum : match.totals.sums)
    totals.push_back(
        static_cast<int32_t>(ranges.shifts ? sum : sum * -kLeastCode));
  operands.add(createConstant(builder, loc, shape, builder.getI32Type(), totals,
                              "correction"),
               byChannel);
  if (ranges.shifts)
    operands.add(ranges.shifts, byRow);
}

/// y = f32(acc - z * sum q_w[c]) * (s * m[c]) + bias[c], or
/// acc * m[c] + bias[c].
static Value emitScaled(OpBuilder &builder, Location loc, ValueRange scalars,
                        bool dynamic, bool hasShifts, bool hasBias) {
  Value accumulator = scalars[0], multiplier = scalars[1];
  if (dynamic) {
    Value correction = scalars[3];
    if (hasShifts)
      correction = arith::MulIOp::create(builder, loc, correction, scalars[4]);
    accumulator = arith::AddIOp::create(builder, loc, accumulator, correction);
    accumulator = arith::SIToFPOp::create(builder, loc, builder.getF32Type(),
                                          accumulator);
    multiplier = arith::MulFOp::create(builder, loc, scalars[2], multiplier);
  }
  Value y = arith::MulFOp::create(builder, loc, accumulator, multiplier);
  return hasBias ? arith::AddFOp::create(builder, loc, y, scalars.back())
                       .getResult()
                 : y;
}

static void rewrite(IRRewriter &rewriter, Match &match) {
  ContractionTail tail = ContractionTail::matchFloat(match.op, match.totals);
  rewriter.setInsertionPointAfterValue(tail.result);
  Location loc = match.op.getLoc();
  Sums sums = createSums(rewriter, match, tail.collapse);
  const int64_t rank = cast<RankedTensorType>(tail.result.getType()).getRank();
  SmallVector<int64_t> shape = tail.channelShape();
  AffineMap byChannel = tail.channelMap();
  AffineMap byRow = leadingDims(rewriter, rank, countRowDims(match.op));
  Operands operands;
  operands.add(sums.accumulator, rewriter.getMultiDimIdentityMap(rank));
  operands.add(createConstant(rewriter, loc, shape, rewriter.getF32Type(),
                              match.totals.scales, "multiplier"),
               byChannel);
  if (match.dynamic) {
    operands.add(sums.ranges.scales, byRow);
    addCorrection(rewriter, loc, match, sums.ranges, shape, byChannel, byRow,
                  operands);
  }
  bool hasBias = !tail.bias.empty();
  if (hasBias)
    operands.add(createConstant(rewriter, loc, shape, rewriter.getF32Type(),
                                tail.bias, "bias"),
                 byChannel);
  Type element = getElementTypeOrSelf(sums.accumulator.getType());
  appendZeros(rewriter, match.op, match.op->getOpOperand(1), match.totals, tail,
              sums.input, element, operands.values, operands.maps);
  Value result = createElementwise(
      rewriter, loc, sizesOf(rewriter, loc, sums.accumulator),
      rewriter.getF32Type(), operands.values, operands.maps,
      [&](OpBuilder &body, Location nested, ValueRange scalars) {
        return emitScaled(body, nested,
                          takeZeros(body, nested, match.totals, scalars),
                          match.dynamic,
                          static_cast<bool>(sums.ranges.shifts), hasBias);
      });
  if (match.dynamic)
    explain(result);
  rewriter.replaceAllUsesWith(tail.result, result);
}

namespace {
struct ConvertFloatActivations
    : halftone::impl::ConvertFloatActivationsBase<ConvertFloatActivations> {
  void runOnOperation() override {
    converted += rewriteMatches(getOperation(),
                                findFloatContractions(getOperation()), match,
                                rewrite);
  }
};
} // namespace
