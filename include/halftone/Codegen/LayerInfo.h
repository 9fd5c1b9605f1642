//===- LayerInfo.h - what is known about each layer -------------------------===//
//
// A layer is an operation of @main as it stands behind bufferization: halftone.contract, a linalg operation, a lookup, an
// observer. The module lists them, and the locations of the loops that they become lead back to the list: each operation that
// is made for layer i has a fused location with the metadata {halftone.layer = i}. Locations are what every lowering keeps,
// those of upstream included, and nothing but the list of layers in the artefact depends on them.
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_CODEGEN_LAYERINFO_H
#define HALFTONE_CODEGEN_LAYERINFO_H

#include "mlir/IR/BuiltinOps.h"

namespace mlir::halftone {

/// Attribute of the module: an array of LayerInfo; halftone-outline-parallel adds the body.
inline constexpr llvm::StringLiteral kLayersAttr = "halftone.layers";

/// HalftoneLayerInfo of include/halftone-c/Artefact.h, as a dictionary of the module.
struct LayerInfo {
  std::string name, kind, kernel, shapes;
  std::string body; ///< the function, once it is outlined
  std::string cost; ///< of contractions, what the cost model reads (ContractShape::text)
  bool perSample = false;
  int64_t calls = 1; ///< of a run; a multiple of kCallsPerSample: so many for each sample of the batch
  int64_t multiplyAccumulates = 0, readBytes = 0, writtenBytes = 0, constantBytes = 0;

  static constexpr int64_t kCallsPerSample = -1;

  DictionaryAttr toAttribute(MLIRContext *context) const;
  static LayerInfo fromAttribute(DictionaryAttr attribute);
};

/// The module's list; empty if there is none.
SmallVector<LayerInfo> readLayers(ModuleOp module);
void writeLayers(ModuleOp module, ArrayRef<LayerInfo> layers);

/// The first name in a location: that of the source's node.
std::string nodeName(Location loc);

/// The layer that a location belongs to.
std::optional<int64_t> layerOf(Location loc);

/// Makes `op` and all below it part of a layer.
void setLayer(Operation *op, int64_t layer);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_LAYERINFO_H
