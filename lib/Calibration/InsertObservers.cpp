//===- InsertObservers.cpp - make @main count its values --------------------===//
#include "ChannelSums.h"
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Calibration/Passes.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_INSERTOBSERVERS
#include "halftone/Calibration/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

static Value appendArgument(func::FuncOp entry, Type type, StringRef name) {
  Builder builder(entry.getContext());
  unsigned index = entry.getNumArguments();
  auto attributes = builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)));
  (void)entry.insertArgument(index, type, attributes, entry.getLoc());
  return entry.getArgument(index);
}

namespace {
struct InsertObserversPass : halftone::impl::InsertObserversBase<InsertObserversPass> {
  using InsertObserversBase::InsertObserversBase;

  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    if ((*entry)->hasAttr(kObservedAttr)) {
      entry->emitError("has observers already");
      return signalPassFailure();
    }
    SmallVector<QuantizableValue> values = getQuantizableValues(*entry);
    OpBuilder builder(&getContext());
    SmallVector<QuantizableValue> first = firstOfRows<QuantizableValue>(values);
    int64_t rows = first.size();
    Value counts = appendArgument(*entry, MemRefType::get({rows, kPrefixes}, builder.getI64Type()), kCountsName);
    Value extrema = appendArgument(*entry, MemRefType::get({rows, 2}, builder.getF32Type()), kExtremaName);
    for (const QuantizableValue &observed : values) {
      builder.setInsertionPointAfterValue(observed.value);
      ObserveOp::create(builder, observed.value.getLoc(), observed.value, counts, extrema, observed.row);
    }
    SmallVector<Attribute> keys = llvm::map_to_vector(first, [&](const QuantizableValue &row) -> Attribute { return builder.getStringAttr(row.key); });
    (*entry)->setAttr(kObservedAttr, builder.getArrayAttr(keys));
    observers += values.size();
    if (channels)
      observeChannels(*entry, builder);
  }

  void observeChannels(func::FuncOp entry, OpBuilder &builder) {
    SmallVector<ContractionInput> inputs = getContractionInputs(entry);
    SmallVector<int64_t> widths, offsets;
    SmallVector<Attribute> keys;
    int64_t total = 0;
    for (const ContractionInput &row : firstOfRows<ContractionInput>(inputs)) {
      widths.push_back(row.channels());
      keys.push_back(builder.getStringAttr(row.key));
      offsets.push_back(total);
      total += Statistics::channelNumbers(row.channels());
    }
    Value sums = appendArgument(entry, MemRefType::get({std::max<int64_t>(total, 1)}, builder.getI64Type()), kSumsName);
    for (const ContractionInput &input : inputs) {
      builder.setInsertionPointAfterValue(input.value);
      emitChannelSums(builder, input.contraction->getLoc(), input.value, sums, offsets[input.row]);
    }
    entry->setAttr(kObservedChannelsAttr, builder.getArrayAttr(keys));
    entry->setAttr(kChannelWidthsAttr, builder.getDenseI64ArrayAttr(widths));
  }
};
} // namespace
