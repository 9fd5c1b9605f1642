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
  /// A step moves codes by one, so only equal steps with a scale for each channel can be trained.
  static LogicalResult checkFormat(Operation *contraction) {
    if (contraction->getAttrOfType<StringAttr>(kPrecisionAttr) == StringRef(kDynamicPrecision))
      return contraction->emitOpError("rounds its activations to ranges that it finds when it runs, which is not trained "
                                      "through; quantize with --activations=int8 or float");
    FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
    if (failed(format))
      return failure();
    if (format->format.kind == WeightFormat::Uniform && format->granularity.kind == Granularity::Channel)
      return success();
    return contraction->emitOpError("has weights of format ")
           << format->format.name << " by " << format->granularity.name()
           << ", which cannot be trained; train with int8 to int2 by channel, or in floats, and quantize the result";
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
    if (Operation *contraction = findContraction(cast))
      refine(contraction, *codes, perAxis.getStorageTypeMax(), scales, values);
    OpBuilder b(cast);
    Location loc = cast.getInput().getLoc();
    auto real = RankedTensorType::get(type.getShape(), b.getF32Type());
    Value weights = arith::ConstantOp::create(b, loc, makeConstant<float>(real, values, "weights"));
    Operation *constant = cast.getInput().getDefiningOp();
    cast.replaceAllUsesWith(QuantizeOp::create(b, cast.getLoc(), type, weights).getResult());
    cast.erase();
    if (constant->use_empty())
      constant->erase();
    ++exposed;
  }

  /// Takes the float weights that were kept, near to their codes or as they are. Zeros that stay, stay.
  void refine(Operation *contraction, ArrayRef<int8_t> codes, int limit, const ChannelScales &scales,
              MutableArrayRef<float> values) {
    auto kept = getElements<float>(contraction->removeAttr(kFloatWeightsAttr));
    if (!kept || kept->size() != values.size())
      return;
    bool pruned = contraction->hasAttr(kPrunedAttr);
    for (auto [i, value] : llvm::enumerate(values))
      value = floats || (pruned && (*kept)[i] == 0) ? (*kept)[i] : intoCell((*kept)[i], codes[i], limit, scales.at(i));
  }
};

} // namespace
