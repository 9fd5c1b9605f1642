//===- LayerInfo.cpp - what is known about each layer -----------------------===//
#include "halftone/Codegen/LayerInfo.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace mlir::halftone;

static constexpr StringLiteral kLayerKey = "halftone.layer";

DictionaryAttr LayerInfo::toAttribute(MLIRContext *context) const {
  Builder b(context);
  NamedAttrList list;
  auto text = [&](StringRef key, StringRef value) { list.append(key, b.getStringAttr(value)); };
  auto count = [&](StringRef key, int64_t value) { list.append(key, b.getI64IntegerAttr(value)); };
  text("name", name);
  text("kind", kind);
  text("kernel", kernel);
  text("shapes", shapes);
  if (!body.empty())
    text("body", body);
  if (!cost.empty())
    text("cost", cost);
  if (perSample)
    list.append("per_sample", b.getUnitAttr());
  if (calls != 1)
    count("calls", calls);
  count("multiply_accumulates", multiplyAccumulates);
  count("read_bytes", readBytes);
  count("written_bytes", writtenBytes);
  count("constant_bytes", constantBytes);
  return list.getDictionary(context);
}

LayerInfo LayerInfo::fromAttribute(DictionaryAttr attribute) {
  auto text = [&](StringRef key) {
    auto found = attribute.getAs<StringAttr>(key);
    return found ? found.str() : std::string();
  };
  auto count = [&](StringRef key) {
    auto found = attribute.getAs<IntegerAttr>(key);
    return found ? found.getInt() : 0;
  };
  return {text("name"),          text("kind"), text("kernel"), text("shapes"), text("body"), text("cost"), attribute.contains("per_sample"),
          attribute.contains("calls") ? count("calls") : 1, count("multiply_accumulates"), count("read_bytes"), count("written_bytes"),
          count("constant_bytes")};
}

SmallVector<LayerInfo> mlir::halftone::readLayers(ModuleOp module) {
  SmallVector<LayerInfo> layers;
  if (auto list = module->getAttrOfType<ArrayAttr>(kLayersAttr))
    for (auto entry : list.getAsRange<DictionaryAttr>())
      layers.push_back(LayerInfo::fromAttribute(entry));
  return layers;
}

void mlir::halftone::writeLayers(ModuleOp module, ArrayRef<LayerInfo> layers) {
  SmallVector<Attribute> list;
  for (const LayerInfo &layer : layers)
    list.push_back(layer.toAttribute(module.getContext()));
  module->setAttr(kLayersAttr, ArrayAttr::get(module.getContext(), list));
}

std::string mlir::halftone::nodeName(Location loc) {
  std::string name;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    name = named.getName().str();
    return WalkResult::interrupt();
  });
  return name;
}

std::optional<int64_t> mlir::halftone::layerOf(Location loc) {
  std::optional<int64_t> layer;
  loc->walk([&](Location inner) {
    auto fused = dyn_cast<FusedLoc>(inner);
    auto metadata = fused ? dyn_cast_or_null<DictionaryAttr>(fused.getMetadata()) : DictionaryAttr();
    auto index = metadata ? metadata.getAs<IntegerAttr>(kLayerKey) : IntegerAttr();
    if (!index)
      return WalkResult::advance();
    layer = index.getInt();
    return WalkResult::interrupt();
  });
  return layer;
}

void mlir::halftone::setLayer(Operation *op, int64_t layer) {
  Builder b(op->getContext());
  auto metadata = b.getDictionaryAttr(b.getNamedAttr(kLayerKey, b.getI64IntegerAttr(layer)));
  op->walk([&](Operation *inner) { inner->setLoc(FusedLoc::get(b.getContext(), inner->getLoc(), metadata)); });
}
