//===- ConvertContraction.cpp - integer convolutions and matrix products
//----===//
//
// y = f32(acc + bias) * m[c] (+ residual), clamped and rounded once (rules A5
// to A10). The zero point of the input goes into the bias: sum((q - z) w) =
// sum(q w) - z sum(w).
//
//===----------------------------------------------------------------------===//
#include "ContractionTail.h"
#include "NamedContraction.h"
#include "WeightZeros.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Integer/Passes.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_CONVERTCONTRACTION
#include "halftone/Integer/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static constexpr int64_t kLargest = std::numeric_limits<int32_t>::max();

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

namespace {
struct Match {
  linalg::LinalgOp op;
  Dequantized input;
  unsigned weightsIndex;
  RankedTensorType weightsType;
  DecodedWeights weights;
  ChannelTotals totals;
};

/// Either the match, or why there is none; no reason if the operation has
/// nothing to do with codes.
struct MatchOrReason {
  std::optional<Match> match;
  std::string reason;
};
} // namespace

static MatchOrReason matchContraction(linalg::LinalgOp op) {
  Match match;
  match.op = op;
  std::optional<unsigned> input;
  for (unsigned i = 0; i < 2; ++i)
    if (auto source = matchDequantized(op->getOperand(i));
        source && !decodeWeights(op->getOperand(i))) {
      match.input = *source;
      input = i;
    }
  if (!input)
    return {};
  match.weightsIndex = 1 - *input;
  OpOperand &weights = op->getOpOperand(match.weightsIndex);
  std::optional<DecodedWeights> decoded = decodeWeights(weights.get());
  if (!decoded)
    return {std::nullopt, "its weights are no quantized constant"};
  if (!startsAtZero(op))
    return {std::nullopt, "its sum does not start at zero"};
  std::optional<ChannelTotals> totals = totalByChannel(op, weights, *decoded);
  if (!totals)
    return {std::nullopt, "an output channel has weights of several scales"};
  if (totals->mayOverflow())
    return {std::nullopt, "its accumulator could overflow (rule A18)"};
  match.weightsType = cast<RankedTensorType>(weights.get().getType());
  match.weights = std::move(*decoded);
  match.totals = std::move(*totals);
  return {std::move(match), ""};
}

//===----------------------------------------------------------------------===//
// Constants of the epilogue
//===----------------------------------------------------------------------===//

/// bias' of each channel: rounded (rule A6), then with the zero point's share
/// (rule A5).
static std::vector<int32_t> storedBias(const Match &match,
                                       ArrayRef<float> bias) {
  const ChannelTotals &totals = match.totals;
  std::vector<int32_t> stored;
  for (size_t c = 0; c < totals.scales.size(); ++c) {
    double scale = double(match.input.format.scale) * double(totals.scales[c]);
    double rounded =
        bias.empty() ? 0.0 : std::nearbyint(double(bias[c]) / scale);
    double room = double(kLargest - 256 * totals.magnitudes[c]);
    // NaN compares false and becomes the lower end.
    double logical = rounded > -room ? rounded : -room;
    logical = logical < room ? logical : room;
    stored.push_back(static_cast<int32_t>(
        int64_t(logical) - match.input.format.zero * totals.sums[c]));
  }
  return stored;
}

static std::vector<float> multipliers(const Match &match,
                                      std::optional<CodeFormat> output) {
  std::vector<float> result;
  for (float scale : match.totals.scales) {
    double product = double(match.input.format.scale) * double(scale);
    result.push_back(
        static_cast<float>(output ? product / double(output->scale) : product));
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Rewriting
//===----------------------------------------------------------------------===//

/// The accumulator: the named operation on codes, its result collapsed as the
/// float one was.
static Value createAccumulator(OpBuilder &builder, Match &match,
                               tensor::CollapseShapeOp collapse) {
  linalg::LinalgOp op = match.op;
  Location loc = op.getLoc();
  SmallVector<Value> inputs(2);
  inputs[match.weightsIndex] =
      createConstant(builder, loc, match.weightsType.getShape(),
                     builder.getI8Type(), match.weights.levels, "weights");
  inputs[1 - match.weightsIndex] = codesOf(builder, loc, match.input.quantized);
  Value init =
      createFilled(builder, loc, sizesOf(builder, loc, op.getDpsInits()[0]),
                   builder.getI32Type(), 0);
  return collapseAlike(builder, loc,
                       rebuildContraction(builder, op, inputs, init), collapse);
}

namespace {
/// Where the codes of each channel are cut off (rule A9).
struct ChannelBounds {
  ChannelBounds(const ContractionTail &tail, const CodeFormat &format,
                int64_t channels);
  bool differ() const { return !llvm::all_equal(low) || !llvm::all_equal(high); }

  std::vector<float> low, high;
};
} // namespace

/// One side in the region: the channel's operand, taken from the end of
/// `scalars`, or the constant that all channels have.
static Value takeSide(OpBuilder &builder, Location loc, ArrayRef<float> side,
                      ValueRange &scalars) {
  if (llvm::all_equal(side))
    return emitFloat(builder, loc, side.front());
  Value operand = scalars.back();
  scalars = scalars.drop_back();
  return operand;
}

ChannelBounds::ChannelBounds(const ContractionTail &tail,
                             const CodeFormat &format, int64_t channels) {
  for (int64_t c = 0; c < channels; ++c) {
    Bounds bounds(format);
    for (const ContractionTail::Clamp &clamp : tail.clamps)
      clamp.isMaximum ? bounds.applyMaximum(clamp.bound(c))
                      : bounds.applyMinimum(clamp.bound(c));
    low.push_back(bounds.getLow());
    high.push_back(bounds.getHigh());
  }
}

/// The region: acc, bias, multiplier, perhaps the residual's code and perhaps
/// the channel's bounds in, a code or an f32 out.
static Value emitEpilogue(OpBuilder &builder, Location loc, ValueRange scalars,
                          const ContractionTail &tail,
                          std::optional<CodeFormat> output,
                          const std::optional<ChannelBounds> &limits) {
  Value sum = arith::AddIOp::create(builder, loc, scalars[0], scalars[1]);
  Value real = arith::SIToFPOp::create(builder, loc, builder.getF32Type(), sum);
  Value y = arith::MulFOp::create(builder, loc, real, scalars[2]);
  if (!output)
    return y;
  if (tail.residual) {
    const CodeFormat &source = tail.residual->source.format;
    float multiplier =
        static_cast<float>(double(source.scale) / double(output->scale));
    Value logical = emitLogical(builder, loc, scalars[3], source.zero);
    Value residual =
        arith::SIToFPOp::create(builder, loc, builder.getF32Type(), logical);
    residual = arith::MulFOp::create(builder, loc, residual,
                                     emitFloat(builder, loc, multiplier));
    y = arith::AddFOp::create(builder, loc, y, residual);
  }
  Bounds bounds(*output);
  if (limits->differ()) {
    Value high = takeSide(builder, loc, limits->high, scalars);
    Value low = takeSide(builder, loc, limits->low, scalars);
    y = emitClamp(builder, loc, y, low, high);
  } else {
    for (const ContractionTail::Clamp &clamp : tail.clamps)
      clamp.isMaximum ? bounds.applyMaximum(clamp.bound(0))
                      : bounds.applyMinimum(clamp.bound(0));
  }
  return emitCode(builder, loc, y, bounds, output->zero);
}

static void rewriteContraction(IRRewriter &rewriter, Match &match) {
  ContractionTail tail = ContractionTail::match(match.op, match.totals);
  std::optional<CodeFormat> output;
  if (tail.quantize)
    output = CodeFormat::get(tail.result.getType());
  // Behind the tail, where the residual is known.
  rewriter.setInsertionPointAfterValue(tail.result);
  Location loc = match.op.getLoc();
  Value accumulator = createAccumulator(rewriter, match, tail.collapse);
  auto type = cast<RankedTensorType>(tail.result.getType());

  SmallVector<int64_t> shape = tail.channelShape();
  AffineMap identity = rewriter.getMultiDimIdentityMap(type.getRank());
  AffineMap byChannel = tail.channelMap();
  SmallVector<Value> inputs{
      accumulator,
      createConstant(rewriter, loc, shape, rewriter.getI32Type(),
                     storedBias(match, tail.bias), "bias"),
      createConstant(rewriter, loc, shape, rewriter.getF32Type(),
                     multipliers(match, output), "multiplier")};
  SmallVector<AffineMap> maps{identity, byChannel, byChannel};
  if (tail.residual && output) {
    inputs.push_back(codesOf(rewriter, loc, tail.residual->source.quantized));
    maps.push_back(tail.residual->map);
  }
  std::optional<ChannelBounds> limits;
  if (output) {
    limits.emplace(tail, *output, match.totals.scales.size());
    for (const std::vector<float> &side : {limits->low, limits->high})
      if (!llvm::all_equal(side)) {
        inputs.push_back(createConstant(rewriter, loc, shape,
                                        rewriter.getF32Type(), side, "bounds"));
        maps.push_back(byChannel);
      }
  }
  appendZeros(rewriter, match.op, match.op->getOpOperand(match.weightsIndex),
              match.totals, tail, codesOf(rewriter, loc, match.input.quantized),
              rewriter.getI32Type(), inputs, maps);
  Type element =
      output ? Type(rewriter.getI8Type()) : Type(rewriter.getF32Type());
  Value result = createElementwise(
      rewriter, loc, sizesOf(rewriter, loc, accumulator), element, inputs, maps,
      [&](OpBuilder &builder, Location nested, ValueRange scalars) {
        return emitEpilogue(builder, nested,
                            takeZeros(builder, nested, match.totals, scalars),
                            tail, output, limits);
      });
  if (output)
    result = quantizedFrom(rewriter, loc, result, type.getElementType());
  rewriter.replaceAllUsesWith(tail.result, result);
}

namespace {
struct ConvertContraction
    : halftone::impl::ConvertContractionBase<ConvertContraction> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp op : findFloatContractions(getOperation())) {
      MatchOrReason found = matchContraction(op);
      if (found.match) {
        rewriteContraction(rewriter, *found.match);
        ++converted;
      } else if (!found.reason.empty()) {
        setReason(op, found.reason);
      }
    }
    // What the tails leave behind holds the float weights' only users.
    eraseUnused(rewriter, getOperation());
  }
};
} // namespace
