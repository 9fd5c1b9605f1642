//===- ContractPartition.h - a contraction's output, cut into parts ---------===//
#ifndef HALFTONE_CODEGEN_CONTRACTPARTITION_H
#define HALFTONE_CODEGEN_CONTRACTPARTITION_H

#include "halftone/Codegen/OutputWalk.h"
#include "halftone/Codegen/PackedLayout.h"

namespace mlir::halftone {

/// The size of one part: lines, positions of a line, and units of columns (panels, or groups if there are several). Parts
/// are what threads share; within one, a panel of weights meets all positions before the next panel is read.
struct Partition {
  int64_t lines, rows, units;
  bool columnsOutside; ///< parts are ordered by columns, then positions; else the other way
};

/// Units of columns in all.
int64_t columnUnits(const PackedLayout &layout);

/// The partition of a contraction, by its shape and target only. Positions and columns are cut so that the larger of the
/// two operands is read once: where weights exceed the activations, positions are cut only as far as threads need it.
Partition choosePartition(const PackedLayout &layout, const OutputWalk &walk);

} // namespace mlir::halftone

#endif // HALFTONE_CODEGEN_CONTRACTPARTITION_H
