//===- LayerCost.cpp - What the cost model knows of an artefact's layers --===//
#include "LayerCost.h"
#include "Command.h"
#include "halftone/Target/TargetTable.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir::halftone;
using llvm::Expected, llvm::StringRef;

Cost RecordedLayer::predict(const CostTable &table) const {
  Cost cost = sparse ? predictSparseCycles(table, shape, *sparse)
                     : predictCycles(table, shape, *kernel);
  for (double *part : {&cost.layer, &cost.tiles, &cost.epilogue, &cost.traffic,
                       &cost.decode})
    *part *= calls;
  return cost;
}

double RecordedLayer::roofline(const CostTable &table) const {
  return sparse ? 0 : calls * rooflineCycles(table, shape, *kernel);
}

std::string RecordedLayer::tile() const {
  if (shape.panelVectors <= 0 || shape.panelVectors > kernel->maxVectors)
    return "-";
  return llvm::formatv("{0}x{1}", kernel->rows[shape.panelVectors],
                       shape.panelVectors);
}

double mlir::halftone::callsOf(const HalftoneLayerInfo &layer, int64_t batch) {
  return layer.calls < 0 ? -double(layer.calls) * double(batch) : double(std::max(layer.calls, 1));
}

std::optional<RecordedLayer>
mlir::halftone::recordOf(const HalftoneModel &model,
                         const HalftoneLayerInfo &layer, const CostTable &table,
                         int64_t batch) {
  if (model.layerStructBytes < int32_t(sizeof(HalftoneLayerInfo)))
    return std::nullopt;
  RecordedLayer record;
  StringRef name = layer.kernel, text = layer.cost;
  name.consume_front("sparse_");
  record.kernel = findDotKernel(name);
  if (!record.kernel || !table.find(name))
    return std::nullopt;
  record.sparse = parseSparse(text, *record.kernel);
  std::optional<ContractShape> shape = ContractShape::parse(text);
  if (!shape)
    return std::nullopt;
  record.shape = *shape;
  record.calls = callsOf(layer, batch);
  if (layer.perSample) {
    (StringRef(layer.kind) == "matmul" ? record.shape.span
                                       : record.shape.lines) *= batch;
    record.shape.activationBytes *= batch;
  }
  return record;
}

Expected<std::optional<CostTable>>
mlir::halftone::knownTable(const HalftoneModel &model, StringRef file) {
  const Isa *isa = findIsaOfTarget(model.target);
  if (!isa)
    return std::nullopt;
  Expected<CostTable> table = CostTable::forTarget(file, *isa);
  if (!table)
    return userError(llvm::toString(table.takeError()));
  bool named = model.structBytes >= offsetof(HalftoneModel, samples) &&
               table->id() == model.costTable;
  if (file.empty() && !named)
    return std::nullopt;
  return std::move(*table);
}
