//===- ConvertFloatActivations.cpp - contractions of floats and codes -----===//
//
// Two ways to use quantized weights where the activations have no calibrated
// range. Dynamic (rule A19): each row of a matrix, each image of a convolution
// gets a symmetric scale from its own largest magnitude, so that a sample's
// bits do not depend on its neighbours; the contraction runs in integers.
// Weight-only (rule A20): the codes are the weights of a float contraction, and
// the scale of the channel multiplies the sum.
//
//===----------------------------------------------------------------------===//
#include "ContractionTail.h"
#include "NamedContraction.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Integer/Passes.h"
#include "halftone/Precision/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTFLOATACTIVATIONS
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Symmetric codes of a tensor divided by its scale.
static constexpr CodeFormat kUnitCodes{1.0f, 0, -127, 127};

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

/// The maximum over the dimensions from `first` to `last` of magnitudes.
static Value createMaximum(OpBuilder &builder, Location loc, Value value,
                           int64_t first, int64_t last) {
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
  return linalg::GenericOp::create(
             builder, loc, TypeRange{init.getType()}, value, init, maps,
             iterators,
             [](OpBuilder &body, Location nested, ValueRange scalars) {
               Value magnitude =
                   math::AbsFOp::create(body, nested, scalars[0]);
               // NaN compares false: it is left out.
               Value above = arith::CmpFOp::create(
                   body, nested, arith::CmpFPredicate::OGT, magnitude,
                   scalars[1]);
               Value largest = arith::SelectOp::create(body, nested, above,
                                                       magnitude, scalars[1]);
               linalg::YieldOp::create(body, nested, largest);
             })
      .getResult(0);
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

/// The scale of each index of the first `rows` dimensions.
static Value createScales(OpBuilder &builder, Location loc, Value value,
                          int64_t rows) {
  auto rank = [](Value tensor) {
    return cast<RankedTensorType>(tensor.getType()).getRank();
  };
  Value parts = rank(value) == rows + 1 ? splitLast(builder, loc, value) : value;
  // Lanes first, which lie side by side; then over the lanes.
  if (rank(parts) > rows + 1)
    parts = createMaximum(builder, loc, parts, rows, rank(parts) - 2);
  Value largest = createMaximum(builder, loc, parts, rows, rows);
  return createElementwise(
      builder, loc, sizesOf(builder, loc, largest), builder.getF32Type(),
      largest, builder.getMultiDimIdentityMap(rows),
      [](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value scale = arith::DivFOp::create(body, nested, scalars[0],
                                            emitFloat(body, nested, 127.0f));
        Value normal = arith::CmpFOp::create(
            body, nested, arith::CmpFPredicate::OGE, scale,
            emitFloat(body, nested, std::numeric_limits<float>::min()));
        return arith::SelectOp::create(body, nested, normal, scale,
                                       emitFloat(body, nested, 1.0f));
      });
}

static AffineMap leadingDims(OpBuilder &builder, int64_t rank, int64_t count) {
  SmallVector<AffineExpr> dims;
  for (int64_t d = 0; d < count; ++d)
    dims.push_back(builder.getAffineDimExpr(d));
  return AffineMap::get(rank, 0, dims, builder.getContext());
}

static Value quantizeByRow(OpBuilder &builder, Location loc, Value value,
                           Value scales, int64_t rows) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  return createElementwise(
      builder, loc, sizesOf(builder, loc, value), builder.getI8Type(),
      {value, scales},
      {builder.getMultiDimIdentityMap(rank), leadingDims(builder, rank, rows)},
      [](OpBuilder &body, Location nested, ValueRange scalars) -> Value {
        Value ratio =
            arith::DivFOp::create(body, nested, scalars[0], scalars[1]);
        return emitCode(body, nested, ratio, Bounds(kUnitCodes), 0);
      });
}

namespace {
/// The codes of an activation and the scale of each of its rows.
struct DynamicCodes {
  Value codes, scales;
};
} // namespace

/// Rounds what lies in front of padding with zeros and of an expansion into
/// groups: they move codes as well.
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
      matchNumber(pad.getConstantPaddingValue()) == 0.0f) {
    DynamicCodes inner = quantizeActivation(builder, loc, pad.getSource(), rows);
    Value zero = arith::ConstantIntOp::create(builder, loc, 0, 8);
    inner.codes = tensor::PadOp::create(
        builder, loc, pad.getResultType().clone(builder.getI8Type()),
        inner.codes, pad.getMixedLowPad(), pad.getMixedHighPad(), zero);
    return inner;
  }
  Value scales = createScales(builder, loc, value, rows);
  return {quantizeByRow(builder, loc, value, scales, rows), scales};
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// The rows that have a scale of their own: of a matrix, else images.
static int64_t countRowDims(linalg::LinalgOp op) {
  return isa<linalg::BatchMatmulOp>(op) ? 2 : 1;
}

/// y = f32(acc) * (s * m[c]) + bias[c], or acc * m[c] + bias[c].
static Value emitScaled(OpBuilder &builder, Location loc, ValueRange scalars,
                        bool dynamic, bool hasBias) {
  Value accumulator = scalars[0], multiplier = scalars[1];
  if (dynamic) {
    accumulator = arith::SIToFPOp::create(builder, loc, builder.getF32Type(),
                                          accumulator);
    multiplier = arith::MulFOp::create(builder, loc, scalars[2], multiplier);
  }
  Value y = arith::MulFOp::create(builder, loc, accumulator, multiplier);
  return hasBias ? arith::AddFOp::create(builder, loc, y, scalars.back())
                       .getResult()
                 : y;
}

namespace {
/// The sums of a contraction, and (dynamic) the scale of each row.
struct Sums {
  Value accumulator, scales;
};
} // namespace

static Sums createSums(OpBuilder &builder, Match &match,
                       tensor::CollapseShapeOp collapse) {
  linalg::LinalgOp op = match.op;
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> sizes = sizesOf(builder, loc, op.getDpsInits()[0]);
  Value input = op->getOperand(0), scales, init;
  if (match.dynamic) {
    DynamicCodes codes =
        quantizeActivation(builder, loc, input, countRowDims(op));
    input = codes.codes;
    scales = codes.scales;
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
  return {collapseAlike(builder, loc, accumulator, collapse), scales};
}

static void rewrite(IRRewriter &rewriter, Match &match) {
  ContractionTail tail = ContractionTail::match(match.op, match.totals);
  rewriter.setInsertionPointAfterValue(tail.result);
  Location loc = match.op.getLoc();
  Sums sums = createSums(rewriter, match, tail.collapse);
  const int64_t rank = cast<RankedTensorType>(tail.result.getType()).getRank();
  SmallVector<int64_t> shape = tail.channelShape();
  AffineMap byChannel = tail.channelMap();
  SmallVector<Value> inputs{
      sums.accumulator,
      createConstant(rewriter, loc, shape, rewriter.getF32Type(),
                     match.totals.scales, "multiplier")};
  SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(rank),
                              byChannel};
  if (match.dynamic) {
    inputs.push_back(sums.scales);
    maps.push_back(leadingDims(rewriter, rank, countRowDims(match.op)));
  }
  bool hasBias = !tail.bias.empty();
  if (hasBias) {
    inputs.push_back(createConstant(rewriter, loc, shape, rewriter.getF32Type(),
                                    tail.bias, "bias"));
    maps.push_back(byChannel);
  }
  Value result = createElementwise(
      rewriter, loc, sizesOf(rewriter, loc, sums.accumulator),
      rewriter.getF32Type(), inputs, maps,
      [&](OpBuilder &body, Location nested, ValueRange scalars) {
        return emitScaled(body, nested, scalars, match.dynamic, hasBias);
      });
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
