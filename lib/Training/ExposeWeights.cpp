//===- ExposeWeights.cpp - float weights in front of their codes ------------===//
#include "ChannelScales.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_EXPOSEWEIGHTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// What is nearest to `value` among the numbers that round to `code`, and that the clamp lets gradients through to.
static float intoCell(float value, int code, int limit, float scale) {
  constexpr float half = 0.499f;
  float low = std::max(code - half, float(-limit)), high = std::min(code + half, float(limit));
  return std::clamp(value, low * scale, high * scale);
}

namespace {

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
  /// Scales are those of channels: multipliers of groups would have to be trained, too, and one scale would become many.
  static LogicalResult checkFormat(Operation *contraction) {
    if (isDynamic(contraction))
      return contraction->emitOpError("rounds its activations to ranges that it finds when it runs, which is not trained "
                                      "through; quantize with --activations=int8 or float");
    FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
    if (failed(format))
      return failure();
    if (format->granularity.kind == Granularity::Channel)
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
    std::vector<float> values(codes->size());
    ChannelScales scales(type);
    for (auto [i, code] : llvm::enumerate(*codes))
      values[i] = float(code) * scales.at(i);
    std::vector<int8_t> levels;
    if (Operation *contraction = findContraction(cast)) {
      levels = levelsOf(contraction, *codes);
      refine(contraction, *codes, perAxis.getStorageTypeMax(), levels, scales, values);
    }
    OpBuilder b(cast);
    Location loc = cast.getInput().getLoc();
    auto real = RankedTensorType::get(type.getShape(), b.getF32Type());
    Value weights = arith::ConstantOp::create(b, loc, makeConstant<float>(real, values, "weights"));
    Operation *constant = cast.getInput().getDefiningOp();
    auto quantize = QuantizeOp::create(b, cast.getLoc(), type, weights);
    if (!levels.empty())
      quantize->setAttr(kLevelsAttr, b.getDenseI8ArrayAttr(levels));
    cast.replaceAllUsesWith(quantize.getResult());
    cast.erase();
    if (constant->use_empty())
      constant->erase();
    ++exposed;
  }

  /// The codes that weights of a format without equal steps may have; none for one with.
  static std::vector<int8_t> levelsOf(Operation *contraction, ArrayRef<int8_t> codes) {
    FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
    if (failed(format) || format->format.kind == WeightFormat::Uniform)
      return {};
    std::vector<int8_t> levels = format->format.kind == WeightFormat::Fixed ? format->format.levels : codes.vec();
    if (isPruned(contraction))
      levels.push_back(0);
    return LevelSet(levels).levels().vec();
  }

  /// Takes the float weights that were kept, near to their codes or as they are. Zeros that stay, stay.
  void refine(Operation *contraction, ArrayRef<int8_t> codes, int limit, ArrayRef<int8_t> levels, const ChannelScales &scales,
              MutableArrayRef<float> values) {
    auto kept = getElements<float>(contraction->removeAttr(kFloatWeightsAttr));
    if (!kept || kept->size() != values.size())
      return;
    const bool pruned = contraction->hasAttr(kPrunedAttr);
    std::optional<LevelSet> set;
    if (!levels.empty())
      set.emplace(levels);
    for (auto [i, value] : llvm::enumerate(values)) {
      const float weight = (*kept)[i];
      if (floats || (pruned && weight == 0) || (set && set->nearest(weight / scales.at(i)) == codes[i]))
        value = weight;
      else if (!set) // a weight that was not rounded to the nearest level is that level
        value = intoCell(weight, codes[i], limit, scales.at(i));
    }
  }
};

} // namespace
