//===- Packing.h - what all layouts of packed weights say -------------------===//
#ifndef HALFTONE_CODEGEN_PACKING_H
#define HALFTONE_CODEGEN_PACKING_H

#include "halftone/Codegen/IsaTable.h"
#include "halftone/Dialect/Halftone/IR/Halftone.h"
#include <array>
#include <optional>

namespace mlir::halftone {

/// The part of a contraction's `packing` that the layouts have in common.
struct Packing {
  const DotKernel *kernel;
  int64_t columns;               ///< output channels of a panel, block or strip
  std::array<int64_t, 3> window; ///< height, width and input channels of one group

  /// The attribute, with what the layout says besides.
  DictionaryAttr toAttribute(MLIRContext *context, NamedAttrList more = {}) const;

  /// Nothing if the weights are not packed, or by no kernel that there is.
  static std::optional<Packing> of(ContractOp op);
};

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_PACKING_H
