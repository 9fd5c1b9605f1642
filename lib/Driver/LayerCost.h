//===- LayerCost.h - What the cost model knows of an artefact's layers ----===//
#ifndef HALFTONE_LIB_DRIVER_LAYERCOST_H
#define HALFTONE_LIB_DRIVER_LAYERCOST_H

#include "halftone-c/Artefact.h"
#include "halftone/Codegen/SparseCost.h"

namespace mlir::halftone {

/// What an artefact recorded of a contraction.
struct RecordedLayer {
  const DotKernel *kernel = nullptr;
  ContractShape shape;
  std::optional<SparseLayout> sparse;
  double calls = 1; ///< of one run

  /// Of all calls.
  Cost predict(const CostTable &table) const;
  /// The cycles that it cannot be faster than; 0: of sparse weights, which have
  /// no such limit.
  double roofline(const CostTable &table) const;
  /// "14x2": rows and vectors of a whole register tile; "-" where panels of
  /// vectors have none.
  std::string tile() const;
};

/// How often a run of that batch calls a layer.
double callsOf(const HalftoneLayerInfo &layer, int64_t batch);

/// The record of a layer for that batch; nothing if it is no contraction, or
/// none that the table has a kernel for.
std::optional<RecordedLayer> recordOf(const HalftoneModel &model,
                                      const HalftoneLayerInfo &layer,
                                      const CostTable &table, int64_t batch);

/// The table that an artefact was compiled with: that of the file, or the
/// built-in one of its target. Without a file nothing if the artefact names
/// another, or none.
llvm::Expected<std::optional<CostTable>> knownTable(const HalftoneModel &model,
                                                    llvm::StringRef file);

} // namespace mlir::halftone

#endif // HALFTONE_LIB_DRIVER_LAYERCOST_H
