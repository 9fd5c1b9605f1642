//===- ExposeWeights.cpp - float weights in front of their codes ------------===//
#include "ChannelScales.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPOSEWEIGHTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The multiplier of the groups that hold `codes`, all of them levels times it: of several the least that `largest`, a weight in steps of the channel's
/// scale, is not beyond, else the greatest.
static int8_t findMultiplier(ArrayRef<int8_t> codes, float largest, const LevelSet &levels, int most) {
  int found = 1;
  for (int multiplier = 1; multiplier <= most; ++multiplier) {
    auto isMultiple = [&](int code) { return code % multiplier == 0 && levels.nearest(code / multiplier) == code / multiplier; };
    if (!llvm::all_of(codes, isMultiple))
      continue;
    found = multiplier;
    if (largest <= (levels.largest() + 0.5f) * multiplier)
      break;
  }
  return static_cast<int8_t>(found);
}

/// Of each weight (row-major) the multiplier of its group.
static std::vector<int8_t> findMultipliers(Operation *contraction, const FormatOfWeights &format, ArrayRef<int8_t> codes, ArrayRef<float> values,
                                           ArrayRef<float> scales) {
  const WeightChannels channels(contraction);
  const std::vector<int64_t> places = channels.places();
  const int64_t dimension = channels.dimension(), size = format.granularity.group, groups = llvm::divideCeil(dimension, size);
  auto groupOf = [&](size_t i) { return places[i] / dimension * groups + places[i] % dimension / size; };
  std::vector<std::vector<int8_t>> members(channels.outputs * groups);
  std::vector<float> largest(members.size(), 0);
  for (size_t i = 0; i < codes.size(); ++i) {
    members[groupOf(i)].push_back(codes[i]);
    largest[groupOf(i)] = std::max(largest[groupOf(i)], std::abs(values[i] / scales[i]));
  }
  const LevelSet levels = format.format.levelSet();
  std::vector<int8_t> ofGroups(members.size()), multipliers(codes.size());
  for (auto [group, multiplier] : llvm::enumerate(ofGroups))
    multiplier = findMultiplier(members[group], largest[group], levels, format.format.largestMultiplier());
  for (auto [i, multiplier] : llvm::enumerate(multipliers))
    multiplier = ofGroups[groupOf(i)];
  return multipliers;
}

/// What is nearest to `value` among the numbers that round to `code`, and that the clamp lets gradients through to.
static float intoCell(float value, int code, int limit, float scale) {
  constexpr float half = 0.499f;
  float low = std::max(code - half, float(-limit)), high = std::min(code + half, float(limit));
  return std::clamp(value, low * scale, high * scale);
}

namespace {

/// Codes of weights, of groups without their multipliers: weight = code * step.
struct Codes {
  ArrayRef<int8_t> codes;
  ArrayRef<float> steps;
  ArrayRef<int8_t> levels; ///< that codes may be; none: the integers up to `largest`
  int largest;
};

struct ExposeWeights : halftone::impl::ExposeWeightsBase<ExposeWeights> {
  using ExposeWeightsBase::ExposeWeightsBase;

  void runOnOperation() override {
    SmallVector<quant::StorageCastOp> casts;
    getOperation().walk([&](quant::StorageCastOp cast) { casts.push_back(cast); });
    for (quant::StorageCastOp cast : casts)
      if (Operation *contraction = findContraction(cast); contraction && failed(checkFormat(contraction)))
        return signalPassFailure();
    for (quant::StorageCastOp cast : casts)
      expose(cast);
  }

private:
  /// There is a scale for each channel: one of a tensor would become many. Multipliers of groups stay as they are.
  static LogicalResult checkFormat(Operation *contraction) {
    if (isDynamic(contraction))
      return contraction->emitOpError("rounds its activations to ranges that it finds when it runs, which is not trained "
                                      "through; quantize with --activations=int8 or float");
    auto weights = getWeightOperand(contraction).get().getDefiningOp<DequantizeOp>();
    auto perAxis = weights ? dyn_cast<quant::UniformQuantizedPerAxisType>(getElementTypeOrSelf(weights.getInput().getType())) : nullptr;
    if (perAxis && llvm::any_of(perAxis.getZeroPoints(), [](int64_t zero) { return zero != 0; }))
      return contraction->emitOpError("has weights with zero points, which are not trained through; train the float model that they were made of");
    FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
    if (failed(format))
      return failure();
    if (format->granularity.kind != Granularity::Tensor && !format->isClustered())
      return success();
    return contraction->emitOpError("has weights of format ")
           << format->format.name << " by " << format->granularity.name()
           << ", which cannot be trained; train with a scale for each channel, or in floats, and quantize the result";
  }

  void expose(quant::StorageCastOp cast) {
    auto type = mlir::cast<RankedTensorType>(cast.getType());
    auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
    auto codes = getConstantElements<int8_t>(cast.getInput());
    if (!perAxis || !codes)
      return;
    std::vector<float> values(codes->size()), steps(codes->size());
    ChannelScales scales(type);
    for (auto [i, code] : llvm::enumerate(*codes)) {
      steps[i] = scales.at(i);
      values[i] = float(code) * steps[i];
    }
    std::vector<int8_t> levels, multipliers;
    int largest = perAxis.getStorageTypeMax();
    if (Operation *contraction = findContraction(cast)) {
      FormatOfWeights format = *getFormatOfWeights(contraction);
      levels = levelsOf(contraction, format.format, *codes);
      std::optional<std::vector<float>> kept = getElements<float>(contraction->removeAttr(kFloatWeightsAttr));
      if (kept && kept->size() != values.size())
        kept.reset();
      if (format.granularity.kind == Granularity::Group) {
        multipliers = findMultipliers(contraction, format, *codes, kept ? *kept : values, steps);
        largest = format.format.levelSet().largest();
        for (auto [i, multiplier] : llvm::enumerate(multipliers)) {
          steps[i] *= multiplier;
          (*codes)[i] /= multiplier;
        }
      }
      if (kept)
        refine(contraction, {*codes, steps, levels, largest}, *kept, values);
    }
    OpBuilder b(cast);
    Location loc = cast.getInput().getLoc();
    auto real = RankedTensorType::get(type.getShape(), b.getF32Type());
    Value weights = arith::ConstantOp::create(b, loc, makeConstant<float>(real, values, "weights"));
    Operation *constant = cast.getInput().getDefiningOp();
    auto quantize = QuantizeOp::create(b, cast.getLoc(), type, weights);
    if (!levels.empty())
      quantize->setAttr(kLevelsAttr, b.getDenseI8ArrayAttr(levels));
    if (!multipliers.empty()) {
      quantize->setAttr(kMultipliersAttr, makeConstant<int8_t>(type.clone(b.getI8Type()), multipliers, "multipliers"));
      quantize->setAttr(kLargestLevelAttr, b.getI64IntegerAttr(largest));
    }
    cast.replaceAllUsesWith(quantize.getResult());
    cast.erase();
    if (constant->use_empty())
      constant->erase();
    ++exposed;
  }

  /// The codes that weights of a format without equal steps may have; none for one with.
  static std::vector<int8_t> levelsOf(Operation *contraction, const WeightFormat &format, ArrayRef<int8_t> codes) {
    if (format.kind == WeightFormat::Uniform)
      return {};
    std::vector<int8_t> levels = format.kind == WeightFormat::Fixed ? format.levels : codes.vec();
    if (isPruned(contraction))
      levels.push_back(0);
    return LevelSet(levels).levels().vec();
  }

  /// Takes the float weights that were kept, near to their codes or as they are. Zeros that stay, stay.
  void refine(Operation *contraction, const Codes &codes, ArrayRef<float> kept, MutableArrayRef<float> values) {
    const bool pruned = contraction->hasAttr(kPrunedAttr);
    std::optional<LevelSet> set;
    if (!codes.levels.empty())
      set.emplace(codes.levels);
    for (auto [i, value] : llvm::enumerate(values)) {
      const float weight = kept[i], step = codes.steps[i];
      if (floats || (pruned && weight == 0) || (set && set->nearest(weight / step) == codes.codes[i]))
        value = weight;
      else if (!set) // a weight that was not rounded to the nearest level is that level
        value = intoCell(weight, codes.codes[i], codes.largest, step);
    }
  }
};

} // namespace
