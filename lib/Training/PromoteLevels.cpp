//===- PromoteLevels.cpp - levels of codebooks become arguments -------------===//
//
// The argument has the levels as real weights: codes times the mean of the channels' scales, so that a step of the optimizer
// means the same for a level as for a weight. Its gradient sums up what its weights get; as of a scale (LSQ, arXiv:1902.08153,
// section 2.2), it is scaled down by the root of their number.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Analysis/PrunedZeros.h"
#include "halftone/Quantization/WeightFormats.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "llvm/ADT/StringSet.h"
#include <cmath>
#include <numeric>

namespace mlir::halftone {
#define GEN_PASS_DEF_PROMOTELEVELS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// Whether the levels are made for the weights: those of a table or of a user stay.
static bool areFitted(QuantizeOp op) {
  Operation *contraction = findContraction(op.getResult());
  if (!contraction || !op->hasAttr(kLevelsAttr))
    return false;
  FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction);
  return succeeded(format) && format->format.kind == WeightFormat::Fitted;
}

namespace {

struct PromoteLevels : halftone::impl::PromoteLevelsBase<PromoteLevels> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    llvm::StringSet<> names;
    for (unsigned i = 0; i < entry->getNumArguments(); ++i)
      if (auto name = entry->getArgAttrOfType<StringAttr>(i, kNameAttr))
        names.insert(name.getValue());
    SmallVector<QuantizeOp> quantizes;
    entry->walk([&](QuantizeOp op) { quantizes.push_back(op); });
    for (QuantizeOp op : quantizes) {
      if (!areFitted(op))
        continue;
      std::string base = locationName(findContraction(op.getResult())->getLoc()) + ".levels", name = base;
      for (unsigned i = 1; !names.insert(name).second; ++i)
        name = base + "." + std::to_string(i);
      promote(*entry, op, name);
      ++promoted;
    }
  }

  static void promote(func::FuncOp entry, QuantizeOp op, StringRef name) {
    auto tensor = cast<RankedTensorType>(op.getType());
    ArrayRef<double> scales = cast<quant::UniformQuantizedPerAxisType>(tensor.getElementType()).getScales();
    const double unit = std::accumulate(scales.begin(), scales.end(), 0.0) / double(scales.size());
    std::vector<float> values;
    for (int8_t level : op->getAttrOfType<DenseI8ArrayAttr>(kLevelsAttr).asArrayRef())
      values.push_back(static_cast<float>(level * unit));
    const double weights = std::max(1.0, double(tensor.getNumElements()) / double(values.size()));
    Builder builder(entry.getContext());
    auto type = RankedTensorType::get(values.size(), builder.getF32Type());
    NamedAttrList attributes;
    attributes.append(kNameAttr, builder.getStringAttr(name));
    attributes.append(kTrainableAttr, builder.getUnitAttr());
    attributes.append(kGradientFactorAttr, builder.getF64FloatAttr(1 / std::sqrt(weights)));
    attributes.append(kValueAttr, makeConstant<float>(type, values, name));
    // A level of 0 stays for the weights that stay 0.
    if (Attribute pattern = findContraction(op.getResult())->getAttr(kPrunedAttr))
      attributes.append(kPrunedAttr, pattern);
    (void)entry.insertArgument(entry.getNumArguments(), type, attributes.getDictionary(entry.getContext()), op.getLoc());
    op->setAttr(kLevelArgumentAttr, builder.getStringAttr(name));
    op->setAttr(kLevelUnitAttr, builder.getF64FloatAttr(unit));
  }
};

} // namespace
