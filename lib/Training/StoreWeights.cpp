//===- StoreWeights.cpp - codes in place of float weights -------------------===//
#include "ChannelScales.h"
#include "halftone/Analysis/EntryForm.h"
#include "halftone/Quantization/UniformTypes.h"
#include "halftone/Quantization/WeightRounding.h"
#include "halftone/Support/Constants.h"
#include "halftone/Training/Passes.h"
#include "mlir/Dialect/Quant/IR/Quant.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_STOREWEIGHTS
#include "halftone/Training/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

namespace {

struct StoreWeights : halftone::impl::StoreWeightsBase<StoreWeights> {
  void runOnOperation() override {
    SmallVector<QuantizeOp> quantizes;
    getOperation().walk([&](QuantizeOp op) { quantizes.push_back(op); });
    for (QuantizeOp op : quantizes)
      store(op);
  }

private:
  void store(QuantizeOp op) {
    auto type = cast<RankedTensorType>(op.getType());
    auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type.getElementType());
    auto values = getConstantElements<float>(op.getInput());
    if (!perAxis || !values || perAxis.getStorageTypeMin() < -kWeightMax)
      return;
    std::vector<int8_t> codes(values->size());
    ChannelScales scales(type);
    std::optional<LevelSet> levels;
    if (auto chosen = op->getAttrOfType<DenseI8ArrayAttr>(kLevelsAttr))
      levels.emplace(chosen.asArrayRef());
    else if (auto largest = op->getAttrOfType<IntegerAttr>(kLargestLevelAttr))
      levels.emplace(static_cast<int>(largest.getInt()));
    const std::optional<std::vector<int8_t>> multipliers = getElements<int8_t>(op->getAttr(kMultipliersAttr));
    for (auto [i, value] : llvm::enumerate(*values)) {
      const int multiplier = multipliers ? (*multipliers)[i] : 1;
      const float step = scales.at(i) * multiplier;
      const int level = levels ? levels->nearest(value / step)
                               : std::clamp<int64_t>(quantizeWeight(value, step), perAxis.getStorageTypeMin(), perAxis.getStorageTypeMax());
      codes[i] = static_cast<int8_t>(level * multiplier);
    }
    if (Operation *contraction = findContraction(op))
      if (FailureOr<FormatOfWeights> format = getFormatOfWeights(contraction); succeeded(format))
        boundPairs(contraction, format->format, codes);
    OpBuilder b(op);
    Operation *constant = op.getInput().getDefiningOp();
    auto stored = RankedTensorType::get(type.getShape(), b.getI8Type());
    Value constantCodes = arith::ConstantOp::create(b, constant->getLoc(), makeConstant<int8_t>(stored, codes, "codes"));
    op.replaceAllUsesWith(quant::StorageCastOp::create(b, op.getLoc(), type, constantCodes).getResult());
    op.erase();
    if (constant->use_empty())
      constant->erase();
    ++this->stored;
  }
};

} // namespace
