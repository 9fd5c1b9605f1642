//===- PromoteScales.cpp - scales of quantization become arguments ----------===//
//
// The gradient of a scale sums up what all N values with it say, so that it is scaled down by 1 / sqrt(N Q), Q being the
// largest code's distance from zero (LSQ, arXiv:1902.08153, section 2.2). N counts values of one sample.
//
//===----------------------------------------------------------------------===//
#include "ScaleGroups.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>

namespace mlir::halftone {
#define GEN_PASS_DEF_PROMOTESCALES
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// 1 / sqrt(N Q).
static double gradientFactor(QuantizeOp source) {
  auto tensor = cast<RankedTensorType>(source.getType());
  auto type = cast<quant::QuantizedType>(tensor.getElementType());
  double count = tensor.getNumElements();
  int64_t largest = type.getStorageTypeMax();
  if (auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    count /= static_cast<double>(perAxis.getScales().size());
    if (auto level = source->getAttrOfType<IntegerAttr>(kLargestLevelAttr))
      largest = level.getInt();
  } else {
    int64_t zero = cast<quant::UniformQuantizedType>(type).getZeroPoint();
    largest = std::max(largest - zero, zero - type.getStorageTypeMin());
    count /= static_cast<double>(tensor.getRank() ? std::max<int64_t>(1, tensor.getDimSize(0)) : 1);
  }
  return 1 / std::sqrt(std::max(1.0, count) * static_cast<double>(largest));
}

namespace {

struct PromoteScales : halftone::impl::PromoteScalesBase<PromoteScales> {
  void runOnOperation() override {
    auto entry = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!entry) {
      getOperation().emitError("needs a function @main");
      return signalPassFailure();
    }
    llvm::StringSet<> names;
    for (unsigned i = 0; i < entry.getNumArguments(); ++i)
      if (auto name = entry.getArgAttrOfType<StringAttr>(i, kNameAttr))
        names.insert(name.getValue());
    for (ScaleGroup &group : findScaleGroups(entry)) {
      promote(entry, group, uniqueName(group, names));
      ++promoted;
    }
  }

  static std::string uniqueName(ScaleGroup &group, llvm::StringSet<> &names) {
    std::string base = locationName(group.sources.front().getLoc()) + ".scale", name = base;
    for (unsigned i = 1; !names.insert(name).second; ++i)
      name = base + "." + std::to_string(i);
    return name;
  }

  static void promote(func::FuncOp entry, ScaleGroup &group, StringRef name) {
    Builder builder(entry.getContext());
    SmallVector<float> scales = getScales(group.type());
    SmallVector<int64_t> shape;
    if (isa<quant::UniformQuantizedPerAxisType>(group.type()))
      shape.push_back(scales.size());
    auto type = RankedTensorType::get(shape, builder.getF32Type());
    NamedAttribute attributes[] = {
        builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)),
        builder.getNamedAttr(kTrainableAttr, builder.getUnitAttr()),
        builder.getNamedAttr(kPositiveAttr, builder.getUnitAttr()),
        builder.getNamedAttr(kGradientFactorAttr, builder.getF64FloatAttr(gradientFactor(group.sources.front()))),
        builder.getNamedAttr(kValueAttr, makeConstant<float>(type, scales, name))};
    (void)entry.insertArgument(entry.getNumArguments(), type, builder.getDictionaryAttr(attributes),
                               group.sources.front().getLoc());
    for (QuantizeOp source : group.sources)
      source->setAttr(kScaleAttr, builder.getStringAttr(name));
  }
};

} // namespace
