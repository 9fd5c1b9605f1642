//===- WeightRounding.cpp - scales and codes of constant weights ------------===//
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Analysis/SourceScales.h"
#include "halftone/Quantization/Biases.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Support/Constants.h"
#include "halftone/Support/StridedIndices.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include <cmath>
#include <numeric>
#include <tuple>

using namespace mlir;
using namespace mlir::halftone;

WeightChannels::WeightChannels(Operation *contraction) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(getWeightOperand(contraction).get().getType()).getShape();
  output = stridedIndices<int32_t>(shape, stridesOver(shape, getOutputChannelDims(contraction), outputs));
  input = stridedIndices<int32_t>(shape, stridesOver(shape, getInputChannelDims(contraction), inputs));
}

std::vector<int64_t> WeightChannels::places() const {
  std::vector<int64_t> places(output.size()), used(outputs, 0);
  for (size_t i = 0; i < places.size(); ++i)
    places[i] = output[i] * dimension() + used[output[i]]++;
  return places;
}

//===----------------------------------------------------------------------===//
// Taps over padding
//===----------------------------------------------------------------------===//

/// What pads the contraction's input, maybe before it is split into groups.
static tensor::PadOp findPadding(Operation *contraction) {
  Value input = getActivationOperand(contraction).get();
  if (auto split = input.getDefiningOp<tensor::ExpandShapeOp>(); split && isa<linalg::Conv2DNhwgcGfhwcOp>(contraction))
    input = split.getSrc();
  return input.getDefiningOp<tensor::PadOp>();
}

namespace {
/// One spatial dimension of a contraction.
struct Window {
  AffineExpr place;        ///< of the input, from the loops
  int64_t low, size;       ///< where the input begins behind its padding, and its extent
  ArrayRef<int64_t> loops; ///< extents
};
} // namespace

/// The share of positions at which each tap along the loop `tap` reads the input.
static std::vector<float> sharesAlong(const Window &window, unsigned tap) {
  std::vector<float> shares(window.loops[tap], 1);
  MLIRContext *context = window.place.getContext();
  for (auto [loop, extent] : llvm::enumerate(window.loops)) {
    if (loop == tap || !window.place.isFunctionOfDim(loop) || ShapedType::isDynamic(extent))
      continue;
    for (auto [k, share] : llvm::enumerate(shares)) {
      int64_t inside = 0;
      for (int64_t position = 0; position < extent; ++position) {
        SmallVector<AffineExpr> at(window.loops.size(), getAffineConstantExpr(0, context));
        at[loop] = getAffineConstantExpr(position, context);
        at[tap] = getAffineConstantExpr(k, context);
        int64_t place = cast<AffineConstantExpr>(window.place.replaceDims(at)).getValue();
        inside += place >= window.low && place < window.low + window.size;
      }
      share = extent ? float(inside) / extent : 1;
    }
  }
  return shares;
}

std::vector<float> mlir::halftone::findTapShares(Operation *contraction) {
  auto op = cast<linalg::LinalgOp>(contraction);
  ArrayRef<int64_t> shape = cast<RankedTensorType>(getWeightOperand(contraction).get().getType()).getShape();
  std::vector<float> result(ShapedType::getNumElements(shape), 1);
  tensor::PadOp pad = findPadding(contraction);
  if (!pad)
    return result;
  SmallVector<int64_t> loops = op.getStaticLoopRanges();
  AffineMap input = op.getMatchingIndexingMap(&getActivationOperand(contraction)), weights = op.getMatchingIndexingMap(&getWeightOperand(contraction));
  for (auto [dim, expression] : llvm::enumerate(weights.getResults())) {
    unsigned tap = cast<AffineDimExpr>(expression).getPosition();
    for (auto [i, place] : llvm::enumerate(input.getResults())) {
      int64_t size = static_cast<int64_t>(i) < pad.getSourceType().getRank() ? pad.getSourceType().getDimSize(i) : ShapedType::kDynamic;
      if (isa<AffineDimExpr>(place) || !place.isFunctionOfDim(tap) || ShapedType::isDynamic(size) || ShapedType::isDynamic(pad.getStaticLow()[i]))
        continue;
      std::vector<float> shares = sharesAlong({place, pad.getStaticLow()[i], size, loops}, tap);
      int64_t inner = ShapedType::getNumElements(shape.drop_front(dim + 1));
      for (size_t element = 0; element < result.size(); ++element)
        result[element] *= shares[element / inner % shape[dim]];
    }
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Diffused rounding
//===----------------------------------------------------------------------===//

/// The element beside each one in its row; empty where none bounds another.
static std::vector<int32_t> neighboursOf(const WeightChannels &channels, const LevelSet &levels) {
  if (!levels.isPaired())
    return {};
  const std::vector<int64_t> places = channels.places();
  std::vector<int32_t> elements(places.size()), neighbours(places.size());
  for (auto [i, place] : llvm::enumerate(places))
    elements[place] = i;
  for (auto [i, place] : llvm::enumerate(places)) {
    const int64_t column = place % channels.dimension();
    neighbours[i] = elements[place - column + levels.neighbour(column, channels.dimension())];
  }
  return neighbours;
}

void mlir::halftone::boundPairs(Operation *contraction, const WeightFormat &format, MutableArrayRef<int8_t> codes) {
  const LevelSet levels = format.levelSet();
  for (auto [i, other] : llvm::enumerate(neighboursOf(WeightChannels(contraction), levels)))
    if (static_cast<int32_t>(i) < other)
      std::tie(codes[i], codes[other]) = levels.nearestPair(codes[i], codes[other]);
}

/// Moves codes of one output and input channel to their other neighbour until the sum is kept to half a step.
static void diffuse(ArrayRef<float> values, float scale, const LevelSet &levels, ArrayRef<int32_t> neighbours, MutableArrayRef<int32_t> taps,
                    std::vector<int8_t> &codes) {
  auto error = [&](int32_t tap) { return double(values[tap]) / scale - codes[tap]; };
  double sum = 0;
  for (int32_t tap : taps)
    sum += error(tap);
  int direction = sum < 0 ? -1 : 1;
  auto moves = static_cast<size_t>(std::nearbyint(std::abs(sum)));
  llvm::sort(taps, [&](int32_t a, int32_t b) {
    return std::make_pair(-error(a) * direction, a) < std::make_pair(-error(b) * direction, b);
  });
  for (int32_t tap : taps.take_front(moves)) {
    const int moved = std::clamp(codes[tap] + direction, -levels.largest(), levels.largest());
    if (neighbours.empty() || neighbours[tap] == tap || std::abs(moved + codes[neighbours[tap]]) <= levels.mostOfPair())
      codes[tap] = moved;
  }
}

/// Calls `visit` with the elements of each pair of channels that has several.
template <typename Visit>
static void forEachKernel(const WeightChannels &channels, Visit visit) {
  if (static_cast<int64_t>(channels.output.size()) == channels.outputs * channels.inputs)
    return; // a matrix: one weight for each pair
  auto kernel = [&](int32_t i) { return channels.output[i] * channels.inputs + channels.input[i]; };
  std::vector<int32_t> elements(channels.output.size());
  std::iota(elements.begin(), elements.end(), 0);
  llvm::sort(elements, [&](int32_t a, int32_t b) { return std::make_pair(kernel(a), a) < std::make_pair(kernel(b), b); });
  MutableArrayRef<int32_t> rest(elements);
  while (!rest.empty()) {
    size_t count = 1;
    while (count < rest.size() && kernel(rest[count]) == kernel(rest[0]))
      ++count;
    if (count > 1)
      visit(rest.take_front(count));
    rest = rest.drop_front(count);
  }
}

std::optional<RoundedWeights> mlir::halftone::takeCodes(Operation *contraction, ArrayRef<float> values, ArrayRef<float> scales) {
  WeightChannels channels(contraction);
  RoundedWeights result;
  if (scales.size() != 1 && static_cast<int64_t>(scales.size()) != channels.outputs)
    return std::nullopt;
  for (int64_t c = 0; c < channels.outputs; ++c)
    result.scales.push_back(scales[scales.size() == 1 ? 0 : c]);
  std::vector<int16_t> steps(values.size()), least(channels.outputs, 0), greatest(channels.outputs, 0);
  for (auto [value, channel, step] : llvm::zip_equal(values, channels.output, steps)) {
    const double exact = double(value) / double(result.scales[channel]), nearest = std::nearbyint(exact);
    if (!(std::abs(exact - nearest) < 1e-3) || nearest < -255 || nearest > 255)
      return std::nullopt;
    step = static_cast<int16_t>(nearest);
    least[channel] = std::min(least[channel], step);
    greatest[channel] = std::max(greatest[channel], step);
  }
  std::vector<int8_t> zeros;
  for (auto [low, high] : llvm::zip_equal(least, greatest)) {
    if (high - low > 255)
      return std::nullopt;
    zeros.push_back(static_cast<int8_t>(low < -128 ? -128 - low : std::min(0, 127 - high)));
  }
  result.codes.reserve(steps.size());
  for (auto [step, channel] : llvm::zip_equal(steps, channels.output))
    result.codes.push_back(static_cast<int8_t>(step + zeros[channel]));
  if (llvm::any_of(zeros, [](int8_t zero) { return zero != 0; }))
    result.zeros = std::move(zeros);
  return result;
}

/// The codes that the contraction has as attributes.
static std::optional<RoundedWeights> getReconstructed(Operation *contraction, const WeightChannels &channels) {
  auto scales = contraction->getAttrOfType<DenseF32ArrayAttr>(kWeightScalesAttr);
  std::optional<std::vector<int8_t>> codes = getElements<int8_t>(contraction->getAttr(kWeightCodesAttr));
  if (!scales || !codes || scales.size() != channels.outputs || codes->size() != channels.output.size())
    return std::nullopt;
  return RoundedWeights{std::move(*codes), scales.asArrayRef().vec()};
}

void mlir::halftone::attachWeights(Operation *contraction, const RoundedWeights &rounded) {
  auto type = cast<RankedTensorType>(getWeightOperand(contraction).get().getType());
  Builder builder(contraction->getContext());
  contraction->setAttr(kWeightCodesAttr, makeConstant<int8_t>(type.clone(builder.getI8Type()), rounded.codes, "codes"));
  contraction->setAttr(kWeightScalesAttr, builder.getDenseF32ArrayAttr(rounded.scales));
}

RoundedWeights RoundingCache::compute(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels, const FormatOfWeights &format,
                                      std::vector<float> leastScales) {
  ++numComputed;
  std::vector<int64_t> places = channels.places();
  std::vector<float> rows(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    rows[places[i]] = values[i];
  RowsOfWeights all{channels.outputs, channels.dimension(), rows, {}};
  all.leastScales = std::move(leastScales);
  WeightGrid grid = chooseGrid(all, format, options.scales);
  if (isPruned(contraction))
    keepZeros(all, grid);
  std::vector<int8_t> codes(values.size());
  for (int64_t output = 0; output < channels.outputs; ++output)
    grid.round(output, all.row(output), MutableArrayRef<int8_t>(codes).slice(output * all.dimension, all.dimension));
  RoundedWeights rounded{std::vector<int8_t>(values.size()), grid.scales};
  for (size_t i = 0; i < values.size(); ++i)
    rounded.codes[i] = codes[places[i]];
  if (options.rounding != WeightRounding::Nearest && grid.levels.uniformLimit() && !grid.group) {
    const std::vector<int32_t> neighbours = neighboursOf(channels, grid.levels);
    const bool pruned = isPruned(contraction);
    std::vector<float> shares = findTapShares(contraction);
    forEachKernel(channels, [&](MutableArrayRef<int32_t> taps) {
      auto counts = [&](int32_t tap) { return shares[tap] > 0 && (!pruned || values[tap] != 0); };
      taps = taps.take_front(llvm::partition(taps, counts) - taps.begin());
      if (!taps.empty())
        diffuse(values, rounded.scales[channels.output[taps.front()]], grid.levels, neighbours, taps, rounded.codes);
    });
  }
  return rounded;
}

/// Whether the rounding, without the least scales, is a function of the weights, their channels, and the attributes of the format alone.
static bool isOfWeightsAlone(Operation *contraction, const FormatOfWeights &format) {
  const bool isUniform = format.format.kind == WeightFormat::Uniform && !format.format.paired && format.granularity.kind != Granularity::Group;
  return isUniform && !isPruned(contraction) && !findPadding(contraction);
}

/// Whether the format holds codes of the source as they are: its levels are integers, not bound to one another, and scales are as many.
static bool holds(const FormatOfWeights &format, const RoundedWeights &weights) {
  if (format.format.kind != WeightFormat::Uniform || format.format.paired || format.granularity.kind == Granularity::Group || !weights.zeros.empty())
    return false;
  if (format.granularity.kind == Granularity::Tensor && !llvm::all_equal(weights.scales))
    return false;
  const int largest = format.format.levelSet().largest(), least = largest == kWeightMax ? -kWeightMax - 1 : -largest;
  return llvm::all_of(weights.codes, [&](int8_t code) { return code >= least && code <= largest; });
}

const RoundedWeights *RoundingCache::findSource(Operation *contraction, ArrayRef<float> values, const FormatOfWeights &format) {
  auto scales = contraction->getAttrOfType<DenseF32ArrayAttr>(kSourceScalesAttr);
  if (!scales || isPruned(contraction))
    return nullptr;
  const auto [outputs, inputs] = std::make_pair(getOutputChannelDims(contraction), getInputChannelDims(contraction));
  Key key{constantOf(contraction), scales.getAsOpaquePointer(), nullptr, {outputs.begin(), outputs.end()}, {inputs.begin(), inputs.end()}};
  auto [place, isNew] = taken.try_emplace(std::move(key));
  if (isNew)
    place->second = takeCodes(contraction, values, scales);
  return place->second && holds(format, *place->second) ? &*place->second : nullptr;
}

const void *RoundingCache::constantOf(Operation *contraction) {
  Attribute constant;
  matchPattern(getWeightOperand(contraction).get(), m_Constant(&constant));
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
    constant = constants.unique(resource);
  return constant.getAsOpaquePointer();
}

const RoundedWeights &RoundingCache::roundOnce(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels,
                                               const FormatOfWeights &format) {
  const auto [outputs, inputs] = std::make_pair(getOutputChannelDims(contraction), getInputChannelDims(contraction));
  Key key{constantOf(contraction),
          contraction->getAttr(kWeightsAttr).getAsOpaquePointer(),
          contraction->getAttr(kGranularityAttr).getAsOpaquePointer(),
          {outputs.begin(), outputs.end()},
          {inputs.begin(), inputs.end()}};
  auto [place, isNew] = rounded.try_emplace(std::move(key));
  if (isNew)
    place->second = compute(contraction, values, channels, format, {});
  return place->second;
}

FailureOr<RoundedWeights> RoundingCache::round(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels) {
  if (std::optional<RoundedWeights> reconstructed = getReconstructed(contraction, channels))
    return std::move(*reconstructed);
  FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
  if (failed(format))
    return failure();
  std::vector<float> leastScales = findLeastScales(contraction, channels.outputs);
  auto areEnough = [&](ArrayRef<float> scales) {
    return leastScales.empty() || llvm::all_of(llvm::zip_equal(scales, leastScales), [](auto pair) { return std::get<0>(pair) >= std::get<1>(pair); });
  };
  if (const RoundedWeights *source = findSource(contraction, values, *format); source && areEnough(source->scales))
    return *source;
  if (isOfWeightsAlone(contraction, *format)) {
    const RoundedWeights &once = roundOnce(contraction, values, channels, *format);
    if (areEnough(once.scales))
      return once;
  }
  return compute(contraction, values, channels, *format, std::move(leastScales));
}

FailureOr<RoundedWeights> mlir::halftone::roundWeights(Operation *contraction, ArrayRef<float> values, const WeightChannels &channels,
                                                       const WeightOptions &options) {
  return RoundingCache(options).round(contraction, values, channels);
}
