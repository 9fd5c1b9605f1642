//===- SourceScales.h - scales of weights that the source has quantized -----===//
//
// `halftone.source_scales` on a contraction says that its constant f32 weights are codes times these scales, one for each
// output channel or one for all: the source model holds the codes. The importer sets it, the passes of the import stage
// carry it (channels keep their order in every layout), `halftone-adopt-casts` takes the codes out of the weights again,
// which is exact, and removes it. `halftone.reason` in its place says why weights that the source has quantized have no such form.
// On a composite `gather` it says the same of its constant table, with a scale for each row or one for all, which `halftone-quantize-tables` takes.
// `halftone.source_dynamic` beside it says that the source rounds what the contraction reads, too, by ranges that it finds when it runs.
// `halftone.source_written` beside it says that the source writes the product of codes and scales out in floats (Cast, Sub, Mul): it is a float model,
// which is calibrated like any other, and whose weights keep these codes where their format can hold them (WeightRounding.h).
//
//===----------------------------------------------------------------------===//
#ifndef HALFTONE_ANALYSIS_SOURCESCALES_H
#define HALFTONE_ANALYSIS_SOURCESCALES_H

#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include "mlir/IR/Operation.h"

namespace mlir::halftone {

inline constexpr llvm::StringLiteral kSourceScalesAttr = "halftone.source_scales", kSourceDynamicAttr = "halftone.source_dynamic",
                                     kSourceWrittenAttr = "halftone.source_written";

/// Lets a contraction that stands for another one have its scales, or its reason.
inline void copySourceScales(Operation *from, Operation *to) {
  for (StringRef name : {StringRef(kSourceScalesAttr), StringRef(kSourceDynamicAttr), StringRef(kSourceWrittenAttr), StringRef(kReasonAttr)})
    if (Attribute value = from->getAttr(name))
      to->setAttr(name, value);
}

/// Of what has its codes, or stays float.
inline void dropSourceScales(Operation *op) {
  for (StringRef name : {StringRef(kSourceScalesAttr), StringRef(kSourceWrittenAttr)})
    op->removeAttr(name);
}

} // namespace mlir::halftone

#endif // HALFTONE_ANALYSIS_SOURCESCALES_H
