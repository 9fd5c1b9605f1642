//===- InsertProbes.cpp - make @main return the results of its layers -------===//
//
// What a layer gives can only be compared with float where both are numbers of the same thing: behind the sandwich,
// where its result is rounded. The codes of the quantized form come out dequantized, and what was divided is multiplied again.
//
//===----------------------------------------------------------------------===//
#include "halftone/Analysis/QuantizableValues.h"
#include "halftone/Analysis/Sandwiches.h"
#include "halftone/Precision/Passes.h"
#include "halftone/Support/Elementwise.h"

namespace mlir::halftone {
#define GEN_PASS_DEF_INSERTPROBES
#include "halftone/Precision/Passes.h.inc"
} // namespace mlir::halftone

using namespace mlir;
using namespace mlir::halftone;

/// The quantize that rounds a value to codes, or null.
static QuantizeOp findQuantize(Value value) {
  for (Operation *user : value.getUsers())
    if (auto quantize = dyn_cast<QuantizeOp>(user))
      return quantize;
  return nullptr;
}

/// What a layer is called: a composite's name, the kind of a sandwich, else the operation's name.
static std::string layerKind(Operation *last, const Sandwiches &sandwiches) {
  if (const Sandwich *sandwich = sandwiches.find(last))
    if (!isa<CompositeOp>(sandwich->anchor))
      return kindName(sandwich->kind).str();
  if (auto composite = dyn_cast<CompositeOp>(last))
    return composite.getName().str();
  OpKind kind = classify(last);
  return kind == OpKind::Other ? last->getName().getStringRef().str() : kindName(kind).str();
}

static DictionaryAttr describe(Builder &builder, const QuantizableValue &layer, QuantizeOp quantize,
                               const Sandwiches &sandwiches) {
  Operation *last = layer.value.getDefiningOp();
  const Sandwich *sandwich = sandwiches.find(last);
  Operation *decides = sandwich ? sandwich->anchor : last; // the end of a tail may be floats
  NamedAttrList fields;
  fields.append("key", builder.getStringAttr(layer.key));
  fields.append("kind", builder.getStringAttr(layerKind(last, sandwiches)));
  fields.append("precision", builder.getStringAttr(isInt8(decides) ? "int8" : "float"));
  if (auto reason = decides->getAttrOfType<StringAttr>(kReasonAttr))
    fields.append("reason", reason);
  auto type = quantize ? dyn_cast<quant::UniformQuantizedType>(quantize.getResult().getType().getElementType())
                       : quant::UniformQuantizedType();
  if (type && !last->hasAttr(kChannelFactorsAttr)) { // else each channel has another
    fields.append("scale", builder.getF64FloatAttr(type.getScale()));
    fields.append("zero_point", builder.getI64IntegerAttr(type.getZeroPoint()));
  }
  return fields.getDictionary(builder.getContext());
}

namespace {
struct InsertProbesPass : halftone::impl::InsertProbesBase<InsertProbesPass> {
  void runOnOperation() override {
    FailureOr<func::FuncOp> entry = getEntry(getOperation());
    if (failed(entry))
      return signalPassFailure();
    if ((*entry)->hasAttr(kProbesAttr)) {
      entry->emitError("has probes already");
      return signalPassFailure();
    }
    Sandwiches sandwiches(*entry);
    Builder builder(&getContext());
    SmallVector<Attribute> list;
    for (const QuantizableValue &layer : getQuantizableValues(*entry)) {
      if (!layer.value.getDefiningOp())
        continue;
      QuantizeOp quantize = findQuantize(layer.value);
      list.push_back(describe(builder, layer, quantize, sandwiches));
      Value value = quantize ? dequantize(quantize) : layer.value;
      auto factors = layer.value.getDefiningOp()->getAttrOfType<DenseF32ArrayAttr>(kChannelFactorsAttr);
      addResult(*entry, factors ? multiply(value, factors) : value, layer.key);
      ++probes;
    }
    (*entry)->setAttr(kProbesAttr, builder.getArrayAttr(list));
  }

  static Value dequantize(QuantizeOp quantize) {
    OpBuilder builder(quantize);
    builder.setInsertionPointAfter(quantize);
    return DequantizeOp::create(builder, quantize.getLoc(), quantize.getInput().getType(), quantize, Value(), Value());
  }

  static Value multiply(Value value, ArrayRef<float> factors) {
    OpBuilder builder(value.getContext());
    builder.setInsertionPointAfterValue(value);
    return scaleChannels(builder, value, factors);
  }

  static void addResult(func::FuncOp entry, Value value, StringRef name) {
    Builder builder(entry.getContext());
    auto attributes = builder.getDictionaryAttr(builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)));
    (void)entry.insertResult(entry.getNumResults(), value.getType(), attributes);
    Operation *end = entry.getBody().front().getTerminator();
    end->insertOperands(end->getNumOperands(), value);
  }
};
} // namespace
